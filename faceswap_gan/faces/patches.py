"""Squares of frames to patches of few pixels, and networks that look at these."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces import mtcnn

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.floating[Any]]

# Patches a call of R-Net and of O-Net, by their side: few lengths, so that little is compiled.
_BATCHES = {24: (64,), 48: (8, 16, 40)}

_CUTTERS = 2  # threads that cut patches


def infer_patches(
    model: Any, images: Sequence[Image], frame: npt.NDArray[np.intp], squares: FloatArray, side: int
) -> list[npt.NDArray[np.float32]]:
    """Cut squares from frames and run a network on them.

    Args:
        model: from `mtcnn.load_network`.
        images: RGB uint8 (H, W, 3) each.
        frame: which of them each square is of, (n,).
        squares: whole numbers, xyxy px (n, 4); may reach over the frame's edge, where it is grey.
        side: of the patches the network takes, px.

    Returns:
        The network's outputs, float32 (n, ...).
    """
    return infer(model, _cut(images, frame, squares, side))


def infer(model: Any, patches: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    """Run a network on patches, uint8 (n, side, side, 3), in batches of few lengths."""
    lengths = _BATCHES[patches.shape[1]]
    parts = []
    for start in range(0, len(patches), lengths[-1]):
        chunk = patches[start : start + lengths[-1]]
        padded = np.zeros((next(b for b in lengths if b >= len(chunk)), *patches.shape[1:]), np.uint8)
        padded[: len(chunk)] = chunk
        parts.append([output[: len(chunk)] for output in mtcnn.infer(model, padded)])
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def view_squares(image: Image, squares: FloatArray, side: int) -> npt.NDArray[np.uint8]:
    """Cut squares of about one size from a frame, exactly where they lie.

    The frame is shrunk by whole blocks of pixels, once for all, and what is left of the way to a patch is
    interpolated: that takes a third of the time of averaging every square, and none is moved to whole pixels.

    Args:
        image: RGB uint8 (H, W, 3).
        squares: xyxy px (n, 4), of any fractions; may reach over the frame's edge, where it is grey.
        side: of the patches, px.

    Returns:
        uint8 (n, side, side, 3).
    """
    narrowest = float(np.min(squares[:, 2] - squares[:, 0]))
    step = max(1, min(int(narrowest / side), *image.shape[:2]))
    small = _shrink(image, step)
    patches = np.empty((len(squares), side, side, 3), np.uint8)
    for patch, (x1, y1, x2, y2) in zip(patches, squares / step, strict=True):
        across, down = (x2 - x1) / side, (y2 - y1) / side
        # Pixel centres: x1 + (i + 0.5) * across - 0.5
        matrix = np.asarray([[across, 0, x1 + across / 2 - 0.5], [0, down, y1 + down / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(small, matrix, (side, side), patch, flags, cv2.BORDER_CONSTANT, (128, 128, 128))
    return patches


def _cut(
    images: Sequence[Image], frame: npt.NDArray[np.intp], squares: FloatArray, side: int
) -> npt.NDArray[np.uint8]:
    """Cut squares from frames, uint8 (n, side, side, 3); resizing lets other threads run."""
    patches = np.empty((len(squares), side, side, 3), np.uint8)

    def cut(first: int) -> None:
        for i in range(first, len(squares), _CUTTERS):
            patches[i] = _patch(images[frame[i]], squares[i], side)

    with ThreadPoolExecutor(_CUTTERS, thread_name_prefix="patches") as pool:
        list(pool.map(cut, range(_CUTTERS)))
    return patches


def _patch(image: Image, box: FloatArray, side: int) -> Image:
    """Cut a square of whole pixels, grey outside the frame, and resize it to (side, side, 3)."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (int(v) for v in box)
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    inner = image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    if inner.shape[:2] != (y2 - y1, x2 - x1):
        padded = np.full((y2 - y1, x2 - x1, 3), 128, np.uint8)
        top, left = max(-y1, 0), max(-x1, 0)
        padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        inner = padded
    method = cv2.INTER_AREA if x2 - x1 > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(inner, (side, side), interpolation=method), np.uint8)


def _shrink(image: Image, step: int) -> Image:
    """Make one pixel of every block of ``step`` x ``step``; what is left over at the right and below is cut off."""
    if step == 1:
        return image
    height, width = image.shape[0] // step, image.shape[1] // step
    whole = image[: height * step, : width * step]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
