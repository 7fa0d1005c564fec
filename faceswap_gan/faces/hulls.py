"""Soft masks of a face's parts: convex hulls of landmarks, widened and blurred by the face's own size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import topology as mesh
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.parts import face_mask

Mask = npt.NDArray[np.uint8]
PartName = Literal["eyes", "eyebrows", "nose", "mouth", "face"]

PARTS: tuple[PartName, ...] = get_args(PartName)
"""The parts that can be drawn."""

DILATE = 0.12
"""How far a mask reaches over its hull, in inter-ocular distances: lashes, the rim of the lips."""

BLUR = 0.05
"""Softness of a mask's edge, standard deviation in inter-ocular distances."""

# Hulls of each part, as indices of the mesh's points and of the 68 points (Multi-PIE, Gross et al., 2010).
_MESH: dict[str, tuple[tuple[int, ...], ...]] = {
    "eyes": (mesh.LEFT_EYE, mesh.RIGHT_EYE),
    "eyebrows": (mesh.LEFT_BROW, mesh.RIGHT_BROW),
    "nose": (mesh.NOSE,),
    "mouth": (mesh.LIPS_OUTER,),
    "face": (mesh.FACE_OVAL,),
}
_FAN: dict[str, tuple[tuple[int, ...], ...]] = {
    "eyes": (tuple(range(36, 42)), tuple(range(42, 48))),
    "eyebrows": (tuple(range(17, 22)), tuple(range(22, 27))),
    "nose": (tuple(range(27, 36)),),
    "mouth": (tuple(range(48, 68)),),
    "face": (tuple(range(27)),),
}
_FOREHEAD = 0.5  # how far the forehead reaches over the 68 points' brows, in inter-ocular distances
# Ellipses around the five points: centre (right, down) of the part's own point, half width, half height, all in
# inter-ocular distances.
_EYE, _BROW, _MOUTH = (0.0, 0.0, 0.22, 0.09), (0.0, -0.33, 0.3, 0.05), (0.0, 0.0, 0.42, 0.22)
# The nose's outline: part of the way from the eyes' middle to its tip, and width in inter-ocular distances.
_NOSE = ((0.1, 0.08), (0.7, 0.28), (1.0, 0.4), (1.2, 0.28))
_MOST_DILATE, _MOST_BLUR = 5.0, 2.0  # inter-ocular distances
_STEPS = 48  # corners of a drawn ellipse
_SHIFT = 4  # bits of a pixel's fraction that OpenCV draws with


def part_mask(part: PartName, landmarks: Landmarks, size: int, *, dilate: float = DILATE, blur: float = BLUR) -> Mask:
    """Draw one part of a face.

    Args:
        part: one of `PARTS`; two eyes or brows are one part.
        landmarks: 5, 68 or 478 points in px of the picture to draw (`Landmarks.moved`).
        size: side of that picture, px.
        dilate: how far the mask reaches over the hull, in inter-ocular distances; negative shrinks it.
        blur: standard deviation of the blurred edge, in inter-ocular distances; 0 leaves it hard.

    Returns:
        uint8 (size, size): 255 within the part, falling to 0; black where the part lies outside.

    Raises:
        SettingsError: the part is unknown, an edge is out of its range, or the points are not 5, 68 or 478.
    """
    if part not in PARTS:
        raise SettingsError(f"part must be one of {', '.join(PARTS)}. Received: {part!r}.")
    check_edge(dilate, blur)
    unit = landmarks.unit
    region = _region(part, landmarks, size)
    if not region.any():
        return region
    inside = cv2.distanceTransform(region, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(255 - region, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Distance to the hull's rim. OpenCV fills every pixel that it touches: the rim runs through the outermost.
    rim = np.where(region > 0, 1 - inside, outside)
    mask = np.clip(dilate * unit + 0.5 - rim, 0, 1)
    if blur * unit > 0.1:
        mask = cv2.GaussianBlur(mask, (0, 0), blur * unit, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.rint(mask * 255), np.uint8)


def check_edge(dilate: float, blur: float) -> None:
    """Check how a mask's edge is to lie.

    Args:
        dilate: as `part_mask`; the limit is far beyond a face.
        blur: the same.

    Raises:
        SettingsError: ``dilate`` is outside [-5, 5] or ``blur`` outside [0, 2], or one is no number.
    """
    if not -_MOST_DILATE <= dilate <= _MOST_DILATE:
        raise SettingsError(f"dilate must lie between -{_MOST_DILATE:g} and {_MOST_DILATE:g}. Received: {dilate}.")
    if not 0 <= blur <= _MOST_BLUR:
        raise SettingsError(f"blur must lie between 0 and {_MOST_BLUR:g}. Received: {blur}.")


def _region(part: PartName, landmarks: Landmarks, size: int) -> Mask:
    """Fill the hulls of a part, uint8 (size, size), 0 or 255."""
    points = landmarks.points.astype(np.float64)
    if len(points) == 5 and part == "face":
        return np.where(face_mask(points, size) > 127, np.uint8(255), np.uint8(0))
    if len(points) == 5:
        hulls = _five_point_hulls(part, points, landmarks.unit)
    else:
        table = _MESH if len(points) == mesh.POINTS else _FAN
        hulls = [points[list(indices)] for indices in table[part]]
    if len(points) == 68 and part == "face":
        hulls = [np.concatenate([hulls[0], _forehead(points, landmarks)])]
    return fill_hulls(hulls, (size, size))


def fill_hulls(sets: Iterable[npt.NDArray[np.floating[Any]]], shape: tuple[int, ...]) -> Mask:
    """Fill the convex hulls of sets of points.

    Args:
        sets: float (n, 2) px each.
        shape: of the picture, (h, w) or (h, w, c).

    Returns:
        uint8 (h, w): 255 in every pixel that a hull touches, else 0.
    """
    filled = np.zeros(shape[:2], np.uint8)
    for points in sets:
        corners = cv2.convexHull(points.astype(np.float32))
        cv2.fillConvexPoly(filled, np.rint(corners * 2**_SHIFT).astype(np.int32), 255, shift=_SHIFT)
    return filled


def _forehead(points: npt.NDArray[np.float64], landmarks: Landmarks) -> npt.NDArray[np.float64]:
    """Guess the hair line over the 68 points' brows: they stop there."""
    _, down = _axes(landmarks.five)
    return np.asarray(points[17:27] - _FOREHEAD * landmarks.unit * down)


def _five_point_hulls(part: PartName, points: npt.NDArray[np.float64], unit: float) -> list[npt.NDArray[np.float64]]:
    """Outline a part around the five points: ellipses, and for the nose a drop, along the face's axes."""
    axes = np.stack(_axes(points)) * unit
    if part == "nose":
        top, tip = points[:2].mean(axis=0), points[2]
        spine = [(top + along * (tip - top), width * axes[0] / 2) for along, width in _NOSE]
        return [np.asarray([centre + side * half for centre, half in spine for side in (-1, 1)])]
    centres = [points[3:].mean(axis=0)] if part == "mouth" else list(points[:2])
    x, y, width, height = {"eyes": _EYE, "eyebrows": _BROW, "mouth": _MOUTH}[part]
    turns = np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)
    rim = np.stack([x + width * np.cos(turns), y + height * np.sin(turns)], axis=1) @ axes
    return [centre + rim for centre in centres]


def _axes(five: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Unit vectors of a face: along its eyes to the right, and down square to it; float64 (2,) each."""
    along = np.asarray(five[1] - five[0], np.float64)
    along = along / max(float(np.hypot(*along)), 1e-6)
    return along, np.asarray([-along[1], along[0]])
