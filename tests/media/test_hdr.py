"""HDR tags survive by every encoder that takes them; others say that they do not."""

from __future__ import annotations

import logging
from fractions import Fraction
from itertools import chain

import av
import pytest
from fakes import draw

from faceswap_gan.media.hdr import HdrTags
from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.media.video import VideoWriter, plan_output, read_frames, read_info

DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
BT2020_PQ = ColorTags(9, 9, 16)


@pytest.fixture
def film(tmp_path):
    parameters = f"log-level=none:hdr10=1:master-display={DISPLAY}:max-cll=1000,400"
    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        video = out.add_stream("libx265", rate=24, options={"x265-params": parameters})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p10le"
        video.colorspace, video.color_primaries, video.color_trc, video.color_range = 9, 9, 16, 1
        for index, image in enumerate(draw(4)):
            frame = from_rgb(image, "yuv420p10le", BT2020_PQ)
            frame.pts, frame.time_base = index, Fraction(1, 24)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return tmp_path / "film.mp4"


def test_tags_are_read(film):
    assert read_info(film).hdr == HdrTags(
        primaries=tuple(
            (Fraction(x, 50000), Fraction(y, 50000))
            for x, y in ((34000, 16000), (13250, 34500), (7500, 3000), (15635, 16450))
        ),
        luminance=(Fraction(1, 10000), Fraction(1000)),
        light=(1000, 400),
    )
    assert read_info(film).color == BT2020_PQ


@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("hevc", ".mov"), ("hevc", ".mkv"), ("av1", ".mkv")])
def test_tags_are_written(film, tmp_path, codec, suffix):
    info = read_info(film)
    with VideoWriter(tmp_path / f"out{suffix}", like=info, codec=codec) as writer:
        for frame in read_frames(film):
            writer.write(frame)
    after = read_info(tmp_path / f"out{suffix}")
    assert (after.color, after.planar, after.hdr.light) == (info.color, info.planar, info.hdr.light)
    # AV1 counts in units of its own: 1/65536 of the chart, 1/16384 cd/m² of the darkest
    limit = Fraction(1, 15000) if codec == "av1" else 0
    before, now = ([*chain(*tags.hdr.primaries, tags.hdr.luminance)] for tags in (info, after))
    assert max(abs(a - b) for a, b in zip(before, now, strict=True)) <= limit


def test_a_codec_without_them_says_so(film, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        plan_output(tmp_path / "out.mkv", like=read_info(film), codec="ffv1")
    assert [r.getMessage() for r in caplog.records] == [
        "ffv1 holds no mastering display and content light tags; left out"
    ]
