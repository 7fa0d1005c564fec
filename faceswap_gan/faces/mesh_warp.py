"""A picture of one face bent, triangle by triangle, onto the mesh of another.

The triangles are drawn once as a map of numbers; each pixel then knows its triangle, hence its place in the
source, and one `cv2.remap` fetches them all. Drawing triangle after triangle gives the same picture slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

_SUBPIXEL = 4  # bits
_FLAT = 1e-3
_THIN = 2.0
_FAR = 1e6


@dataclass(frozen=True)
class Raster:
    """Which triangle shows at each pixel of a rectangle around a mesh.

    Attributes:
        x: frame column of the rectangle's first one; may be negative.
        y: frame row of its first one; may be negative.
        triangles: int32 (h, w), number of the triangle, -1 where there is none.
    """

    x: int
    y: int
    triangles: npt.NDArray[np.int32]

    @property
    def covered(self) -> Image:
        """Where there is a triangle: uint8 (h, w), 0 or 1."""
        return (self.triangles >= 0).astype(np.uint8)

    def local(self, points: Array) -> Floats:
        """Move points of the frame, (n, 2) px, into the rectangle; float32 (n, 2)."""
        return (np.asarray(points) - [self.x, self.y]).astype(np.float32)

    def overlap(self, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Find what the rectangle shares with a frame (H, W, ...): slices of the frame, and of the rectangle."""
        height, width = self.triangles.shape
        x1, y1 = max(self.x, 0), max(self.y, 0)
        x2, y2 = max(min(self.x + width, shape[1]), x1), max(min(self.y + height, shape[0]), y1)
        own = np.s_[y1 - self.y : y2 - self.y, x1 - self.x : x2 - self.x]
        return np.s_[y1:y2, x1:x2], own


@dataclass(frozen=True)
class SourceMap:
    """Where each pixel of a raster comes from in the source picture: x and y, float32 (h, w) px each."""

    x: Floats
    y: Floats


def warp_mesh(
    image: Image, src_points: Array, dst_points: Array, triangles: Array, shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Bend a picture so that the mesh of its face comes to lie on another mesh.

    Args:
        image: RGB source picture, uint8 (h, w, 3).
        src_points: the mesh in it, float (n, 2) px; points outside the picture take its border's colour.
        dst_points: the mesh to reach, float (n, 2) px of a frame; may reach over its border.
        triangles: int (m, 3) indices of points.
        shape: of the frame, (H, W) or (H, W, C).

    Returns:
        The frame with nothing but the face, RGB float32 (H, W, 3) in [0, 255], and where it is, float32
        (H, W), 0 or 1.

    Raises:
        SettingsError: the meshes differ in their number of points, or a point is not finite.
    """
    raster = rasterise(dst_points, triangles, shape)
    there = map_back(raster, dst_points, src_points, triangles)
    rgb = np.zeros((*shape[:2], 3), np.float32)
    mask = np.zeros(shape[:2], np.float32)
    place, _ = raster.overlap(shape)
    if raster.triangles.size:
        mask[place] = raster.covered
        part = sample(image, there, reduction(src_points, dst_points, triangles))
        rgb[place] = part * mask[place][..., None]
    return rgb, mask


def rasterise(
    points: Array, triangles: Array, shape: tuple[int, ...], *, depth: Array | None = None, margin: int = 0
) -> Raster:
    """Draw the numbers of a mesh's triangles, those behind first.

    Triangles seen from behind are drawn before all others, so that a fold never covers what is in front of
    it and yet leaves no hole.

    Args:
        points: float (n, 2) frame px.
        triangles: int (m, 3) indices of points.
        shape: of the frame, (H, W) or (H, W, C).
        depth: float (n,) of the points, growing away from the camera; None if unknown.
        margin: px by which the rectangle is larger than the mesh, over the frame's border too.

    Raises:
        SettingsError: a point is not finite.
    """
    if not np.isfinite(points).all():
        raise SettingsError("expected finite points of a mesh, got NaN or infinity; leave this face out.")
    low = np.floor(np.min(points, axis=0)).astype(int) - 1 - margin
    high = np.ceil(np.max(points, axis=0)).astype(int) + 2 + margin
    x1, y1 = np.maximum(low, -margin)
    x2, y2 = np.maximum(np.minimum(high, [shape[1] + margin, shape[0] + margin]), [x1, y1])
    raster = Raster(int(x1), int(y1), np.full((int(y2 - y1), int(x2 - x1)), -1, np.int32))
    if raster.triangles.size:
        corners = np.rint(raster.local(points) * 2**_SUBPIXEL).astype(np.int32)[triangles]
        for i in _back_to_front(points, triangles, depth):
            cv2.fillConvexPoly(raster.triangles, corners[i], int(i), cv2.LINE_8, _SUBPIXEL)
    return raster


def facing(points: Array, triangles: Array) -> npt.NDArray[np.float64]:
    """Measure the triangles' areas as seen: float64 (m,) px², negative for those seen from behind.

    Front is what most of the mesh's area shows.
    """
    corners = np.asarray(points, np.float64)[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    return np.asarray(areas * (np.sign(areas.sum()) or 1.0))


def map_back(raster: Raster, dst_points: Array, src_points: Array, triangles: Array) -> SourceMap:
    """Find where the pixels of a raster come from: the affine of each one's triangle.

    Args:
        raster: of the mesh ``dst_points``.
        dst_points: float (n, 2) frame px.
        src_points: float (n, 2) px of the source picture.
        triangles: int (m, 3).

    Returns:
        The places; far outside any picture where the raster has no triangle. A pixel never takes from
        further than 1 px beyond its own triangle's bounding box, however thin the triangle is.

    Raises:
        SettingsError: the meshes differ in their number of points, or a point is not finite.
    """
    if src_points.shape != dst_points.shape or not np.isfinite(src_points).all():
        raise SettingsError(
            f"expected two meshes of finite points, got {src_points.shape} and {dst_points.shape}; "
            "take both from one kind of landmarks."
        )
    dst = raster.local(dst_points)[triangles].astype(np.float64)
    src = src_points[triangles].astype(np.float64)
    table = _affines(dst, src).astype(np.float32).reshape(-1, 6)
    table = np.concatenate([table, np.asarray([[0, 0, -_FAR, 0, 0, -_FAR]], np.float32)])  # number -1
    height, width = raster.triangles.shape
    column, row = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    part = [np.take(table[:, k], raster.triangles, mode="wrap") for k in range(6)]
    there = SourceMap(part[0] * column + part[1] * row + part[2], part[3] * column + part[4] * row + part[5])
    _hold_thin(there, raster, dst, src)
    return there


def reduction(src_points: Array, dst_points: Array, triangles: Array) -> int:
    """Find by which whole factor a source picture should be averaged down before it is sampled; 1 or more."""
    areas = [np.abs(facing(points, triangles)).sum() for points in (src_points, dst_points)]
    return max(1, int(np.sqrt(areas[0] / max(areas[1], 1.0)) + 0.25))


def sample(image: Image, there: SourceMap, factor: int = 1) -> Image:
    """Fetch a picture's pixels from where a map says: one cubic `cv2.remap`.

    Args:
        image: uint8 (h, w, c).
        there: places in it; outside, its border is repeated.
        factor: average the picture down by this whole number first.

    Returns:
        uint8 of the map's shape, (..., c).
    """
    x, y = there.x, there.y
    factor = min(factor, *image.shape[:2])
    if factor > 1:
        height, width = (n // factor for n in image.shape[:2])
        cut = image[: height * factor, : width * factor]
        image = np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        # Pixel centres: (x + 0.5) / factor - 0.5
        x, y = ((place + np.float32(0.5)) / np.float32(factor) - np.float32(0.5) for place in (x, y))
    fetched = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(fetched, np.uint8)


def _back_to_front(points: Array, triangles: Array, depth: Array | None) -> npt.NDArray[np.intp]:
    is_front = facing(points, triangles) > 0
    far = np.zeros(len(triangles)) if depth is None else -np.asarray(depth)[triangles].mean(axis=1)
    return np.lexsort((far, is_front))


def _affines(dst: Array, src: Array) -> npt.NDArray[np.float64]:
    """Solve for the maps that take corners (m, 3, 2) to corners: float64 (m, 2, 3)."""
    d, s = dst[:, 1:] - dst[:, :1], src[:, 1:] - src[:, :1]
    area = d[:, 0, 0] * d[:, 1, 1] - d[:, 0, 1] * d[:, 1, 0]
    is_flat = np.abs(area) < _FLAT
    inverse = np.empty_like(d)  # of rows of edges
    inverse[:, 0] = np.stack([d[:, 1, 1], -d[:, 0, 1]], axis=1)
    inverse[:, 1] = np.stack([-d[:, 1, 0], d[:, 0, 0]], axis=1)
    inverse /= np.where(is_flat, 1.0, area)[:, None, None]
    linear = np.einsum("nij,njk->nki", inverse, s)
    linear[is_flat] = 0  # a line shows its middle
    shift = src.mean(axis=1) - np.einsum("nij,nj->ni", linear, dst.mean(axis=1))
    return np.concatenate([linear, shift[..., None]], axis=2)


def _hold_thin(there: SourceMap, raster: Raster, dst: Array, src: Array) -> None:
    """Keep the pixels of thin triangles, whose maps stretch without measure, within their own triangles."""
    edges = np.roll(dst, -1, axis=1) - dst
    longest = np.linalg.norm(edges, axis=2).max(axis=1)
    area = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    is_thin = np.append(area < _THIN * longest, False)
    held = np.nonzero(np.take(is_thin, raster.triangles, mode="wrap"))
    own = raster.triangles[held]
    low, high = src.min(axis=1) - 1, src.max(axis=1) + 1
    for axis, place in enumerate((there.x, there.y)):
        place[held] = np.clip(place[held], low[own, axis], high[own, axis])
