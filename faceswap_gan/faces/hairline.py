"""Where hair lies over the rim of a face mesh, darker than the skin: at temples and forehead, and as a beard."""

from __future__ import annotations

from dataclasses import dataclass

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
_LOW_BARE = (0.9, 1.2)  # the same of who has no beard: strands beside the mouth are hair, too
_CHIN, _LEAST_CHIN = 1.25, 0.01  # the same way, from which the rim is the chin's; the least of it, in squared widths
# Of a beard: the same way, from which it is looked for; how dark it is on the whole; how far around is looked at.
_BEARDED, _MOSTLY, _BESIDE = (0.05, 0.3), (0.3, 0.7), 0.04


def bare_skin(image: npt.NDArray[np.uint8], mesh: Landmarks, *, bearded: bool = False) -> Floats:
    """Tell the skin of a face from hair over its rim.

    Only what is darker than the skin is taken for hair, down to the mouth; not so far of who has a beard, which is
    the person's face. Fair hair passes as skin.

    Args:
        image: RGB uint8 (h, w, 3).
        mesh: the face in it.
        bearded: whether the person has a beard, see `measure_beard`.

    Returns:
        float32 (h, w): 1 on skin, 0 on hair, soft between; 1 outside the mesh's rim, too, where nothing is known.
    """
    rim = _look_at_rim(image, mesh)
    if rim is None:
        return np.ones(image.shape[:2], np.float32)
    width, points = rim.width, mesh.points
    kept = fill_hulls([points[list(part)] for part in (LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE)], image.shape)
    kept = cv2.dilate((kept > 0).astype(np.float32), _disc(_KEPT * width))
    away = 1 - cv2.GaussianBlur(kept, (0, 0), max(0.02 * width, 0.5))
    hair = rim.dark * away * (1 - rise(rim.depth, *_RIM))
    hair = hair * (1 - rise(rim.down, *(_LOW if bearded else _LOW_BARE)))
    hair = cv2.dilate(hair, _disc(_GROWN * width))
    return np.asarray(1 - cv2.GaussianBlur(hair, (0, 0), max(_SOFT * width, 0.5)), np.float32).clip(0, 1)


def find_beard(image: npt.NDArray[np.uint8], mesh: Landmarks) -> Floats:
    """Find the beard along a jaw, up to the mesh's rim: what reaches beyond it draws the jaw's outline.

    Args:
        image: RGB uint8 (h, w, 3).
        mesh: the face in it, of a person who has a beard, see `measure_beard`.

    Returns:
        float32 (h, w): 1 where there is a beard, 0 where there is none, soft between; below the eyes whatever is as
        dark passes for it, an open mouth, too.
    """
    rim = _look_at_rim(image, mesh)
    if rim is None:
        return np.zeros(image.shape[:2], np.float32)
    sums = [cv2.GaussianBlur(each, (0, 0), max(_BESIDE * rim.width, 0.5)) for each in (rim.dark, rim.inside)]
    beard = rise(sums[0] / np.maximum(sums[1], 1e-3), *_MOSTLY) * rise(rim.down, *_BEARDED)
    beard = cv2.dilate(beard, _disc(_GROWN * rim.width)) * rim.inside
    return np.asarray(cv2.GaussianBlur(beard, (0, 0), max(_SOFT * rim.width, 0.5)), np.float32).clip(0, 1)


def measure_beard(image: npt.NDArray[np.uint8], mesh: Landmarks) -> float | None:
    """Measure how much darker than the skin a chin is: hair over the cheeks is no beard.

    One picture can be wrong, in a shadow: ask for a person's median.

    Args:
        image: RGB uint8 (h, w, 3).
        mesh: the face in it.

    Returns:
        From 0, like the skin, to 1, like hair; None in the dark, and where the chin is not in the picture.
    """
    rim = _look_at_rim(image, mesh)
    if rim is None:
        return None
    chin = rim.inside * (rim.depth < _RIM[1]) * (rim.down > _CHIN)
    enough = float(chin.sum()) >= _LEAST_CHIN * rim.width**2
    return float((rim.dark * chin).sum() / chin.sum()) if enough else None


@dataclass(frozen=True)
class _Rim:
    """What a face shows, each float32 (h, w) but for its width."""

    width: float
    """Of the face, px."""
    inside: Floats
    """1 in the mesh, 0 outside."""
    depth: Floats
    """Distance from its rim inwards, in widths of the face."""
    dark: Floats
    """How much darker than the skin: 0 like it, 1 like hair; inside only."""
    down: Floats
    """Way down from the eyes (0) to the mouth (1)."""


def _look_at_rim(image: npt.NDArray[np.uint8], mesh: Landmarks) -> _Rim | None:
    """Measure a face; None where it is too dark to tell skin from hair."""
    width = face_width(mesh.points)
    hull = fill_hulls([mesh.points[:MESH_POINTS]], image.shape)
    inside = (hull > 0).astype(np.float32)
    depth = np.asarray(cv2.distanceTransform(hull, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32) / np.float32(width)
    lightness, skin = _even_lightness(image, inside, max(0.01 * width, 0.5)), depth > _INNER
    usual = float(np.median(lightness[skin])) if skin.any() else 0.0
    if usual < _BLACK:
        return None
    dark = inside * (1 - rise(lightness / usual, *_DARK))
    return _Rim(width, inside, depth, dark, _way_down(mesh, image.shape))


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
