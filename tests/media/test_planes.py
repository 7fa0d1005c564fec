"""Samples keep their values from one layout to another."""

from __future__ import annotations

import av
import numpy as np
import pytest

from faceswap_gan.media.planes import Planar, as_planar, copy_picture, planes_of, read_planar
from faceswap_gan.media.stored import StoredPicture

WIDTH, HEIGHT = 36, 24  # rows of 36 samples are padded in memory


def _noise(pix_fmt, color_range):
    rng = np.random.default_rng(9)
    frame = av.VideoFrame(WIDTH, HEIGHT, pix_fmt)
    for plane in frame.planes:
        raw = np.frombuffer(plane, np.uint8)
        raw[:] = rng.integers(0, 256, raw.size, dtype=np.uint8)
    frame.color_range = color_range
    return frame


def _rows(frame, plane, dtype=np.uint8):
    raw = np.frombuffer(frame.planes[plane], dtype)
    return raw.reshape(-1, frame.planes[plane].line_size // np.dtype(dtype).itemsize)


SPLIT = {
    "nv12": lambda f: [_rows(f, 0)[:24, :36], _rows(f, 1)[:12, 0:36:2], _rows(f, 1)[:12, 1:36:2]],
    "yuyv422": lambda f: [_rows(f, 0)[:24, 0:72:2], _rows(f, 0)[:24, 1:72:4], _rows(f, 0)[:24, 3:72:4]],
    "p010le": lambda f: [
        r >> 6 for r in (_rows(f, 0, "<u2")[:24, :36], *(_rows(f, 1, "<u2")[:12, i:36:2] for i in (0, 1)))
    ],
    "yuva420p": lambda f: [_rows(f, 0)[:24, :36], _rows(f, 1)[:12, :18], _rows(f, 2)[:12, :18]],
    "yuvj422p": lambda f: [_rows(f, 0)[:24, :36], _rows(f, 1)[:24, :18], _rows(f, 2)[:24, :18]],
    "bgra": lambda f: [_rows(f, 0)[:24, i:144:4] for i in (2, 1, 0)],
    "rgb24": lambda f: [_rows(f, 0)[:24, i:108:3] for i in (0, 1, 2)],
    "rgb48le": lambda f: [_rows(f, 0, "<u2")[:24, i:108:3] for i in (0, 1, 2)],
    "gray": lambda f: [_rows(f, 0)[:24, :36]],
    "ya8": lambda f: [_rows(f, 0)[:24, 0:72:2]],
}


@pytest.mark.parametrize("color_range", [1, 2])
@pytest.mark.parametrize("pix_fmt", SPLIT)
def test_samples_keep_their_values(pix_fmt, color_range):
    frame = _noise(pix_fmt, color_range)
    expected = [np.array(plane) for plane in SPLIT[pix_fmt](frame)]
    planar = read_planar(pix_fmt)
    found = planes_of(copy_picture(as_planar(frame, planar), planar), planar)
    assert [p.shape for p in found] == [p.shape for p in expected]
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("color_range", [1, 2])
@pytest.mark.parametrize("pix_fmt", ["gray", "ya8", "gray10le"])
def test_grey_keeps_its_levels_where_colour_is_wanted(pix_fmt, color_range):
    frame = _noise(pix_fmt, color_range)
    if pix_fmt == "gray10le":
        _rows(frame, 0, "<u2")[:] &= 1023
    stored = StoredPicture(frame)
    planar = Planar("yuv", stored.planar.depth, (1, 1))
    luma, *chroma = planes_of(stored.copy_as(planar), planar)
    assert np.array_equal(
        luma, _rows(frame, 0, "<u2")[:24, :36] if pix_fmt == "gray10le" else SPLIT[pix_fmt](frame)[0]
    )
    assert all((plane == 1 << (stored.planar.depth - 1)).all() for plane in chroma)


def test_formats_are_described():
    assert read_planar("p010le") == Planar("yuv", 10, (1, 1))
    assert read_planar("yuv411p").shift == (2, 0)
    assert read_planar("pal8") == read_planar("bgra") == Planar("rgb", 8)
    assert read_planar("gray12le") == Planar("gray", 12)
    assert read_planar("x2rgb10le").name == "gbrp10le"
    for name in ("yuv420p", "yuv422p10le", "yuv440p12le", "gray", "gray16le", "gbrp12le", "bgr0"):
        assert read_planar(name).name == name
