"""What is around a bent face bends along, without a border and without folding."""

from __future__ import annotations

import numpy as np
from test_mesh_warp import grid_mesh

from faceswap_gan.faces.mesh_surroundings import surround
from faceswap_gan.faces.mesh_warp import map_back, rasterise

SHAPE = (128, 112)


def places(dst, src, triangles):
    raster = rasterise(dst, triangles, SHAPE)
    there = map_back(raster, dst, src, triangles)
    return raster, there, surround(there, raster, SHAPE)


def test_a_face_that_only_moves_takes_its_whole_picture_along():
    points, triangles = grid_mesh(jitter=2.0)
    _, _, whole = places(points, points + [5.0, -3.0], triangles)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    np.testing.assert_allclose(whole.x - columns, 5.0, atol=0.02)
    np.testing.assert_allclose(whole.y - rows, -3.0, atol=0.02)


def test_inside_it_is_the_meshs_own_map_and_around_it_nothing_jumps():
    dst, triangles = grid_mesh(jitter=1.0)
    src = (dst - dst.mean(axis=0)) * [1.15, 0.9] + dst.mean(axis=0) + [2.0, 1.0]
    raster, there, whole = places(dst, src, triangles)
    place, part = raster.overlap(SHAPE)
    own = np.zeros(SHAPE, bool)
    own[36:94, 26:74] = True  # well inside the mesh
    for mine, its in ((whole.x, there.x), (whole.y, there.y)):
        all_of_it = np.zeros(SHAPE)
        all_of_it[place] = its[part]
        np.testing.assert_allclose(mine[own], all_of_it[own], atol=1e-3)
    assert np.diff(whole.x, axis=1).min() > 0.2  # left stays left of right
    assert np.diff(whole.y, axis=0).min() > 0.2
    assert max(np.diff(whole.x, axis=1).max(), np.diff(whole.y, axis=0).max()) < 2.5


def test_a_face_that_reaches_over_the_frame():
    dst, triangles = grid_mesh(low=(-20.0, 30.0), high=(50.0, 140.0))
    _, _, whole = places(dst, dst + [4.0, 0.0], triangles)
    assert whole.x.shape == whole.y.shape == SHAPE
    np.testing.assert_allclose(whole.x - np.arange(SHAPE[1]), 4.0, atol=0.02)
