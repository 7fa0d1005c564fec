"""Reading: upright frames at their exact times, from whatever comes."""

from __future__ import annotations

import gc
import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import draw

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.images import read_image, write_image
from faceswap_gan.media.video import VideoWriter, read_frames, read_info


def _corners(height=48, width=64):
    image = np.full((height, width, 3), 40, np.uint8)
    image[: height // 2, : width // 2] = 230
    return image


def test_times_are_exact_where_the_rate_varies_and_starts_late(make_video):
    pts = [1000, 1512, 2600, 2601, 9000]
    path = make_video(pts=pts, time_base=Fraction(1, 11988))
    frames = list(read_frames(path))
    assert [f.pts for f in frames] == pts
    assert {f.time_base for f in frames} == {Fraction(1, 11988)}
    assert [f.index for f in frames] == list(range(5))
    assert frames[1].seconds == pytest.approx(1512 / 11988)


def test_info(make_video):
    info = read_info(make_video(sar=Fraction(15, 16)))
    assert (info.width, info.height, info.frames) == (64, 48, 12)
    assert info.sample_aspect_ratio == Fraction(15, 16)
    assert info.time_base == Fraction(1, 15360)
    assert info.frame_rate == 30
    assert info.duration == pytest.approx(0.4, abs=0.05)
    assert info.rotation == 0


def test_every_counts_all_frames(make_video):
    assert [f.index for f in read_frames(make_video(), every=5)] == [0, 5, 10]


@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (-90, -1)])
def test_rotated_video_stands_upright(make_video, degrees, turns):
    path = make_video(images=[_corners()] * 3, pts=[0, 1, 2], rotation=degrees, sar=Fraction(4, 3))
    upright = np.rot90(_corners(), turns)
    frame = next(iter(read_frames(path)))
    info = read_info(path)
    assert frame.image.shape == upright.shape
    assert (info.height, info.width) == upright.shape[:2]
    assert info.sample_aspect_ratio == (Fraction(4, 3) if degrees == 180 else Fraction(3, 4))
    assert np.abs(frame.image.astype(int) - upright).mean() < 6


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx264", "gray"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.avi", "mjpeg", "yuvj420p"),
    ],
)
def test_formats(make_video, name, codec, pix_fmt):
    images = [_corners()] * 4
    pts, unit = [0, 40, 80, 120], Fraction(1, 1000)
    tags = (1, 1, 1, 2 if pix_fmt == "gray" else 1)  # swscale writes grey in full range only
    path = make_video(name, images=images, pts=pts, time_base=unit, codec=codec, pix_fmt=pix_fmt, tags=tags)
    frames = list(read_frames(path))
    assert len(frames) == 4
    assert np.abs(frames[3].image.astype(int) - images[3]).mean() < 8


def test_odd_size_is_kept(make_video):
    path = make_video(images=[_corners(49, 63)] * 2, pts=[0, 512], pix_fmt="yuv444p")
    assert next(iter(read_frames(path))).image.shape == (49, 63, 3)


def test_picture_is_a_video_of_one_frame(tmp_path):
    write_image(tmp_path / "p.png", _corners())
    (frame,) = read_frames(tmp_path / "p.png")
    info = read_info(tmp_path / "p.png")
    assert np.array_equal(frame.image, read_image(tmp_path / "p.png"))
    assert (info.frames, info.width, info.height) == (1, 64, 48)


def test_cut_off_tail_ends_the_video_with_a_warning(make_video, tmp_path, caplog):
    whole = make_video("whole.mkv", pts=list(range(0, 2400, 40)), time_base=Fraction(1, 1000))
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    assert 1 < len(list(read_frames(tmp_path / "cut.mkv"))) < 60


@pytest.mark.parametrize("bad", [(20,), (11, 20, 21)])
def test_a_damaged_packet_in_the_middle_costs_what_it_shows(make_video, tmp_path, caplog, bad):
    whole = make_video(pts=range(0, 60 * 512, 512), images=draw(60), codec="mpeg4")
    data = whole.read_bytes()
    with av.open(str(whole)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for number in bad:
        data = data.replace(packets[number], b"\xff" * len(packets[number]))
    (tmp_path / "damaged.mp4").write_bytes(data)
    given = [f.pts for f in read_frames(whole)]
    assert not caplog.records
    found = [f.pts for f in read_frames(tmp_path / "damaged.mp4")]
    assert found == [pts for index, pts in enumerate(given) if index not in bad]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'damaged.mp4'}: {len(bad)} of its packets do not decode; what they show is left out"
    ]


def test_what_is_no_video_is_one_clear_error(tmp_path, make_video):
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mp4").write_bytes(b"")
    for name in ("text.mp4", "empty.mp4"):
        with pytest.raises(MediaError, match="cannot be opened"):
            read_info(tmp_path / name)
    with pytest.raises(MediaError, match="does not exist"):
        list(read_frames(tmp_path / "none.mp4"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(MediaError, match="a folder with pictures"):
        read_info(tmp_path / "folder")
    sound = make_video("v.mp4", audio=["aac"])
    _strip_video(sound, tmp_path / "sound.mp4")
    with pytest.raises(MediaError, match="no video stream"):
        read_info(tmp_path / "sound.mp4")


def test_a_playlist_cannot_reach_out(tmp_path):
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        read_info(tmp_path / "list.mp4")


def _strip_video(source, target):
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(given.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)


def test_memory_does_not_grow_with_length(make_video, tmp_path):
    """Nothing may hold on to frames, not even until the garbage collector comes."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which this system lacks")
    images = draw(6, width=640, height=480)
    path = make_video(images=[images[i % 6] for i in range(150)], pts=range(0, 150 * 512, 512))
    used = []
    gc.disable()
    try:
        with VideoWriter(tmp_path / "out.mp4", like=read_info(path)) as writer:
            for frame in read_frames(path):
                writer.write(frame)
                used.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
    finally:
        gc.enable()
    assert used[-1] - used[80] < 20e6


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"start": 0.3, "end": 0.2}, "--end after it, in seconds, got --start 0.3 and --end 0.2"),
        ({"start": -1.0}, "--start of at least 0 .* got --start -1 and no --end"),
        ({"start": 9.0}, "ends at 0.366667 s, got --start 9"),
        ({"end": -1.0}, "got no --start and --end -1"),
        ({"start": float("nan")}, "got --start nan and no --end"),
        ({"end": float("inf")}, "got no --start and --end inf"),
    ],
)
def test_a_part_without_frames_is_one_clear_error(make_video, limits, words):
    with pytest.raises(SettingsError, match=words):
        list(read_frames(make_video(), **limits))


def test_a_part_before_the_first_frame_is_one_clear_error(make_video):
    with pytest.raises(SettingsError, match=r"begins at [\d.]+ s, got --end 1e-06"):
        list(read_frames(make_video(pts=[600, 1200, 1800]), end=1e-6))


def test_a_part_may_be_read_from_any_frame_on(make_video):
    assert [f.index for f in read_frames(make_video(), start=0.1, end=0.2)] == [3, 4, 5]
    assert not list(read_frames(make_video(), start=0.1, end=0.2, from_index=6)), "all of it was read before"
