"""Whatever lies beside the pictures: subtitles, chapters, attachments, cover art."""

from __future__ import annotations

import logging
from fractions import Fraction

import av
import pytest
from fakes import draw

from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.media.video import VideoWriter, read_frames, read_info

MS = Fraction(1, 1000)
LINES = {
    "mov_text": [b"\x00\x05Hallo", b"\x00\x03Tag"],
    "ass": [b"0,0,Default,,0,0,0,,Hallo", b"1,0,Default,,0,0,0,,Tag"],
}


def _source(path, *, subtitles, cover=False, font=False):
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30)
        video.width, video.height = 64, 48
        words = out.add_stream("ass") if subtitles == "ass" else out.add_mux_stream(subtitles, time_base=MS)
        words.metadata["language"] = "deu"
        if font:
            out.add_attachment("letters.ttf", "application/x-truetype-font", b"font" * 99)
        out.set_chapters([_chapter(0, 0, 200), _chapter(1, 200, 400)])
        for index, image in enumerate(draw(12)):
            frame = from_rgb(image, "yuv420p", ColorTags())
            frame.pts, frame.time_base = index, Fraction(1, 30)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for number, line in enumerate(LINES[subtitles]):
            packet = av.Packet(line)
            packet.pts = packet.dts = 100 + 150 * number
            packet.duration, packet.time_base, packet.stream = 90, MS, words
            out.mux(packet)
    return path


def _chapter(number, start, end):
    return {"id": number, "start": start, "end": end, "time_base": MS, "metadata": {"title": f"part {number}"}}


def _copy(source, target, **cut):
    with VideoWriter(target, like=read_info(source), **cut) as writer:
        for frame in read_frames(source, **cut):
            writer.write(frame)


def _words(path):
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        packets = [(round(float(p.pts * p.time_base), 3), bytes(p)) for p in container.demux(stream) if p.size > 2]
        return stream.language, packets


def _chapters(path):
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"]["title"])
            for c in container.chapters()
        ]


@pytest.mark.parametrize(("subtitles", "suffix"), [("mov_text", ".mp4"), ("mov_text", ".mov"), ("ass", ".mkv")])
def test_subtitles_and_chapters_are_copied(tmp_path, subtitles, suffix, caplog):
    source = _source(tmp_path / f"in{suffix}", subtitles=subtitles)
    _copy(source, tmp_path / f"out{suffix}")
    assert _words(tmp_path / f"out{suffix}") == _words(source)
    assert _words(source)[0] == "deu" or suffix == ".mov"
    assert len(_words(source)[1]) == 2
    assert _chapters(tmp_path / f"out{suffix}") == [(0.0, 0.2, "part 0"), (0.2, 0.4, "part 1")]
    assert not caplog.records


def test_attachments_stay_where_the_container_holds_them(tmp_path):
    source = _source(tmp_path / "in.mkv", subtitles="ass", font=True)
    _copy(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        (font,) = container.streams.attachments
        assert (font.name, font.data) == ("letters.ttf", b"font" * 99)


def test_what_a_container_cannot_hold_is_told_in_one_line(tmp_path, caplog):
    source = _source(tmp_path / "in.mkv", subtitles="ass", font=True)
    with caplog.at_level(logging.WARNING):
        _copy(source, tmp_path / "out.mp4")
    (line,) = {record.getMessage() for record in caplog.records}
    assert line == ".mp4 cannot hold subtitle (ssa), attachment (letters.ttf); left out"
    assert _chapters(tmp_path / "out.mp4") == [(0.0, 0.2, "part 0"), (0.2, 0.4, "part 1")]


def test_a_cut_moves_subtitles_and_chapters(tmp_path):
    source = _source(tmp_path / "in.mkv", subtitles="ass")
    _copy(source, tmp_path / "out.mkv", start=0.15, end=0.3)
    first = 5 / 30
    ((when, line),) = _words(tmp_path / "out.mkv")[1]
    assert line == LINES["ass"][1]
    assert when == pytest.approx(0.25 - first, abs=0.002)
    found = _chapters(tmp_path / "out.mkv")
    assert [title for _, _, title in found] == ["part 0", "part 1"]
    assert found[1][0] == pytest.approx(0.2 - first, abs=0.002)
    assert found[1][1] == pytest.approx(0.3 - first, abs=0.002)


def _teletext(path):
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        words = out.add_mux_stream("dvb_teletext", time_base=MS)
        for index, image in enumerate(draw(12)):
            frame = from_rgb(image, "yuv420p", ColorTags())
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        packet = av.Packet(b"\x10" + bytes(45))
        packet.pts = packet.dts = 100
        packet.time_base, packet.stream = MS, words
        out.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_track_without_a_decoder_is_left_out_with_a_line(tmp_path, make_video, caplog, suffix):
    unknown = make_video("in.mkv", time_base=MS, pts=range(0, 480, 40), audio=["aac"])
    unknown.write_bytes(unknown.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    for source, name in ((_teletext(tmp_path / "in.ts"), "subtitle (unknown)"), (unknown, "audio (unknown)")):
        caplog.clear()
        _copy(source, tmp_path / f"out{suffix}")
        assert {record.getMessage() for record in caplog.records} == {f"{suffix} cannot hold {name}; left out"}
        assert len(list(read_frames(tmp_path / f"out{suffix}"))) == 12


def test_a_second_video_is_told_of(tmp_path, make_video, caplog):
    first = make_video("first.mp4")
    with av.open(str(first)) as given, av.open(str(tmp_path / "two.mp4"), "w") as out:
        streams = [out.add_stream_from_template(given.streams.video[0]) for _ in range(2)]
        for packet in given.demux(video=0):
            for stream in streams if packet.dts is not None else ():
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                out.mux(copy)
    _copy(tmp_path / "two.mp4", tmp_path / "out.mkv")
    assert {record.getMessage() for record in caplog.records} == {".mkv cannot hold another video (h264); left out"}
