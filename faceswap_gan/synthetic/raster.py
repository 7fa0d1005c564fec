"""Turn a projected grid of vertices into per-pixel grid coordinates, hidden surfaces removed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from faceswap_gan.synthetic.shapes import Array

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fragments:
    """The visible pixels of one surface and the grid point that each of them shows."""

    pixel: Index
    """Number of each fragment's pixel in raster order, int64 (n,), rising."""
    u: Array
    """Grid column that the pixel's centre shows, float32 (n,), cells."""
    v: Array
    """Grid row that the pixel's centre shows, float32 (n,), cells."""


def rasterise(points: Array, depth: Array, *, size: tuple[int, int]) -> Fragments:
    """Find which grid point each pixel shows.

    Triangles are drawn from far to near, all triangles of a similar extent in one vectorised step; the
    nearest wins. Grid coordinates are affine within a triangle.

    Args:
        points: Pixel position of every vertex, float32 (rows, columns, 2); pixel centres are at integers.
        depth: Nearness of every vertex, float32 (rows, columns), larger is nearer.
        size: (height, width) of the picture, px.

    Returns:
        One fragment per covered pixel, in raster order.
    """
    rows, columns = depth.shape
    corners = _triangles(rows, columns)
    a, b, c = (points.reshape(-1, 2)[corners[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.ceil(np.minimum(np.minimum(a, b), c))
    high = np.floor(np.maximum(np.maximum(a, b), c))
    seen = (area > 1e-6) & (low <= high).all(axis=1) & (high >= 0).all(axis=1)
    seen &= (low[:, 0] < size[1]) & (low[:, 1] < size[0])
    kept = np.flatnonzero(seen)
    near = depth.reshape(-1)[corners[kept]].sum(axis=1)
    kept = kept[np.argsort(near, kind="stable")]
    planes = _planes(points.reshape(-1, 2)[corners[kept]], area[kept])
    rank = _draw(planes, low[kept].astype(np.int64), high[kept].astype(np.int64), size)
    pixel = np.flatnonzero(rank)
    slope = _slopes(planes, _grid_corners(rows, columns)[kept])[rank[pixel] - 1]
    row, column = np.divmod(pixel.astype(np.int32), np.int32(size[1]))
    x, y = column.astype(np.float32), row.astype(np.float32)
    u = slope[:, 0] * x + slope[:, 1] * y + slope[:, 2]
    v = slope[:, 3] * x + slope[:, 4] * y + slope[:, 5]
    return Fragments(pixel=pixel, u=u, v=v)


def _slopes(planes: Array, grid: Array) -> Array:
    """Grid coordinates u and v as planes over the screen: x, y and constant term of each, (n, 6)."""
    slopes = np.empty((len(planes), 6), np.float32)
    for axis in (0, 1):
        second, third = grid[:, 2 + axis, None], grid[:, 4 + axis, None]
        slopes[:, 3 * axis : 3 * axis + 3] = second * planes[:, 3:6] + third * planes[:, 6:9]
        slopes[:, 3 * axis + 2] += grid[:, axis]
    return slopes


@lru_cache(maxsize=16)
def _triangles(rows: int, columns: int) -> Index:
    """Vertex numbers of two triangles per cell, clockwise on screen when facing us."""
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, 1:].ravel(), number[1:, :-1].ravel()
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


@lru_cache(maxsize=16)
def _grid_corners(rows: int, columns: int) -> Array:
    """(u, v) of each triangle's first corner and the steps to its second and third."""
    u, v = np.meshgrid(np.arange(columns), np.arange(rows))
    grid = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)[_triangles(rows, columns)]
    return np.concatenate([grid[:, 0], grid[:, 1] - grid[:, 0], grid[:, 2] - grid[:, 0]], axis=1)


def _planes(xy: Array, area: Array) -> Array:
    """Barycentric weight of each corner as a plane over the screen: x, y and constant term, (n, 9)."""
    planes = np.empty((len(xy), 9), np.float32)
    for corner in range(3):
        p, q = xy[:, (corner + 1) % 3], xy[:, (corner + 2) % 3]
        dx = (p[:, 1] - q[:, 1]) / area
        dy = (q[:, 0] - p[:, 0]) / area
        planes[:, 3 * corner] = dx
        planes[:, 3 * corner + 1] = dy
        planes[:, 3 * corner + 2] = -(dx * p[:, 0] + dy * p[:, 1])
    return planes


def _draw(planes: Array, low: Index, high: Index, size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Write 1 + the number of the nearest triangle into each pixel, 0 where none is."""
    low, high = np.maximum(low, 0), np.minimum(high, [size[1] - 1, size[0] - 1])
    reach = -(-(high - low + 1) // 3) * 3
    result = np.zeros(size[0] * size[1], np.int32)
    alike = reach[:, 0] * 4096 + reach[:, 1]
    order = np.argsort(alike, kind="stable")
    starts = np.flatnonzero(np.diff(alike[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        if len(members) == 0:
            continue
        width, height = reach[members[0]]
        left, top = (np.minimum(low[members, k], size[1 - k] - reach[members[0], k]) for k in (0, 1))
        weight = planes[members]
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        inside = np.ones((len(members), height, width), np.bool_)
        for corner in (0, 3, 6):
            base = weight[:, corner] * left + weight[:, corner + 1] * top + weight[:, corner + 2]
            rowwise = (base[:, None] + weight[:, corner + 1, None] * y).astype(np.float32)
            value = rowwise[:, :, None] + (weight[:, corner, None] * x)[:, None, :]
            inside &= value > -1e-4
        cell = (np.arange(height)[:, None] * size[1] + np.arange(width)).ravel()
        which, where = np.divmod(np.flatnonzero(inside), len(cell))
        pixel = (top * size[1] + left)[which] + cell[where]
        rank = (members + 1).astype(np.int32)[which]
        nearer = rank > result[pixel]
        result[pixel[nearer]] = rank[nearer]  # within one step ranks rise, so the last write is the nearest
    return result
