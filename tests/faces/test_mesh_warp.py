"""Bending a picture from mesh to mesh: exact, without holes, anywhere in the frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import mesh_warp
from faceswap_gan.faces.mesh_warp import rasterise, reduction, warp_mesh

SIDE = 9


def grid_mesh(low=(20.0, 30.0), high=(80.0, 100.0), *, jitter=0.0):
    """A rectangle of triangles with crooked inner points: points (81, 2), triangles (128, 3)."""
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE - 1.0)
    points = np.stack([x, y], axis=-1) * (np.asarray(high) - low) + low
    noise = np.random.default_rng(3).uniform(-jitter, jitter, points.shape)
    points[1:-1, 1:-1] += noise[1:-1, 1:-1]
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + SIDE + 1], axis=1)
    upper = np.stack([corner, corner + SIDE + 1, corner + SIDE], axis=1)
    return points.reshape(-1, 2), np.concatenate([lower, upper]).astype(np.int32)


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (128, 112, 3), np.uint8)


def inside(mask, points):
    """Pixels whose centres lie inside a rectangle of points."""
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)


def test_identity_gives_the_picture_back_exactly(picture):
    points, triangles = grid_mesh(jitter=2.5)
    rgb, mask = warp_mesh(picture, points, points, triangles, picture.shape)
    assert rgb.dtype == mask.dtype == np.float32
    assert mask[inside(mask, points)].all()
    assert np.array_equal(rgb[mask > 0], picture[mask > 0].astype(np.float32))
    assert not rgb[mask == 0].any()


def test_a_shift_by_whole_pixels_is_exact(picture):
    points, triangles = grid_mesh(jitter=2.5)
    rgb, mask = warp_mesh(picture, points, points + [7, -11], triangles, picture.shape)
    y, x = np.nonzero(mask)
    assert np.array_equal(rgb[y, x], picture[y + 11, x - 7])


def test_an_affine_map_is_followed_by_every_triangle():
    y, x = np.mgrid[:128, :112]
    ramp = np.stack([x * 2, y * 2, x + y], axis=-1).astype(np.uint8)
    points, triangles = grid_mesh(jitter=2.5)
    matrix = np.asarray([[1.1, 0.2], [-0.15, 0.9]])
    rgb, mask = warp_mesh(ramp, points, points @ matrix.T + [5, 6], triangles, ramp.shape)
    # Away from the rim, where no source pixel beyond the mesh takes part.
    y, x = np.nonzero(cv2.erode(mask, np.ones((5, 5))))
    there = (np.stack([x, y], axis=1) - [5, 6]) @ np.linalg.inv(matrix).T
    assert np.abs(rgb[y, x, 0] - there[:, 0] * 2).max() < 1.5
    assert np.abs(rgb[y, x, 1] - there[:, 1] * 2).max() < 1.5


def test_agrees_with_the_loop_over_triangles():
    picture = np.repeat(
        cv2.resize(np.random.default_rng(2).integers(0, 256, (9, 9), np.uint8), (112, 112))[..., None], 3, 2
    )
    src, triangles = grid_mesh(jitter=1)
    dst, _ = grid_mesh((15, 12), (96, 90), jitter=2.5)
    rgb, mask = warp_mesh(picture, src, dst, triangles, picture.shape)
    loop = np.zeros_like(rgb)
    for corners in triangles:
        matrix = cv2.getAffineTransform(src[corners].astype(np.float32), dst[corners].astype(np.float32))
        warped = cv2.warpAffine(picture, matrix, (112, 112), flags=cv2.INTER_CUBIC)
        own = cv2.fillConvexPoly(np.zeros((112, 112), np.uint8), np.rint(dst[corners]).astype(np.int32), 1)
        loop[own > 0] = warped[own > 0]
    both = (mask > 0) & loop.any(axis=2)
    assert both.sum() > 0.97 * mask.sum()
    assert np.abs(rgb - loop)[both].mean() < 0.3


@pytest.mark.parametrize("fold", [0.0, 20.0])
def test_no_holes_even_where_triangles_collapse_or_fold(picture, fold):
    src, triangles = grid_mesh()
    dst, _ = grid_mesh(jitter=2.5)
    grid = dst.reshape(SIDE, SIDE, 2)
    grid[4] = grid[3]  # a row of triangles without height, as in a closed mouth
    grid[:, 6, 0] = grid[:, 5, 0] - fold  # a fold, as in a turned head
    mask = warp_mesh(picture, src, grid.reshape(-1, 2), triangles, picture.shape)[1]
    assert mask[inside(mask, dst)].all()


def test_what_is_in_front_hides_the_fold(picture):
    points, triangles = grid_mesh()
    grid = points.reshape(SIDE, SIDE, 2).copy()
    grid[:, 7:, 0] = grid[:, 6:7, 0] - np.asarray([5.0, 9.0])  # the last columns turn back behind the others
    raster = rasterise(grid.reshape(-1, 2), triangles, picture.shape)
    areas = mesh_warp.facing(grid.reshape(-1, 2), triangles)
    assert (areas < 0).any()
    shown = np.unique(raster.triangles[raster.triangles >= 0])
    behind = np.flatnonzero(areas < 0)
    rim = np.isin(raster.triangles, behind).sum() / (raster.triangles >= 0).sum()
    assert set(shown) - set(behind)
    assert rim < 0.02


def test_depth_decides_between_triangles_that_both_face_the_camera(picture):
    points = np.asarray([[10, 10], [60, 10], [10, 60], [12, 12], [62, 12], [12, 62]], float)
    triangles = np.asarray([[0, 1, 2], [3, 4, 5]])
    for depth, front in (([0, 0, 0, 9, 9, 9], 0), ([9, 9, 9, 0, 0, 0], 1)):
        raster = rasterise(points, triangles, picture.shape, depth=np.asarray(depth, float))
        assert raster.triangles[20 - raster.y, 20 - raster.x] == front


@pytest.mark.parametrize("shift", [(-50, 0), (60, 0), (0, -70), (0, 70), (-40, -60), (50, 70)])
def test_at_and_over_the_frames_border(picture, shift):
    points, triangles = grid_mesh(jitter=2.5)
    moved = points + shift
    rgb, mask = warp_mesh(picture, points, moved, triangles, picture.shape)
    assert 0 < mask.sum() < inside(np.zeros((400, 400)), points).sum()
    assert mask[inside(mask, moved)].all()
    y, x = np.nonzero(mask)
    assert np.array_equal(rgb[y, x], picture[y - shift[1], x - shift[0]])


@pytest.mark.parametrize("shift", [(-500, 0), (500, 500)])
def test_outside_the_frame_nothing_is_painted(picture, shift):
    points, triangles = grid_mesh()
    rgb, mask = warp_mesh(picture, points, points + shift, triangles, picture.shape)
    assert not mask.any()
    assert not rgb.any()


def test_a_source_over_its_pictures_border_repeats_it(picture):
    points, triangles = grid_mesh()
    rgb, mask = warp_mesh(picture, points - [60, 0], points, triangles, picture.shape)
    y, x = np.nonzero(mask)
    assert np.array_equal(rgb[y, x], picture[y, np.maximum(x - 60, 0)])


def test_thin_triangles_take_their_colours_from_themselves():
    picture = np.full((128, 112, 3), 200, np.uint8)
    points, triangles = grid_mesh()
    picture[inside(picture[..., 0], points)] = 50
    dst = points.reshape(SIDE, SIDE, 2).copy()
    dst[1:4, :, 1] = dst[0, :, 1] + np.asarray([0.01, 0.02, 0.03])[:, None]
    rgb, mask = warp_mesh(picture, points, dst.reshape(-1, 2), triangles, picture.shape)
    inner = inside(mask, np.asarray([[24, 32], [76, 98]]))
    assert (rgb[inner] < 60).all()


def test_fine_patterns_shrink_to_their_mean():
    y, x = np.mgrid[:400, :400]
    picture = np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    src, triangles = grid_mesh((40, 40), (360, 360))
    dst, _ = grid_mesh((20, 20), (90, 90))
    assert reduction(src, dst, triangles) == 4
    rgb, mask = warp_mesh(picture, src, dst, triangles, (112, 112))
    assert np.abs(rgb[mask > 0] - 127.5).max() < 2


def test_one_remap(picture, monkeypatch):
    calls = []
    remap = cv2.remap
    monkeypatch.setattr(mesh_warp.cv2, "remap", lambda *a, **k: calls.append(1) or remap(*a, **k))
    points, triangles = grid_mesh()
    warp_mesh(picture, points, points, triangles, picture.shape)
    assert calls == [1]


def test_bad_meshes_are_refused(picture):
    points, triangles = grid_mesh()
    with pytest.raises(SettingsError, match="meshes"):
        warp_mesh(picture, points[:-1], points, triangles, picture.shape)
    broken = points.copy()
    broken[5] = np.nan
    with pytest.raises(SettingsError, match="NaN"):
        warp_mesh(picture, points, broken, triangles, picture.shape)
    with pytest.raises(SettingsError, match="finite"):
        warp_mesh(picture, broken, points, triangles, picture.shape)
