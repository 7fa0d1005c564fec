"""Times that do not grow, or are not there: what is read and what is copied stay together."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from fakes import draw

from faceswap_gan.media.facts import read_facts
from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.media.timeline import Timeline
from faceswap_gan.media.video import VideoWriter, read_frames, read_info


def _record(path, *, frames, rate=25):
    """A recording with sound that is as long, interleaved as a camera does it."""
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=rate), out.add_stream("aac", rate=48000)
        video.width, video.height = 64, 48
        given = []
        for start in range(0, 48000 * frames // rate, 1024):
            part = av.AudioFrame.from_ndarray(np.full((2, 1024), 0.1, np.float32), format="fltp", layout="stereo")
            part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
            given.append((start / 48000, sound, part))
        for index, image in enumerate(draw(frames)):
            frame = from_rgb(image, "yuv420p", ColorTags())
            frame.pts, frame.time_base = index, Fraction(1, rate)
            given.append((index / rate, video, frame))
        for _, stream, frame in sorted(given, key=lambda one: one[0]):
            out.mux(stream.encode(frame))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


def _copy(source, target, **cut):
    with VideoWriter(target, like=read_info(source), **cut) as writer:
        for frame in read_frames(source, **cut):
            writer.write(frame)


def _packets(path):
    with av.open(str(path)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


@pytest.fixture
def joined(tmp_path):
    """Two recordings in a row, 2 and 1.2 s long, each of which starts at nought; and how many packets of sound."""
    parts = [_record(tmp_path / f"{n}.ts", frames=n) for n in (50, 30)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path, [len(_packets(part)) for part in parts]


def test_where_times_jump_back_frames_keep_their_spacing_and_one_line_tells(joined, caplog):
    seconds = [frame.pts * frame.time_base for frame in read_frames(joined[0])]
    assert len(seconds) == 80
    assert {b - a for a, b in zip(seconds, seconds[1:], strict=False)} == {Fraction(1, 25)}
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"{joined[0]}: frame 50 is timed before the one before it; it and all that follows")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_where_times_jump_back_the_sound_stays_with_its_pictures(joined, tmp_path, suffix):
    source, (first, second) = joined
    _copy(source, tmp_path / f"out{suffix}")
    given, found = _packets(source), _packets(tmp_path / f"out{suffix}")
    assert len(found) == first + second
    assert [len(data) for _, data in found] == [len(data) - _adts(data) for _, data in given]
    shown = [frame.pts * frame.time_base for frame in read_frames(tmp_path / f"out{suffix}")]
    for index, count in ((0, 0), (50, first)):  # as far from the picture as in the recording itself
        before = given[count][0] - Fraction(7200, 90000)
        assert abs(found[count + 9][0] - shown[index] - before - Fraction(9 * 1024, 48000)) < Fraction(1, 400)
    assert all(a[0] < b[0] for a, b in zip(found, found[1:], strict=False))


def _adts(data):
    return 7 if data[:1] == b"\xff" else 0


def test_a_part_is_cut_by_the_times_after_the_jump(joined, tmp_path):
    _copy(joined[0], tmp_path / "out.mp4", start=2.2, end=2.6)
    found = _packets(tmp_path / "out.mp4")
    assert 15 <= len(found) <= 19
    assert len(list(read_frames(tmp_path / "out.mp4"))) == 10


def test_one_wrong_time_moves_nothing_else():
    line = Timeline(10)
    assert [line.place(t) for t in (0, 10, 10, 20, 200, 30, 210, 220)] == [0, 10, 11, 20, 200, 210, 211, 220]
    assert [line.place(t) for t in (5, 15, 25, 300)] == [230, 240, 250, 525]


def _film(path, times, **options):
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"crf": "10", **options})
        video.width, video.height = 64, 48
        for when, image in zip(times, draw(len(times)), strict=True):
            frame = from_rgb(image, "yuv420p", ColorTags())
            frame.pts, frame.time_base = when, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


@pytest.mark.parametrize(
    ("times", "options"),
    [
        (range(30), {"bf": "0"}),
        (range(30), {"bf": "3", "b-adapt": "0", "b-pyramid": "normal"}),
        (range(30), {"bf": "2", "b-adapt": "0"}),
        ([0, 1, 2, 3, 9, 10, 11, 20, 21], {"bf": "0"}),
    ],
    ids=["as shown", "pyramid", "two", "gaps"],
)
def test_an_avi_is_timed_by_the_order_it_is_decoded_in(tmp_path, caplog, times, options):
    path = _film(tmp_path / "film.avi", times, **options)
    found = list(read_frames(path))
    assert [round(frame.seconds * 25, 6) for frame in found] == list(times)
    assert [round(when * 25, 6) for when in read_facts(path).seconds] == list(times)
    same = [np.abs(f.image.astype(int) - image).mean() for f, image in zip(found, draw(len(times)), strict=True)]
    assert max(same) < 8
    assert len(caplog.records) <= (options["bf"] != "0")


def test_a_film_without_any_times_has_its_rate_and_one_line(tmp_path, caplog):
    path = _film(tmp_path / "film.h264", range(10))
    assert [round(frame.seconds * 25, 6) for frame in read_frames(path)] == list(range(10))
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"{path}: frame 0 carries no presentation time; it follows")
