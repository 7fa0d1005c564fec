from __future__ import annotations

import numpy as np

from faceswap_gan.synthetic.loft import Loft, front_angles
from faceswap_gan.synthetic.raster import rasterise


def _grid(rows: int, columns: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    return np.stack([x, y], axis=-1).astype(np.float32)


def test_grid_coordinates_are_read_back_at_every_pixel() -> None:
    points = _grid(9, 12) * np.float32([7.3, 5.1]) + np.float32([10.2, 4.7])
    found = rasterise(points, np.zeros((9, 12), np.float32), size=(64, 100))
    row, column = np.divmod(found.pixel, 100)
    np.testing.assert_allclose(found.u * 7.3 + 10.2, column, atol=1e-3)
    np.testing.assert_allclose(found.v * 5.1 + 4.7, row, atol=1e-3)
    assert len(found.pixel) == 80 * 41  # columns 11..90, rows 5..45


def test_surfaces_that_face_away_are_not_drawn() -> None:
    points = _grid(3, 5)[:, ::-1] * np.float32(10)
    assert len(rasterise(points, np.zeros((3, 5), np.float32), size=(30, 60)).pixel) == 0


def test_the_nearer_surface_wins() -> None:
    twice = np.concatenate([_grid(3, 3) * 10, _grid(3, 3) * 10], axis=1).astype(np.float32)
    for depths, wanted in (([5, 5, 5, 1, 1, 1], (0, 2)), ([1, 1, 1, 5, 5, 5], (3, 5))):
        depth = np.broadcast_to(np.float32(depths), (3, 6)).copy()
        shown = rasterise(twice, depth, size=(30, 30))
        assert len(shown.pixel) == 21 * 21
        assert wanted[0] <= shown.u.min()
        assert shown.u.max() <= wanted[1]


def test_what_leaves_the_picture_is_cut() -> None:
    points = _grid(4, 4) * np.float32(40) - np.float32(30)
    found = rasterise(points, np.zeros((4, 4), np.float32), size=(32, 48))
    assert len(found.pixel) == 32 * 48
    nothing = rasterise(points + 500, np.zeros((4, 4), np.float32), size=(32, 48))
    assert len(nothing.pixel) == 0


def test_sheet_points_are_found_in_the_grid() -> None:
    levels = np.linspace(-4, 10, 30, dtype=np.float32)
    loft = Loft(levels=levels, angles=front_angles(40, 5), widths=np.linspace(7, 4, 30, dtype=np.float32))
    wanted = np.float32([[0, 0], [3.2, 1.0], [-2.5, 7.4]])
    column, row = loft.grid_of(wanted).T
    angle = np.interp(column, np.arange(51), loft.angles)
    width = np.interp(row, np.arange(30), loft.widths)
    found = np.stack([width * np.sin(np.radians(angle)), np.interp(row, np.arange(30), levels)], axis=-1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
