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
# Kr and Kb of the same codes, for full range.
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
    """Convert RGB uint8 (H, W, 3) to a YUV frame by the matrix and range the tags name."""
    frame = (
        _full_range(image, pix_fmt, tags.matrix) if tags.full_range else _limited(image, pix_fmt, tags.matrix)
    )
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


def _limited(image: NDArray[np.uint8], pix_fmt: str, matrix: int) -> av.VideoFrame:
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return rgb.reformat(
        format=pix_fmt,
        dst_colorspace=_coefficients(matrix),
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_EXACT,
    )


def _full_range(image: NDArray[np.uint8], pix_fmt: str, matrix: int) -> av.VideoFrame:
    """Convert without swscale, whose full-range chroma is truncated: half a level too low, a visible tint.

    References:
        ITU-T H.273 (2021), eqs. 38-40 and 47-49; chroma is left-sited as in H.264 Annex E.
    """
    kr, kb = _LUMA.get(matrix, _LUMA_601)
    kg = 1 - kr - kb
    blue, red = 2 * (1 - kb), 2 * (1 - kr)
    weights = np.array(
        [
            [kr, kg, kb, 0],
            [-kr / blue, -kg / blue, 0.5, 128],
            [0.5, -kg / red, -kb / red, 128],
        ]
    )
    planes = cv2.split(cv2.transform(np.ascontiguousarray(image), weights))
    if pix_fmt == "yuv420p":
        chroma = [_halve(plane) for plane in planes[1:]]
        stacked = np.concatenate([planes[0].ravel(), *(plane.ravel() for plane in chroma)])
        frame = av.VideoFrame.from_ndarray(stacked.reshape(-1, image.shape[1]), format="yuv420p")
    else:
        frame = av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
    frame.color_range = ColorRange.JPEG
    return frame


def _halve(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Halve a chroma plane: 1-2-1 around every other column, the mean of two rows."""
    rows = plane.reshape(plane.shape[0] // 2, 2, -1).sum(axis=1, dtype=np.uint16)
    before = np.concatenate([rows[:, :1], rows[:, 1:-1:2]], axis=1)
    total = before + 2 * rows[:, ::2] + rows[:, 1::2]
    return np.asarray((total + 4) >> 3, dtype=np.uint8)


def _coefficients(matrix: int) -> Colorspace:
    return _COEFFICIENTS.get(matrix, Colorspace.ITU601)


def _is_rgb(pix_fmt: str) -> bool:
    return pix_fmt.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2"))


def _is_full(frame: av.VideoFrame) -> bool:
    full = int(frame.color_range) == int(ColorRange.JPEG)
    return full or frame.format.name.startswith("yuvj") or _is_rgb(frame.format.name)
