"""Writing: the source's times, tags and sound, exactly; the file whole or not at all."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import draw

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.images import write_image
from faceswap_gan.media.video import VideoWriter, is_picture, read_frames, read_info

KIND = "compositeWithTrainedAlgorithmicMedia"


def _sound(path):
    """Time in s and bytes of every audio packet, by stream."""
    streams: dict[int, list[tuple[Fraction, bytes]]] = {}
    with av.open(str(path)) as container:
        for stream in container.streams.audio:
            streams[stream.index] = []
        for packet in container.demux(*container.streams.audio) if streams else ():
            if packet.dts is not None:
                streams[packet.stream.index].append((packet.pts * Fraction(packet.time_base), bytes(packet)))
    return [packets for _, packets in sorted(streams.items()) if packets]


def _copy(source, target, **settings):
    info = read_info(source)
    with VideoWriter(target, like=info, **settings) as writer:
        for frame in read_frames(source):
            writer.write(frame)
    return info


def _assert_same(source, target, *, tolerance=Fraction(0)):
    before, after = read_info(source), read_info(target)
    assert (after.width, after.height) == (before.width, before.height)
    assert after.sample_aspect_ratio == before.sample_aspect_ratio
    assert after.color == before.color
    assert (after.rotation, after.matrix) == (before.rotation, before.matrix)
    assert after.planar == (before.planar if before.planar.kind != "rgb" else replace(before.planar, kind="yuv"))
    old, new = ([f.pts * f.time_base for f in read_frames(path)] for path in (source, target))
    assert len(new) == len(old)
    assert max(abs(a - b) for a, b in zip(old, new, strict=True)) <= tolerance
    sounds = _sound(source), _sound(target)
    assert len(sounds[0]) == len(sounds[1])
    for old_stream, new_stream in zip(*sounds, strict=True):
        assert [data for _, data in new_stream] == [data for _, data in old_stream]
        worst = max((abs(a[0] - b[0]) for a, b in zip(old_stream, new_stream, strict=True)), default=0)
        assert worst <= max(tolerance, Fraction(1, 80000))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "given",
    [
        {"audio": ["aac"]},
        {"pts": [1000, 1512, 2600, 2620, 9000], "time_base": Fraction(1, 11988), "audio": ["aac", "aac"]},
        {"sar": Fraction(15, 16), "time_base": Fraction(1, 90000), "pts": range(0, 60000, 3000)},
        {"tags": (6, 6, 6, 2)},
        {"tags": (2, 2, 2, 1), "pts": [7]},
        {"rotation": 90, "sar": Fraction(15, 16)},
        {"pix_fmt": "yuv444p"},
    ],
    ids=["sound", "vfr-late-two-sounds", "sar", "full-range", "one-untagged-frame", "rotated", "444"],
)
def test_what_is_read_back_is_the_source(make_video, tmp_path, given, suffix):
    source = make_video(**given)
    target = tmp_path / f"out{suffix}"
    _copy(source, target)
    _assert_same(source, target, tolerance=Fraction(1, 1000) if suffix == ".mkv" else Fraction(0))


def test_odd_size_is_written_exactly(make_video, tmp_path):
    images = [np.full((49, 63, 3), (200, 40, 90), np.uint8)] * 3
    source = make_video(images=images, pts=[0, 512, 1024], pix_fmt="yuv444p")
    _copy(source, tmp_path / "out.mp4")
    _assert_same(source, tmp_path / "out.mp4")


def test_matroska_to_mp4_keeps_times(make_video, tmp_path):
    source = make_video("s.mkv", pts=[3, 44, 90, 171], time_base=Fraction(1, 1000), audio=["aac"])
    _copy(source, tmp_path / "out.mp4")
    _assert_same(source, tmp_path / "out.mp4")


def test_time_units_that_are_no_whole_part_of_a_second(make_video, tmp_path):
    source = make_video("s.avi", codec="mjpeg", pix_fmt="yuvj420p", time_base=Fraction(1001, 30000), pts=range(9))
    assert read_info(source).time_base == Fraction(1001, 30000)
    _copy(source, tmp_path / "out.mp4")
    times = [[f.pts * f.time_base for f in read_frames(p)] for p in (source, tmp_path / "out.mp4")]
    assert times[0] == times[1] == [i * Fraction(1001, 30000) for i in range(9)]


def test_colours_do_not_shift(make_video, tmp_path):
    """Lossless, so that only the conversion is measured: what x264 throws away differs from machine to machine."""
    for tags in ((1, 1, 1, 1), (6, 6, 6, 2), (2, 2, 2, 1)):
        source = make_video(tags=tags, images=draw(12, width=320, height=240))
        _copy(source, tmp_path / "out.mp4", crf=0)
        for old, new in zip(read_frames(source), read_frames(tmp_path / "out.mp4"), strict=True):
            error = old.image.astype(float) - new.image
            psnr = 10 * np.log10(255**2 / np.maximum((error**2).mean(axis=(0, 1)), 1e-9))
            assert psnr.min() > 46
            assert np.abs(error.mean(axis=(0, 1))).max() < 0.1


def test_stream_is_high_profile_h264(make_video, tmp_path):
    _copy(make_video(), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_metadata_is_readable_by_name(make_video, tmp_path, suffix):
    tags = {"comment": "AI-generated", "digital_source_type": KIND}
    _copy(make_video(), tmp_path / f"out{suffix}", metadata=tags)
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
    assert tags.items() <= found.items()


def test_another_size_keeps_times_and_sound(make_video, tmp_path):
    source = make_video(audio=["aac"])
    info = read_info(source)
    with VideoWriter(tmp_path / "wide.mp4", like=info, size=(128, 48)) as writer:
        for frame in read_frames(source):
            writer.write(replace(frame, image=np.concatenate([frame.image] * 2, axis=1)))
    assert [f.pts for f in read_frames(tmp_path / "wide.mp4")] == [f.pts for f in read_frames(source)]
    assert _sound(tmp_path / "wide.mp4") == _sound(source)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_failure_leaves_nothing_and_keeps_the_old_file(make_video, tmp_path, error):
    source, target = make_video(), tmp_path / "out.mp4"
    target.write_text("old")
    before = sorted(p.name for p in tmp_path.iterdir())

    def fail():
        with VideoWriter(target, like=read_info(source)) as writer:
            for frame in islice(read_frames(source), 3):
                writer.write(frame)
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_old_file_stays_until_the_new_one_is_whole(make_video, tmp_path):
    source, target = make_video(), tmp_path / "out.mp4"
    target.write_text("old")
    with VideoWriter(target, like=read_info(source)) as writer:
        for frame in read_frames(source):
            writer.write(frame)
            assert target.read_text() == "old"
    assert read_info(target).frames == 12


def test_all_is_on_the_disk_before_it_has_its_name(make_video, tmp_path, monkeypatch):
    source, target = make_video(), tmp_path / "out.mp4"
    events = []
    monkeypatch.setattr(os, "fsync", lambda opened: events.append((os.fstat(opened).st_ino, target.exists())))
    _copy(source, target, seal=lambda made: events.append("sealed"))
    assert events == ["sealed", (target.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL])
def test_a_disk_that_fails_at_the_end_is_an_error_and_one_that_cannot_tell_is_none(
    make_video, tmp_path, monkeypatch, number
):
    def fail(opened):
        raise OSError(number, os.strerror(number))

    source, target = make_video(), tmp_path / "out.mp4"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    if number == errno.EIO:
        with pytest.raises(MediaError, match=r"could not write .*out\.mp4: "):
            _copy(source, target)
        assert target.read_text() == "old"
    else:
        _copy(source, target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.mp4", source.name]


def test_container_that_refuses_the_sound_names_another(make_video, tmp_path):
    source = make_video("s.webm", codec="libvpx-vp9", audio=["libopus"], time_base=Fraction(1, 1000), pts=[0, 40, 80])
    with pytest.raises(MediaError, match=r"opus.*out\.mkv"):
        _copy(source, tmp_path / "out.mov")
    assert not list(tmp_path.glob("*out*"))
    _copy(source, tmp_path / "out.mp4")
    _assert_same(source, tmp_path / "out.mp4")


def test_wrong_use_is_a_clear_error(make_video, tmp_path):
    source = make_video()
    info = read_info(source)
    with pytest.raises(MediaError, match=r"ending in \.mp4"):
        VideoWriter(tmp_path / "out.xyz", like=info)
    with pytest.raises(MediaError, match="for the output of a video"):
        VideoWriter(tmp_path / "out.png", like=info)
    with pytest.raises(MediaError, match=r"could not write .*/out\.mp4: "):
        VideoWriter(source / "out.mp4", like=info)
    for nameless in (".", "..", "/"):
        with pytest.raises(SettingsError, match="name of its own"):
            VideoWriter(Path(nameless), like=info)
    with pytest.raises(MediaError, match="64x48"), VideoWriter(tmp_path / "out.mp4", like=info) as writer:
        writer.write(replace(next(iter(read_frames(source))), image=np.zeros((10, 10, 3), np.uint8)))
    assert [p.name for p in tmp_path.iterdir()] == [source.name]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".mp4"])
def test_picture_goes_to_a_picture_or_a_video(tmp_path, suffix):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32] = 200, 60, 30
    write_image(tmp_path / "in.png", image)
    target = tmp_path / f"out{suffix}"
    _copy(tmp_path / "in.png", target, metadata={"comment": 'AI & "so on"', "digital_source_type": KIND})
    (frame,) = read_frames(target)
    assert np.abs(frame.image.astype(int) - image).mean() < 3
    if is_picture(target):
        assert KIND.encode() in target.read_bytes()
        assert b"AI &amp;" in target.read_bytes()


HARD = [
    "drv_10bit_hevc.mp4",
    "drv_odd_511x509_ffv1.mkv",
    "drv_one_frame_video.mp4",
    "drv_rotation_tag_90_stored_sideways.mp4",
    "drv_truncated_fragmented.mp4",
    "drv_two_audio_tracks.mp4",
    "drv_vfr.mp4",
    "drv_vp9_opus.webm",
    "real_hand_over_mouth_fullrange.mkv",
    "real_vfr_late_start_man.mp4",
]


@pytest.mark.parametrize("name", HARD)
def test_real_videos(facedata, tmp_path, name):
    _copy(facedata / "hard" / name, tmp_path / "out.mp4", crf=30)
    _assert_same(facedata / "hard" / name, tmp_path / "out.mp4")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["videos/p2_man_sar15x16.mp4", "hard/real_multi_person_cuts_mic_startoffset.mp4", "hard/drv_60fps.mp4"],
)
def test_long_real_videos(facedata, tmp_path, name):
    _copy(facedata / name, tmp_path / "out.mp4", crf=30)
    _assert_same(facedata / name, tmp_path / "out.mp4")
