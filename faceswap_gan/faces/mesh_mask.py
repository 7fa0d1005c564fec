"""How much of a bent face shows at each pixel: soft edge, unseen skin left out, eyes and mouth filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.mesh_warp import Image, Raster, rasterise
from faceswap_gan.faces.topology import LEFT_EYE, LIPS_INNER, MESH_POINTS, RIGHT_EYE

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

FEATHER = 0.12
"""Width of the soft edge, in parts of the face's width."""

# Cosine between skin and camera in the source, and the same in parts of dst's, which is how far the skin is
# stretched: hidden below, shown above.
_SEEN = (0.05, 0.2)
_STRETCHED = (0.25, 0.65)
_SOFT = 0.015  # blur of inner borders, in widths of the face

# Openings: contour; the least area in dst, in parts of the face's, from which it counts as open; the ratio of
# src's area to dst's below which dst's own is shown, and above which src's is.
_MOUTH = (LIPS_INNER, (0.003, 0.008), (0.15, 0.45))
_LEFT_EYE = (LEFT_EYE, (0.003, 0.006), (0.2, 0.45))
_RIGHT_EYE = (RIGHT_EYE, (0.003, 0.006), (0.2, 0.45))


def face_width(points: Array) -> float:
    """Measure a mesh across, px: the mean of its bounding box's sides, steadier than either in a turned head."""
    return float(np.ptp(points[:MESH_POINTS], axis=0).mean())


def source_edge(image: Image, mesh: Landmarks, triangles: Array) -> Image:
    """Draw the soft edge of a face in its own picture: what lies at its rim is often hair.

    Args:
        image: RGB uint8 (h, w, 3).
        mesh: the face in it.
        triangles: int (m, 3).

    Returns:
        uint8 (h, w), 255 well inside the face.
    """
    width = face_width(mesh.points)
    raster = rasterise(mesh.points[:MESH_POINTS], triangles, image.shape, margin=int(FEATHER * width) + 1)
    edge = soft_edge(raster.covered, FEATHER * width)
    drawn = np.zeros(image.shape[:2], np.uint8)
    place, part = raster.overlap(image.shape)
    drawn[place] = np.rint(edge[part] * 255)
    return drawn


def paint_mask(raster: Raster, edge: Floats, dst: Landmarks, src: Landmarks, triangles: Array) -> Floats:
    """Decide how much of the source's bent face shows.

    The edge is soft, and so is the source's own where it comes to lie further inside. Skin that the source picture
    sees from the side or not at all fades out, unless dst shows it from the side too. Where dst's mouth
    or eye is open and src's is closed there is nothing to bend: dst's own shows.

    Args:
        raster: of dst's mesh, with a margin of 1 px at least.
        edge: the source's own soft edge bent along, float32 (h, w) in [0, 1], see `source_edge`.
        dst: the mesh that is painted over.
        src: the mesh of the picture that it is painted from.
        triangles: int (m, 3).

    Returns:
        Float32 (h, w) in [0, 1]; 0 outside the mesh.
    """
    width = face_width(dst.points)
    alpha = np.minimum(soft_edge(raster.covered, FEATHER * width), edge)
    shown = visibility(src, dst, triangles)
    if shown.min() < 1:
        seen = np.append(shown, np.float32(0))[raster.triangles]
        alpha *= _blur(seen, 3 * _SOFT * width)
    for contour, least, ratios in (_MOUTH, _LEFT_EYE, _RIGHT_EYE):
        own = _missing(dst, src, contour, least, ratios)
        if own > 0:
            alpha *= 1 - own * _region(raster, dst.points[list(contour)], _SOFT * width)
    return alpha.clip(0, 1)


def soft_edge(covered: npt.NDArray[np.uint8], width: float) -> Floats:
    """Let a region rise from 0 at its rim to 1 inside, smoothly at both ends.

    Args:
        covered: uint8 (h, w), not 0 inside. Where it reaches the array's edge the region is taken to go on.
        width: px from the rim to 1.

    Returns:
        Float32 (h, w) in [0, 1].
    """
    if not covered.size or covered.all():
        return covered.astype(np.float32).clip(0, 1)
    depth = cv2.distanceTransform(covered, cv2.DIST_L2, cv2.DIST_MASK_5)
    return rise(np.asarray(depth, np.float32), 0.0, max(width, 1.0))


def visibility(src: Landmarks, dst: Landmarks, triangles: Array) -> Floats:
    """Tell how well the source sees what each triangle needs: 0 edge-on or from behind, 1 as well as dst's camera.

    Args:
        src: with depth; without it everything counts as seen.
        dst: the same face points where they are painted.
        triangles: int (m, 3).

    Returns:
        Float32 (m,) in [0, 1], smooth over the mesh.
    """
    if src.depth is None or dst.depth is None:
        return np.ones(len(triangles), np.float32)
    here, there = (_cosines(mesh.points, depth, triangles) for mesh, depth in ((src, src.depth), (dst, dst.depth)))
    shown = rise(here, *_SEEN) * rise(here / np.maximum(there, _SEEN[1]), *_STRETCHED)
    return np.asarray(shown[triangles].mean(axis=1), np.float32)


def _cosines(flat: Array, depth: Array, triangles: Array) -> npt.NDArray[np.float64]:
    """Cosines between the skin at each point and the camera: float64 (468,), negative where it looks away."""
    points = np.column_stack([flat, depth])[:MESH_POINTS].astype(np.float64)
    corners = points[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # Summed unscaled around each point, so that slivers of closed eyes and lips hardly count.
    sums = np.zeros_like(points)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], normals)
    length = np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
    return np.asarray(sums[:, 2] / length * (np.sign(normals[:, 2].sum()) or 1.0))


def _missing(
    dst: Landmarks, src: Landmarks, contour: Sequence[int], least: tuple[float, float], ratios: tuple[float, float]
) -> float:
    """Tell how much an opening of dst lacks a counterpart in src: 0 to 1."""
    there, here = (_area(mesh, contour) for mesh in (dst, src))
    is_open = rise(np.asarray(there), *least)
    return float(is_open * (1 - rise(np.asarray(here / max(there, 1e-9)), *ratios)))


def _area(mesh: Landmarks, contour: Sequence[int]) -> float:
    """Area of a contour in parts of the face's bounding box; folded contours count as closed."""
    x, y = mesh.points[list(contour)].astype(np.float64).T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return area / max(float(np.ptp(mesh.points[:MESH_POINTS], axis=0).prod()), 1.0)


def _region(raster: Raster, contour: Array, blur: float) -> Floats:
    """Draw a contour's inside with a soft border: float32 (h, w) in [0, 1]."""
    drawn = np.zeros(raster.triangles.shape, np.float32)
    cv2.fillPoly(drawn, [np.rint(raster.local(contour) * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return _blur(drawn, blur)


def _blur(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_REPLICATE), np.float32)


def rise(value: Array, low: float, high: float) -> Floats:
    """Rise from 0 at ``low`` to 1 at ``high``, flat at both ends."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)
