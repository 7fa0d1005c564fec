"""Colour tags of a video, and its pixels to RGB and back without a shift in colour."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from faceswap_gan.media.planes import ONE_THREAD, Planar, Samples, as_planar, new_picture, planes_of, read_planar

log = logging.getLogger(__name__)

Matrix = tuple[int, int, int, int]
"""Signs (a, b, c, d) of a display matrix x' = a·x + c·y, y' = b·x + d·y."""
UPRIGHT: Matrix = (1, 0, 0, 1)

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
_SWSCALE_WHITE = 65283
"""What swscale makes of white of limited range in 16 bits."""
_ALONE, _AROUND = (np.asarray(w, np.float32) / sum(w) for w in ((1,), (1, 2, 1)))
_DEPTHS = {255: cv2.CV_8U, 65535: cv2.CV_16U}
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
    if read_planar(frame.format.name).kind == "rgb":
        return ColorTags(BT709, int(frame.color_primaries), int(frame.color_trc), False)
    matrix = UNSPECIFIED if frame.colorspace == RGB_MATRIX else int(frame.colorspace)
    return ColorTags(matrix, int(frame.color_primaries), int(frame.color_trc), _is_full(frame))


def to_rgb(frame: av.VideoFrame, *, deep: bool = False) -> NDArray[Any]:
    """Convert a decoded frame as stored (not turned) to RGB by its own matrix and range.

    Args:
        frame: of any pixel format.
        deep: give uint16, white at 65535, in place of uint8.

    Returns:
        uint8 or uint16 (H, W, 3).
    """
    planar, full = read_planar(frame.format.name), _is_full(frame)
    if planar.kind == "gray":
        return _grey_to_rgb(frame, planar, full=full, deep=deep)
    packed = planar.kind == "rgb"
    # planes give the same bits from YUV in a third of the time
    names = ("rgb24", "rgb48le") if packed else ("gbrp", "gbrp16le")
    laid = frame.reformat(
        format=names[deep],
        src_colorspace=_COEFFICIENTS.get(int(frame.colorspace), Colorspace.ITU601),
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=_EXACT,
        threads=ONE_THREAD,
    )
    image = laid.to_ndarray() if packed else cv2.merge(planes_of(laid, Planar("rgb", 16 if deep else 8)))
    if deep and planar.kind == "yuv":
        white = ((1 << planar.depth) - 1) << (16 - planar.depth) if full else _SWSCALE_WHITE
        image = cv2.multiply(image, (65535 / white,) * 4)
    return np.asarray(image)


def rgb_samples(image: NDArray[Any], planar: Planar, tags: ColorTags) -> list[Samples]:
    """Convert RGB to the planes of a format by the matrix and range the tags name.

    Done here, not by swscale: that cuts full-range chroma off half a level too low, a visible tint, and puts
    4:2:0 chroma between two columns, where H.264 decoders expect it on the left one.

    Args:
        image: uint8, or uint16 with white at 65535, (H, W, 3).
        planar: wanted.
        tags: what the picture shall carry.

    References:
        ITU-T H.273 (2021), eqs. 29-31 and 38-49; chroma place: ITU-T H.264 (2021), figure E-1, type 0.
    """
    white = 255 if image.dtype == np.uint8 else 65535
    top = (1 << planar.depth) - 1
    if planar.kind == "rgb":
        if white == top:
            return list(cv2.split(image))
        return [_rounded(plane * np.float32(top / white), planar) for plane in cv2.split(image)]
    luma, chroma = _weights(tags, planar.depth, white)
    image = image.astype(np.float32)
    planes = [cv2.transform(image, luma)]
    if planar.kind == "yuv":
        # To three channels, one of them for nothing: OpenCV makes two of three ten times as slowly.
        planes += cv2.split(cv2.transform(_shrink(image, planar.shift), np.vstack([chroma, luma])))[:2]
    return [_rounded(plane, planar) for plane in planes]


def from_rgb(image: NDArray[Any], pix_fmt: str, tags: ColorTags) -> av.VideoFrame:
    """Convert RGB to a frame by the matrix and range the tags name.

    Args:
        image: uint8, or uint16 with white at 65535, (H, W, 3).
        pix_fmt: planar YUV or grey, such as ``yuv420p10le``.
        tags: what the frame shall carry.
    """
    planar = read_planar(pix_fmt)
    frame = new_picture(image.shape[1], image.shape[0], planar)
    for target, samples in zip(planes_of(frame, planar), rgb_samples(image, planar, tags), strict=True):
        target[:] = samples
    tag_frame(frame, tags)
    return frame


def tag_frame(frame: av.VideoFrame, tags: ColorTags) -> None:
    """Write colour tags on a frame."""
    frame.color_range = ColorRange.JPEG if tags.full_range else ColorRange.MPEG
    frame.colorspace = tags.matrix
    frame.color_primaries = tags.primaries
    frame.color_trc = tags.transfer


def display_matrix(frame: av.VideoFrame) -> Matrix:
    """Read the signs of the display matrix; (1, 0, 0, 1) if none.

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
    return UPRIGHT


def turn_upright(image: NDArray[Any], matrix: Matrix) -> NDArray[Any]:
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


def turn_back(image: NDArray[Any], matrix: Matrix) -> NDArray[Any]:
    """Undo `turn_upright`: from what is shown to what is stored."""
    a, b, c, d = matrix
    return turn_upright(image, (a, c, b, d))


def _grey_to_rgb(frame: av.VideoFrame, planar: Planar, *, full: bool, deep: bool) -> NDArray[Any]:
    """Widen grey to three channels; swscale would take every range for the full one."""
    (grey,) = planes_of(as_planar(frame, planar), planar)
    unit = 1 << (planar.depth - 8)
    black, white = (0, (1 << planar.depth) - 1) if full else (16 * unit, 235 * unit)
    top = 65535 if deep else 255
    levels = (grey.astype(np.float32) - black) * np.float32(top / (white - black))
    rounded = np.clip(np.rint(levels), 0, top).astype(np.uint16 if deep else np.uint8)
    return np.repeat(rounded[..., None], 3, axis=2)


def _rounded(plane: NDArray[Any], planar: Planar) -> Samples:
    top = (1 << planar.depth) - 1
    if top not in _DEPTHS:
        return np.asarray(np.clip(np.rint(plane), 0, top), dtype=planar.dtype)
    # OpenCV rounds to the nearest and stops at both ends; samples that are whole already pass.
    return plane if plane.dtype == planar.dtype else np.asarray(cv2.add(plane, 0.0, dtype=_DEPTHS[top]))


def _weights(tags: ColorTags, depth: int, white: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows that make luma, (1, 4), and both chroma planes, (2, 4), from (red, green, blue, 1)."""
    kr, kb = _LUMA.get(tags.matrix, _LUMA_601)
    kg = 1 - kr - kb
    unit = 1 << (depth - 8)
    if tags.full_range:
        y_scale = c_scale = ((1 << depth) - 1) / white
        black = 0
    else:
        y_scale, c_scale, black = 219 * unit / white, 224 * unit / white, 16 * unit
    luma = np.array([[kr * y_scale, kg * y_scale, kb * y_scale, black]])
    blue, red = 2 * (1 - kb), 2 * (1 - kr)
    rows = np.array([[-kr / blue, -kg / blue, 0.5], [0.5, -kg / red, -kb / red]])
    return luma, np.concatenate([rows * c_scale, np.full((2, 1), 128.0 * unit)], axis=1)


def _shrink(image: NDArray[np.float32], shift: tuple[int, int]) -> NDArray[np.float32]:
    """Shrink a picture to where left-sited chroma lies: mean of the rows, 1-2-1 around every other column.

    An odd last row or column stands for two.
    """
    across, down = shift
    while across or down:
        odd = image.shape[0] % 2 if down else 0, image.shape[1] % 2 if across else 0
        if any(odd):
            image = np.asarray(cv2.copyMakeBorder(image, 0, odd[0], 0, odd[1], cv2.BORDER_REPLICATE), np.float32)
        if down:
            image = np.asarray(cv2.addWeighted(image[::2], 0.5, image[1::2], 0.5, 0), np.float32)
        if across:
            mean = cv2.sepFilter2D(image, -1, _AROUND, _ALONE, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)
            # Every other column, which OpenCV picks in a quarter of the time that a slice takes to be copied.
            half = (image.shape[1] // 2, image.shape[0])
            image = np.asarray(cv2.resize(mean, half, interpolation=cv2.INTER_NEAREST), np.float32)
        across, down = max(across - 1, 0), max(down - 1, 0)
    return image


def _is_full(frame: av.VideoFrame) -> bool:
    full = int(frame.color_range) == int(ColorRange.JPEG)
    return full or frame.format.name.startswith("yuvj") or read_planar(frame.format.name).kind == "rgb"
