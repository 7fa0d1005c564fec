"""Where hair reaches into a face mesh: at temples and forehead, darker than the skin."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.hulls import fill_hulls
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.mesh_mask import face_width, rise
from faceswap_gan.faces.topology import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_EYE_CORNERS,
    LIPS_OUTER,
    MESH_POINTS,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_EYE_CORNERS,
)

Floats = npt.NDArray[np.float32]

# In widths of the face: rim in which hair is looked for (all of it, none); reach around eyes and brows, whose own
# dark is no hair; growth of what is found; blur.
_RIM = (0.05, 0.1)
_KEPT, _GROWN, _SOFT = 0.04, 0.02, 0.015
_INNER = 0.15  # from here inwards the face is mostly skin
_BLACK = 3.0  # lightness of a face in the dark, in which nothing is told apart
_DARK = (0.55, 0.8)  # lightness in parts of the skin's: hair, skin
_LOW = (0.4, 0.9)  # way from the eyes down to the mouth, beyond which what is dark is a beard


def bare_skin(image: npt.NDArray[np.uint8], mesh: Landmarks) -> Floats:
    """Tell the skin of a face from hair over its rim.

    Only what is darker than the skin is taken for hair, and only above the mouth: a beard is the person's face. Fair
    hair passes as skin.

    Args:
        image: RGB uint8 (h, w, 3).
        mesh: the face in it.

    Returns:
        float32 (h, w): 1 on skin, 0 on hair, soft between; 1 outside the mesh's rim, too, where nothing is known.
    """
    width, points = face_width(mesh.points), mesh.points[:MESH_POINTS]
    hull = fill_hulls([points], image.shape)
    depth = np.asarray(cv2.distanceTransform(hull, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32) / np.float32(width)
    inside = (hull > 0).astype(np.float32)
    lightness = _even_lightness(image, inside, max(0.01 * width, 0.5))
    usual = float(np.median(lightness[depth > _INNER])) if (depth > _INNER).any() else 0.0
    if usual < _BLACK:
        return np.ones(image.shape[:2], np.float32)
    dark = 1 - rise(lightness / usual, *_DARK)
    kept = fill_hulls([points[list(part)] for part in (LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE)], image.shape)
    kept = cv2.dilate((kept > 0).astype(np.float32), _disc(_KEPT * width))
    away = 1 - cv2.GaussianBlur(kept, (0, 0), max(0.02 * width, 0.5))
    hair = dark * inside * away * (1 - rise(depth, *_RIM)) * (1 - rise(_way_down(mesh, image.shape), *_LOW))
    hair = cv2.dilate(hair, _disc(_GROWN * width))
    return np.asarray(1 - cv2.GaussianBlur(hair, (0, 0), max(_SOFT * width, 0.5)), np.float32).clip(0, 1)


def _even_lightness(image: npt.NDArray[np.uint8], inside: Floats, sigma: float) -> Floats:
    """Blur the lightness of what is inside, (h, w) in [0, 100], without what is around it."""
    lightness = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)[..., 0]
    sums = [cv2.GaussianBlur(each, (0, 0), sigma) for each in (lightness * inside, inside)]
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-3), np.float32)


def _way_down(mesh: Landmarks, shape: tuple[int, ...]) -> Floats:
    """How far down from the eyes (0) to the mouth (1) each pixel lies, float32 (h, w)."""
    corners = (*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS)
    eyes, mouth = (mesh.points[list(part)].mean(axis=0).astype(np.float64) for part in (corners, LIPS_OUTER))
    down = (mouth - eyes) / max(float((mouth - eyes) @ (mouth - eyes)), 1e-6)
    columns, rows = np.arange(shape[1]) - eyes[0], np.arange(shape[0])[:, None] - eyes[1]
    return np.asarray(columns * down[0] + rows * down[1], np.float32)


def _disc(radius: float) -> npt.NDArray[np.uint8]:
    side = 2 * int(radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
