"""Irises follow dst's gaze."""

from __future__ import annotations

import numpy as np
import pytest
from heads import EYES, draw_topology, head, picture

from faceswap_gan.faces.mesh_eyes import turn_eyes
from faceswap_gan.faces.mesh_warp import map_back, rasterise, sample
from faceswap_gan.faces.topology import MESH_POINTS

TRIANGLES = draw_topology().triangles
SIDE = 384


def big(**look):
    return head((192.0, 192.0), scale=120.0, lids=0.18, **look)


def maps(dst, src):
    raster = rasterise(dst.points[:MESH_POINTS], TRIANGLES, (SIDE, SIDE))
    there = map_back(raster, dst.points[:MESH_POINTS], src.points[:MESH_POINTS], TRIANGLES)
    before = there.x.copy(), there.y.copy()
    turn_eyes(there, raster, dst.points, src.points)
    return raster, before, there


@pytest.mark.parametrize("wanted", [-0.25, 0.0, 0.25])
@pytest.mark.parametrize("given", [-0.2, 0.1])
def test_irises_come_to_lie_on_dsts(wanted, given):
    src, dst = big(gaze=given), big(gaze=wanted)
    raster, _, there = maps(dst, src)
    drawn = sample(picture(src, shape=(SIDE, SIDE)), there)
    y, x = np.mgrid[: drawn.shape[0], : drawn.shape[1]]
    for contour, iris, _ in EYES:
        eye = raster.local(dst.points[list(contour)])
        window = (np.abs(x - eye[:, 0].mean()) < 26) & (np.abs(y - eye[:, 1].mean()) < 10)
        dark = window & (drawn[..., 1] < 60)
        middle = np.asarray([x[dark].mean(), y[dark].mean()])
        assert np.abs(middle - raster.local(dst.points[[iris[0]]])[0]).max() < 1.5
        # Round as before: as wide as it was in the source.
        assert np.ptp(x[dark]) == pytest.approx(2 * 0.07 * 120, abs=3)


def test_nothing_moves_outside_the_eyes_or_for_the_same_gaze():
    src = big(gaze=0.2)
    raster, before, there = maps(big(gaze=-0.2), src)
    y, x = np.mgrid[: there.x.shape[0], : there.x.shape[1]]
    near = np.zeros(there.x.shape, bool)
    for contour, _, _ in EYES:
        eye = raster.local(big().points[list(contour)])
        near |= (np.abs(x - eye[:, 0].mean()) < 30) & (np.abs(y - eye[:, 1].mean()) < 16)
    assert np.array_equal(there.x[~near], before[0][~near])
    assert np.array_equal(there.y[~near], before[1][~near])
    _, before, there = maps(src, src)
    inside = rasterise(src.points[:MESH_POINTS], TRIANGLES, (SIDE, SIDE)).covered > 0
    assert np.abs(there.x - before[0])[inside].max() < 0.1


@pytest.mark.parametrize("closed", ["src", "dst"])
def test_closed_eyes_have_no_gaze(closed):
    meshes = {"src": big(gaze=0.2), "dst": big(gaze=-0.2)}
    meshes[closed] = head((192.0, 192.0), scale=120.0, lids=0.01)
    _, before, there = maps(meshes["dst"], meshes["src"])
    assert np.array_equal(there.x, before[0])


def test_eyes_outside_the_frame_are_left_alone():
    src, dst = big(gaze=0.2), head((192.0, -10.0), scale=120.0, lids=0.18)
    _, before, there = maps(dst, src)
    assert np.array_equal(there.x, before[0])
