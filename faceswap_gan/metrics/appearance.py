"""How the painted face looks in its surroundings: colour, sharpness, its edge, and what changed outside.

The face's region is the oval of the footage's face mesh. A finished video does not say what its tool painted, so
the region is the same for every method and says nothing about any tool's mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.floating]

RINGS = (-0.3, -0.15, 0.0, 0.15, 0.3)
"""Where edges are looked for: distance inside the oval, in parts of the eyes' span; below 0 outside."""
OUTSIDE = 0.5
"""What lies farther outside the oval than this, in parts of the eyes' span, should not have changed."""

_RING_WIDTH = 0.06  # of the oval's width: 3 per cent to either side
_LUMA = np.asarray([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True)
class Look:
    """Colour, sharpness and edges of one crop.

    Attributes:
        colour: mean CIELAB colour inside the oval, float64 (3,).
        sharpness: mean size of the Laplacian of luma inside the oval, grey levels.
        edges: per ring, mean change of luma across it, grey levels per px, float64 (len(RINGS),).
    """

    colour: NDArray[np.float64]
    sharpness: float
    edges: NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """Where in a crop the face is.

    Attributes:
        inside: bool (S, S), the oval.
        rings: bool (len(RINGS), S, S).
        across: float32 (S, S, 2), unit vectors that point into the oval.
    """

    inside: NDArray[np.bool_]
    rings: NDArray[np.bool_]
    across: NDArray[np.float32]


def find_region(oval: Floats, span: float, size: int) -> Region:
    """Find the face in a crop.

    Args:
        oval: outline of the face, (k, 2) crop px.
        span: between the outer corners of the eyes, crop px.
        size: side of the crop, px.
    """
    filled = np.zeros((size, size), np.uint8)
    cv2.fillPoly(filled, [np.rint(oval).astype(np.int32)], 1)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5)
    half = _RING_WIDTH / 2 * float(np.ptp(oval[:, 0]))
    rings = np.stack([np.abs(depth - ring * span) <= half for ring in RINGS])
    smooth = cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 2.0)
    across = _gradient(smooth)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    return Region(filled.astype(np.bool_), rings, across)


def look_at(crop: Image, region: Region) -> Look:
    """Measure a crop.

    Args:
        crop: RGB uint8 (S, S, 3).
        region: of the face in it.

    References:
        Laplacian as a measure of sharpness: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy"
        (2000), there its variance. CIELAB: CIE 015:2004, D65.
    """
    luma = crop.astype(np.float32) @ _LUMA
    step = np.abs(np.sum(_gradient(luma) * region.across, axis=-1))
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    colour = lab[region.inside].mean(axis=0, dtype=np.float64) if region.inside.any() else np.full(3, np.nan)
    sharpness = _mean(np.abs(cv2.Laplacian(luma, cv2.CV_32F)), region.inside)
    edges = np.asarray([_mean(step, ring) for ring in region.rings])
    return Look(np.asarray(colour, np.float64), sharpness, edges)


def colour_distance(colours: Floats, wanted: Floats) -> NDArray[np.float64]:
    """Distance between the mean colours of two faces.

    Args:
        colours: CIELAB, (n, 3).
        wanted: CIELAB, (n, 3).

    Returns:
        float64 (n,); 2.3 is just noticeable side by side (Mahy et al., 1994).

    References:
        CIE 1976 colour difference, CIE 015:2004, eq. 8.21.
    """
    return np.asarray(np.linalg.norm(np.asarray(colours, np.float64) - wanted, axis=1))


def change_outside(image: Image, footage: Image, oval: Floats, span: float) -> float:
    """Mean change of the picture outside the face, which a swap should leave alone.

    Args:
        image: swapped frame, RGB uint8 (H, W, 3).
        footage: the frame before.
        oval: outline of the footage's face, (k, 2) frame px; `OUTSIDE` further out begins what is judged.
        span: between the outer corners of the eyes, frame px.

    Returns:
        Mean absolute difference, grey levels of 255; a second encoding alone gives about 1. NaN where the face
        fills the picture.
    """
    outside = np.full(image.shape[:2], 255, np.uint8)
    outline = [np.rint(oval).astype(np.int32)]
    cv2.fillPoly(outside, outline, 0)
    cv2.polylines(outside, outline, True, 0, thickness=max(1, round(2 * OUTSIDE * span)))
    if not outside.any():
        return float("nan")
    return float(np.mean(cv2.mean(cv2.absdiff(image, footage), mask=outside)[:3]))


def _gradient(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Central differences, float32 (H, W, 2), per px to the right and down."""
    return np.stack([cv2.Scharr(plane, cv2.CV_32F, *axis, scale=1 / 32) for axis in ((1, 0), (0, 1))], axis=-1)


def _mean(values: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    return float(values[where].mean(dtype=np.float64)) if where.any() else float("nan")
