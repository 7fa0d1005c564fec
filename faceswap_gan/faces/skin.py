"""The skin of a face: which pixels show it, and how it goes on where another face is larger."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.mesh_mask import rise

Floats = npt.NDArray[np.float32]

_SKIN = (0.38, 0.55)  # lightness in parts of the skin's: hair, skin in shadow
_RANK = 0.7  # from this rank on a pixel's lightness tells the skin's
_EVEN = 0.02  # sides of the picture over which lightness is averaged: pores and noise are skin
_ENOUGH = 0.25  # part of a pixel of the pyramid that must be known for its colour to be taken wholly


def tell_skin(image: npt.NDArray[np.uint8] | Floats, weight: Floats) -> Floats:
    """Tell skin from brows, lashes, beard and hair, which are darker than most of a face.

    Args:
        image: RGB (h, w, 3) in [0, 255].
        weight: where the face is, (h, w) in [0, 1].

    Returns:
        How much each pixel shows skin, float32 (h, w) in [0, 1]; fair hair passes.
    """
    even = cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), _EVEN * max(weight.shape))
    lightness = cv2.cvtColor(even / np.float32(255), cv2.COLOR_RGB2Lab)[..., 0]
    face = lightness[weight > 0.5]
    if not face.size:
        return np.ones(weight.shape, np.float32)
    rank = int(_RANK * (face.size - 1))
    usual = max(float(np.partition(face, rank)[rank:].mean()), 1.0)  # a mean, so that it never jumps to the hair's
    # Eroded, as what lies beside hair in an even picture is half hair.
    darkest = cv2.erode(lightness, np.ones((3, 3), np.uint8))
    return rise(darkest / usual, *_SKIN)


def extend_skin(picture: npt.NDArray[np.uint8], known: Floats) -> Floats:
    """Continue a face in all directions: smoothly, in the colours that are nearest.

    Args:
        picture: RGB uint8 (h, w, 3).
        known: how far each pixel counts, float32 (h, w) in [0, 1].

    Returns:
        Means of what is known nearby, float32 (h, w, 3); the picture where nothing is known at all.

    References:
        Gortler, Grzeszczuk, Szeliski and Cohen, "The lumigraph", SIGGRAPH (1996), section 3.4: pull-push.
    """
    if not known.any():
        return picture.astype(np.float32)
    levels = [np.dstack([picture * known[..., None], known]).astype(np.float32)]
    while min(levels[-1].shape[:2]) > 2:
        levels.append(np.asarray(cv2.pyrDown(levels[-1], borderType=cv2.BORDER_REFLECT_101), np.float32))
    total = levels[0].sum(axis=(0, 1))
    extended = np.full((*levels[-1].shape[:2], 3), total[:3] / total[3], np.float32)
    for level in reversed(levels):
        height, width = level.shape[:2]
        if extended.shape[:2] != (height, width):
            extended = np.asarray(cv2.pyrUp(extended, dstsize=(width, height)), np.float32)
        share = np.minimum(level[..., 3:] / _ENOUGH, 1)
        extended = extended + share * (level[..., :3] / np.maximum(level[..., 3:], 1e-6) - extended)
    return extended
