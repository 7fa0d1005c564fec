"""Pixel formats as planes of samples: what a decoded picture holds, and a picture made of given samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
"""One plane, uint8 or uint16 (h, w)."""

ONE_THREAD = 1
"""Threads of swscale: with more, some of its converters give other samples now and then where their slices meet."""

_DEPTHS = (8, 9, 10, 12, 14, 16)
_SUBSAMPLED = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}


@dataclass(frozen=True)
class Planar:
    """A format whose samples lie in planes of their own.

    Attributes:
        kind: "yuv", "gray", or "rgb".
        depth: bits of a sample, 8 to 16.
        shift: binary logarithm of how many columns and rows share a chroma sample.
    """

    kind: Literal["yuv", "gray", "rgb"] = "yuv"
    depth: int = 8
    shift: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """FFmpeg's name; RGB of 8 bits lies packed (``bgr0``), as the lossless encoder wants it."""
        suffix = "" if self.depth == 8 else f"{self.depth}le"
        if self.kind == "rgb":
            return f"gbrp{suffix}" if suffix else "bgr0"
        return f"gray{suffix}" if self.kind == "gray" else f"yuv{_SUBSAMPLED[self.shift]}p{suffix}"

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """Type of a sample in memory."""
        return np.uint8 if self.depth == 8 else np.uint16


@cache
def read_planar(pix_fmt: str) -> Planar:
    """Find the planar format that holds every sample of a pixel format but its alpha.

    Args:
        pix_fmt: FFmpeg's name, such as ``nv12``; what is no whole number of bits is taken as the next that is.
    """
    described = av.VideoFormat(pix_fmt, 64, 64)
    colours = [part for part in described.components if not part.is_alpha]
    bits = 8 if described.has_palette else max(part.bits for part in colours)
    depth = next((depth for depth in _DEPTHS if depth >= bits), _DEPTHS[-1])
    if described.is_rgb or described.has_palette:
        return Planar("rgb", depth)
    if len(colours) == 1:
        return Planar("gray", depth)
    shift = (64 // colours[1].width).bit_length() - 1, (64 // colours[1].height).bit_length() - 1
    return Planar("yuv", depth, shift if shift in _SUBSAMPLED else (0, 0))


def as_planar(frame: av.VideoFrame, planar: Planar) -> av.VideoFrame:
    """Lay a picture's samples out in a planar format; the same picture where they already lie so.

    Ranges and matrices are left alone: between two layouts of the same kind every sample keeps its value.
    """
    name = frame.format.name
    if name.replace("yuvj", "yuv") == planar.name:
        return frame
    kept = int(frame.color_range) or (2 if name.startswith("yuvj") else 1)
    return frame.reformat(format=planar.name, src_color_range=kept, dst_color_range=kept, threads=ONE_THREAD)


def repack(frame: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """Lay a picture out as an encoder wants it; the same picture where it lies so already."""
    if frame.format.name == pix_fmt:
        return frame
    kept = int(frame.color_range)
    laid = frame.reformat(format=pix_fmt, src_color_range=kept, dst_color_range=kept, threads=ONE_THREAD)
    laid.pts, laid.time_base = frame.pts, frame.time_base
    return laid


def new_picture(width: int, height: int, planar: Planar) -> av.VideoFrame:
    """Allocate a picture; its samples are whatever the memory holds."""
    return av.VideoFrame(width, height, planar.name)


def planes_of(frame: av.VideoFrame, planar: Planar) -> list[Samples]:
    """View a picture's planes.

    Args:
        frame: in the planar format.
        planar: that format.

    Returns:
        Luma and two chroma planes, grey alone, or red, green and blue: uint8 or uint16 (h, w), which write through.
    """
    if frame.format.name == "bgr0":
        (plane,) = frame.planes
        packed = _view(plane, frame.width * 4, np.uint8).reshape(frame.height, frame.width, 4)
        return [packed[..., channel] for channel in (2, 1, 0)]
    planes = [_view(plane, plane.width, planar.dtype) for plane in frame.planes[: 1 if planar.kind == "gray" else 3]]
    return [planes[2], planes[0], planes[1]] if planar.kind == "rgb" else planes


def copy_picture(frame: av.VideoFrame, planar: Planar) -> av.VideoFrame:
    """Copy the samples of a picture in a planar format into a fresh one, leaving all else behind.

    A decoded picture also carries its type, side data and its decoder's buffer; an encoder would obey the first.
    """
    copy = new_picture(frame.width, frame.height, planar)
    for source, target in zip(frame.planes, copy.planes, strict=False):
        width = frame.width * 4 if planar.name == "bgr0" else target.width
        _view(target, width, planar.dtype)[:] = _view(source, width, planar.dtype)
    return copy


def _view(plane: Any, width: int, dtype: type[np.uint8] | type[np.uint16]) -> Samples:
    row = plane.line_size // np.dtype(dtype).itemsize
    return np.frombuffer(plane, dtype)[: row * plane.height].reshape(plane.height, row)[:, :width]
