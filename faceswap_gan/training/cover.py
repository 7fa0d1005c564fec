"""A lesson that covers all of the footage's face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces.skin import extend_skin

Bytes = NDArray[np.uint8]

_HALF, _SURE = 0.5, 0.9  # of the lesson's own soft rim: from here on it goes on, up to here it is kept as it is
_REACH = 32  # how far masks of parts reach over them, as a fraction of the side: 1 / 32
_LEAST = 0.05  # of the footage's face that the lesson must show
_SOON = 0.25  # of the footage's soft rim, from which it is gone over wholly: under it may lie the lesson's hair


def cover(picture: Bytes, masks: Bytes, trust: Bytes, *, brows: Bytes, face: Bytes) -> tuple[Bytes, Bytes, Bytes]:
    """Let a lesson's face go on where the footage's reaches beyond it: a wider cheek, a longer chin, a beard.

    What it goes on with are the colours at its own rim: skin, or a beard where the person painted has one.

    Args:
        picture: the lesson, RGB (S, S, 3).
        masks: its eyes, mouth and painted region, (S, S, 3), 255 = full weight.
        trust: how far each pixel of it is to be believed, (S, S).
        brows: its brows (S, S), whose colours, like those of eyes and lips, are not gone on with.
        face: painted region of the footage, (S, S).

    Returns:
        Picture, masks and trust, changed where the footage's face is and the lesson's is not; the same ones where
        the lesson shows nothing to go on with.
    """
    region, there = (each.astype(np.float32) / np.float32(255) for each in (masks[..., 2], face))
    sure = ((region - _HALF) / (_SURE - _HALF)).clip(0, 1)
    parts = np.maximum(masks[..., :2].max(axis=2), brows).astype(np.float32) / np.float32(255)
    known = sure * (1 - parts) * (trust.astype(np.float32) / np.float32(255))
    if known.sum() < _LEAST * there.sum():
        return picture, masks, trust
    around = extend_skin(picture, known)
    # A brow's tail at the rim stays: the part itself, as its mask reaches over it, to where hair may be.
    reach = len(picture) // _REACH
    tight = cv2.erode(parts, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    beyond = (1 - sure) * (1 - tight * (region > 0))
    replaced = (there / np.float32(_SOON)).clip(0, 1) * beyond
    covered = picture + replaced[..., None] * (around - picture)
    believed = np.rint(255 * there * beyond).astype(np.uint8)
    return (
        np.rint(covered).clip(0, 255).astype(np.uint8),
        np.dstack([masks[..., :2], np.maximum(masks[..., 2], face)]),
        np.maximum(trust, believed),
    )
