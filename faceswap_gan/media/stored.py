"""A picture as its video stores it, so that what a swap leaves alone is written back bit for bit."""

from __future__ import annotations

from functools import cached_property, reduce
from operator import or_
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.pixels import (
    UPRIGHT,
    ColorTags,
    Matrix,
    rgb_samples,
    tag_frame,
    to_rgb,
    turn_back,
    turn_upright,
)
from faceswap_gan.media.planes import Planar, Samples, as_planar, copy_picture, new_picture, planes_of, read_planar


class StoredPicture:
    """The decoded samples of a frame, not turned and not converted; as big as the frame itself.

    Args:
        frame: as decoded.
        matrix: display matrix that makes it upright.
    """

    def __init__(self, frame: av.VideoFrame, matrix: Matrix = UPRIGHT) -> None:
        self._frame, self._matrix = frame, matrix
        self.planar = read_planar(frame.format.name)

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """Upright RGB, uint8 (H, W, 3), read-only: who changes a picture changes a copy."""
        return self._upright(deep=False)

    @cached_property
    def deep(self) -> NDArray[np.uint16] | None:
        """Upright RGB, uint16 (H, W, 3) with white at 65535, read-only; None for 8-bit samples."""
        return self._upright(deep=True) if self.planar.depth > 8 else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, px."""
        return self._frame.width, self._frame.height

    def copy_as(self, planar: Planar) -> av.VideoFrame:
        """Copy the samples, bit for bit, into a fresh picture of a format that holds them; grey fits YUV."""
        if self.planar.kind == planar.kind:
            return copy_picture(as_planar(self._frame, planar), planar)
        # swscale takes every grey for full range and would squeeze what is not
        grey = Planar("gray", planar.depth)
        picture = new_picture(*self.size, planar)
        luma, *chroma = planes_of(picture, planar)
        luma[:] = planes_of(as_planar(self._frame, grey), grey)[0]
        for plane in chroma:
            plane[:] = 1 << (planar.depth - 1)
        return picture

    def _upright(self, *, deep: bool) -> NDArray[Any]:
        image = turn_upright(to_rgb(self._frame, deep=deep), self._matrix)
        image.flags.writeable = False
        return image


def paint_picture(
    image: NDArray[Any],
    planar: Planar,
    tags: ColorTags,
    *,
    matrix: Matrix = UPRIGHT,
    stored: StoredPicture | None = None,
    mask: NDArray[np.uint8] | None = None,
) -> av.VideoFrame:
    """Make the picture to encode: stored samples where nothing changed, converted ones where something did.

    Args:
        image: what shall be shown, upright RGB uint8 or uint16 (H, W, 3).
        planar: format to encode.
        tags: colours of that format.
        matrix: display matrix of the output, whose pictures lie as the source stores them.
        stored: the source's samples; without them, or where they are RGB and the output is not, all is converted.
        mask: uint8 (H, W), above 0 where the image differs from the source; None converts all.

    Returns:
        The picture; a chroma sample is converted if any of the pixels that share it is marked.
    """
    turned = turn_back(image, matrix)
    if stored is None or mask is None or (stored.planar.kind == "rgb") != (planar.kind == "rgb"):
        picture = new_picture(turned.shape[1], turned.shape[0], planar)
        _write(planes_of(picture, planar), rgb_samples(turned, planar, tags))
    else:
        picture = stored.copy_as(planar)
        marked = np.asarray(turn_back(mask, matrix) > 0)
        if marked.any():
            _paint(picture, planar, tags, turned, marked)
    tag_frame(picture, tags)
    return picture


def _paint(
    picture: av.VideoFrame, planar: Planar, tags: ColorTags, image: NDArray[Any], marked: NDArray[np.bool_]
) -> None:
    """Convert the marked pixels of a picture, and only the box around them."""
    block = 1 << planar.shift[0], 1 << planar.shift[1]
    left, top, width, height = cv2.boundingRect(marked.view(np.uint8))
    columns, rows = _span(left, width, marked.shape[1], block[0]), _span(top, height, marked.shape[0], block[1])
    box = slice(*rows), slice(*columns)
    fresh = rgb_samples(np.ascontiguousarray(image[box]), planar, tags)
    inside = marked[box]
    for plane, samples in zip(planes_of(picture, planar), fresh, strict=True):
        across, down = (1, 1) if samples.shape == inside.shape else block
        top, left = box[0].start // down, box[1].start // across
        part = plane[top : top + samples.shape[0], left : left + samples.shape[1]]
        part[:] = cv2.copyTo(samples, _shared(inside, across, down).view(np.uint8), np.ascontiguousarray(part))


def _span(first: int, count: int, size: int, block: int) -> tuple[int, int]:
    """Columns or rows to convert, a block more on either side: chroma there is mixed with its neighbours'."""
    return max(0, (first // block - 1) * block), min(size, ((first + count - 1) // block + 2) * block)


def _shared(marked: NDArray[np.bool_], across: int, down: int) -> NDArray[np.bool_]:
    """Mark the samples that any marked pixel shares."""
    if (across, down) == (1, 1):
        return marked
    height, width = marked.shape
    padded = np.pad(marked, ((0, -height % down), (0, -width % across)))
    rows = reduce(or_, (padded[i::down] for i in range(down)))
    return np.asarray(reduce(or_, (rows[:, i::across] for i in range(across))))


def _write(planes: list[Samples], samples: list[Samples]) -> None:
    for plane, fresh in zip(planes, samples, strict=True):
        plane[:] = fresh
