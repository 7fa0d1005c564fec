"""Colour tags of a video, and its pixels to RGB and back without a shift in colour."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import reduce
from operator import or_

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

log = logging.getLogger(__name__)

RGB_MATRIX, BT709, UNSPECIFIED = 0, 1, 2
# ITU-T H.273 table 4 matrix codes to swscale's coefficient tables; anything absent, "unspecified" included,
# is read and written as BT.601, swscale's own default, so an untagged video keeps its colours.
_COEFFICIENTS = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
# Kr and Kb of the same codes.
_LUMA = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
_LUMA_601 = (0.299, 0.114)
_EXACT = int(
    reduce(
        or_,
        (
            Interpolation.BICUBIC,
            Interpolation.FULL_CHR_H_INT,
            Interpolation.FULL_CHR_H_INP,
            Interpolation.ACCURATE_RND,
        ),
    )
)


@dataclass(frozen=True)
class ColorTags:
    """How a video's numbers mean colours, as ITU-T H.273 codes (2 = unspecified)."""

    matrix: int = BT709
    primaries: int = BT709
    transfer: int = BT709
    full_range: bool = False


def read_tags(frame: av.VideoFrame) -> ColorTags:
    """Read the colour tags a YUV encode of this frame should carry; RGB frames become BT.709, limited."""
    if _is_rgb(frame.format.name):
        return ColorTags(BT709, int(frame.color_primaries), int(frame.color_trc), False)
    matrix = UNSPECIFIED if frame.colorspace == RGB_MATRIX else int(frame.colorspace)
    return ColorTags(matrix, int(frame.color_primaries), int(frame.color_trc), _is_full(frame))


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Convert a decoded frame as stored (not turned) to RGB uint8 (H, W, 3) by its own matrix and range."""
    return np.asarray(
        frame.to_ndarray(
            format="rgb24",
            src_colorspace=_coefficients(int(frame.colorspace)),
            src_color_range=ColorRange.JPEG if _is_full(frame) else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT,
        ),
        dtype=np.uint8,
    )


def from_rgb(image: NDArray[np.uint8], pix_fmt: str, tags: ColorTags) -> av.VideoFrame:
    """Convert RGB to a YUV frame by the matrix and range the tags name.

    Done here, not by swscale: that cuts full-range chroma off half a level too low, a visible tint, and puts
    4:2:0 chroma between two columns, where H.264 decoders expect it on the left one.

    Args:
        image: uint8 (H, W, 3); both sides even for ``yuv420p``.
        pix_fmt: ``yuv420p`` or ``yuv444p``.
        tags: what the frame shall carry.

    References:
        ITU-T H.273 (2021), eqs. 29-31 and 38-49; chroma place: ITU-T H.264 (2021), figure E-1, type 0.
    """
    luma, chroma = _weights(tags)
    planes = [cv2.transform(image, luma)]
    coarse = image if pix_fmt == "yuv444p" else _halve(image)
    planes += cv2.split(cv2.transform(np.asarray(coarse, dtype=np.float32), chroma))
    levels = [np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes]
    if pix_fmt == "yuv444p":
        flat = np.stack(levels)
    else:
        flat = np.concatenate([plane.ravel() for plane in levels]).reshape(-1, image.shape[1])
    frame = av.VideoFrame.from_ndarray(flat, format=pix_fmt)
    frame.color_range = ColorRange.JPEG if tags.full_range else ColorRange.MPEG
    frame.colorspace = tags.matrix
    frame.color_primaries = tags.primaries
    frame.color_trc = tags.transfer
    return frame


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Read the signs (a, b, c, d) of the display matrix x' = a·x + c·y, y' = b·x + d·y; (1, 0, 0, 1) if none.

    References:
        ISO/IEC 14496-12, 8.3.2 track header box.
    """
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(data), dtype="=i4")[:5].astype(np.int64)
            upright = abs(a) + abs(d) >= abs(b) + abs(c)
            if min(abs(a) + abs(d), abs(b) + abs(c)) > 2**10:
                log.warning("the display matrix turns by no multiple of 90 degrees; the nearest one is taken")
            if upright:
                return (-1 if a < 0 else 1, 0, 0, -1 if d < 0 else 1)
            return (0, -1 if b < 0 else 1, -1 if c < 0 else 1, 0)
    return (1, 0, 0, 1)


def turn_upright(image: NDArray[np.uint8], matrix: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Apply a display matrix's turns and flips to an (H, W, ...) array.

    Args:
        image: picture as stored.
        matrix: the signs that `display_matrix` gives.
    """
    a, b, c, d = matrix
    turned = image if a else np.swapaxes(image, 0, 1)
    if (a or c) < 0:
        turned = turned[:, ::-1]
    if (d or b) < 0:
        turned = turned[::-1]
    return np.ascontiguousarray(turned)


def _weights(tags: ColorTags) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows that make luma, (1, 4), and both chroma planes, (2, 4), from (red, green, blue, 1)."""
    kr, kb = _LUMA.get(tags.matrix, _LUMA_601)
    kg = 1 - kr - kb
    y_scale, c_scale, black = (1.0, 1.0, 0) if tags.full_range else (219 / 255, 224 / 255, 16)
    luma = np.array([[kr * y_scale, kg * y_scale, kb * y_scale, black]])
    blue, red = 2 * (1 - kb), 2 * (1 - kr)
    rows = np.array([[-kr / blue, -kg / blue, 0.5], [0.5, -kg / red, -kb / red]])
    return luma, np.concatenate([rows * c_scale, np.full((2, 1), 128.0)], axis=1)


def _halve(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Halve a picture where left-sited chroma lies: mean of two rows, 1-2-1 around every other column."""
    rows = (image[::2].astype(np.uint16) + image[1::2]).astype(np.float32)
    before = np.concatenate([rows[:, :1], rows[:, 1:-1:2]], axis=1)
    return np.asarray((before + 2 * rows[:, ::2] + rows[:, 1::2]) / 8, dtype=np.float32)


def _coefficients(matrix: int) -> Colorspace:
    return _COEFFICIENTS.get(matrix, Colorspace.ITU601)


def _is_rgb(pix_fmt: str) -> bool:
    return pix_fmt.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2"))


def _is_full(frame: av.VideoFrame) -> bool:
    full = int(frame.color_range) == int(ColorRange.JPEG)
    return full or frame.format.name.startswith("yuvj") or _is_rgb(frame.format.name)
