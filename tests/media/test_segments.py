"""Segments: the same file however they came to be, exact where nothing was painted, whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest
from fakes import draw

from faceswap_gan.errors import MediaError
from faceswap_gan.media.codecs import repeatable
from faceswap_gan.media.planes import as_planar, planes_of, read_planar
from faceswap_gan.media.segments import Segment
from faceswap_gan.media.video import SegmentWriter, VideoWriter, join_segments, plan_output, read_frames, read_info


def _write_segments(source, plan, folder, *, length=5):
    """One file for so many frames."""
    frames = list(read_frames(source))
    files = []
    for number, start in enumerate(range(0, len(frames), length)):
        files.append(folder / f"{number}.segment")
        with SegmentWriter(files[-1], plan) as writer:
            for frame in frames[start : start + length]:
                writer.write(frame)
    return files


def _break_off(source, file, plan):
    with suppress(KeyboardInterrupt), SegmentWriter(file, plan) as writer:
        for frame in islice(read_frames(source, from_index=5), 3):
            writer.write(frame)
        raise KeyboardInterrupt


def _planes(path):
    """Samples of every frame as stored, without alpha."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            planar = read_planar(frame.format.name)
            yield [plane.copy() for plane in planes_of(as_planar(frame, planar), planar)]


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", ".mp4"), ("hevc", ".mp4"), ("vp9", ".webm"), ("av1", ".mkv"), ("ffv1", ".mkv")]
)
def test_joined_file_decodes_like_one(make_video, tmp_path, codec, suffix):
    pts = [0, 512, 1024, 1100, 1500, 4000, 4512, 5000, 5600, 6000, 7000, 7700, 8000]
    source = make_video(pts=pts, images=draw(13, width=96, height=80), audio=["libopus"])
    info = read_info(source)
    plan = plan_output(tmp_path / f"out{suffix}", like=info, codec=codec)
    join_segments(_write_segments(source, plan, tmp_path), plan)
    with av.logging.Capture(local=False) as messages:
        av.logging.set_level(av.logging.WARNING)
        with av.open(str(plan.path)) as container:
            decoded = [frame.pts * frame.time_base for frame in container.decode(video=0)]
        with av.open(str(plan.path)) as container:
            packets = [p for p in container.demux(video=0) if p.dts is not None]
        av.logging.set_level(None)
    assert messages == []
    unit = Fraction(1, 1000) if suffix != ".mp4" else 0
    assert max(abs(a - b * info.time_base) for a, b in zip(decoded, pts, strict=True)) <= unit
    assert all(a.dts < b.dts for a, b in zip(packets, packets[1:], strict=False))
    assert all(p.dts <= p.pts for p in packets)
    assert sum(p.is_keyframe for p in packets) >= 3


def test_the_file_is_the_same_however_often_it_broke_off(make_video, tmp_path):
    source = make_video(images=draw(20, width=160, height=120), pts=range(0, 20 * 512, 512), audio=["aac"])
    results = []
    for run in ("whole", "broken"):
        plan = plan_output(tmp_path / f"{run}.mp4", like=read_info(source))
        folder = tmp_path / run
        if run == "broken":
            _break_off(source, folder / "1.segment", plan)
            assert not list(folder.iterdir())
        for number in (0, 1, 2, 3):
            with SegmentWriter(folder / f"{number}.segment", plan) as writer:
                for frame in islice(read_frames(source, from_index=5 * number), 5):
                    writer.write(frame)
        join_segments(sorted(folder.iterdir()), plan, metadata={"comment": "x"})
        results.append(plan.path.read_bytes())
    assert results[0] == results[1]


FORMATS = [
    ("yuv420p", {}),
    ("yuv422p", {}),
    ("yuv444p", {}),
    ("yuv420p10le", {}),
    ("yuv422p10le", {"rotation": 90}),
    ("gray", {"tags": (1, 1, 1, 2), "codec": "ffv1", "name": "s.mkv", "time_base": Fraction(1, 1000)}),
    ("yuvj420p", {"tags": (6, 6, 6, 2), "codec": "mjpeg", "name": "s.avi", "time_base": Fraction(1, 30)}),
    ("yuv420p", {"rotation": 90}),
    ("yuv420p", {"rotation": 180}),
    ("bgr0", {"codec": "ffv1", "name": "s.mkv", "time_base": Fraction(1, 1000)}),
    ("yuv420p", {"codec": "libvpx-vp9", "name": "s.webm", "time_base": Fraction(1, 1000), "width": 63, "height": 49}),
    ("yuv444p", {"width": 63, "height": 49}),
]


@pytest.mark.parametrize(
    ("pix_fmt", "given"), FORMATS, ids=[f"{f}{'-' + '-'.join(g) if g else ''}" for f, g in FORMATS]
)
def test_untouched_samples_are_stored_bit_for_bit(make_video, tmp_path, pix_fmt, given):
    """Lossless, so that what was encoded can be read back."""
    size = {"width": given.pop("width", 64), "height": given.pop("height", 48)}
    pts = range(4) if given.get("time_base") == Fraction(1, 30) else range(0, 160, 40)
    source = make_video(images=draw(4, **size), pts=pts, pix_fmt=pix_fmt, **given)
    info = read_info(source)
    with VideoWriter(tmp_path / "out.mkv", like=info, codec="ffv1") as writer:
        for frame in read_frames(source):
            image, mask = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
            if frame.index % 2:
                image[12:31, 8:33], mask[12:31, 8:33] = (180, 90, 60), 1
            writer.write(frame, image, mask)
    after = read_info(tmp_path / "out.mkv")
    assert (after.planar, after.matrix, after.color) == (info.planar, info.matrix, info.color)
    changed = 0
    for index, (old, new) in enumerate(zip(_planes(source), _planes(tmp_path / "out.mkv"), strict=True)):
        for before, now in zip(old, new, strict=True):
            differs = before != now
            changed += differs.sum()
            part = (before.shape[0] * before.shape[1]) / (size["width"] * size["height"])
            assert differs.sum() <= (20 * 26 * part + 26 if index % 2 else 0)
    assert changed > 50
    shown = list(read_frames(tmp_path / "out.mkv"))[1]
    painted = shown.image[18:25, 16:25].astype(int) - (107 if pix_fmt == "gray" else (180, 90, 60))
    assert np.abs(painted).max() <= 3


def test_ten_bits_stay_ten(make_video, tmp_path):
    """A ramp of all the levels, painted in part from 16 bits."""
    source = make_video(pix_fmt="yuv420p10le", codec="ffv1", name="s.mkv", time_base=Fraction(1, 1000), pts=[0])
    (frame,) = read_frames(source)
    assert frame.deep is not None
    assert (frame.deep.dtype, frame.deep.shape) == (np.uint16, frame.image.shape)
    ramp = np.repeat(np.linspace(0, 65535, 64, dtype=np.uint16)[None, :, None], 48, axis=0).repeat(3, axis=2)
    for codec, suffix in (("ffv1", ".mkv"), ("h264", ".mp4"), ("hevc", ".mp4"), ("av1", ".webm")):
        target = tmp_path / f"out{suffix}"
        with VideoWriter(target, like=read_info(source), codec=codec, crf=None if codec == "ffv1" else 1) as writer:
            writer.write(frame, ramp, np.full((48, 64), 255, np.uint8))
        (back,) = read_frames(target)
        assert read_info(target).planar.depth == 10
        limit = 65535 / 876 if codec == "ffv1" else 800
        assert np.abs(back.deep.astype(int) - ramp).max() <= limit


def test_codec_that_cannot_hold_the_bits_says_so(make_video, tmp_path):
    kind = {"pix_fmt": "yuv420p12le", "codec": "ffv1", "name": "s.mkv", "time_base": Fraction(1, 1000)}
    source = make_video(**kind, pts=[0])
    with pytest.raises(MediaError, match=r"12 bits, got h264.*hevc"):
        plan_output(tmp_path / "out.mp4", like=read_info(source), codec="h264")


@pytest.mark.parametrize(
    ("codec", "name", "settings", "error"),
    [
        ("h265", "out.mp4", {}, "expected a codec of h264"),
        ("h264", "out.webm", {}, r"\.webm holds"),
        ("ffv1", "out.mp4", {}, r"\.mp4 holds"),
        ("h264", "out.mp4", {"crf": 99}, "0 to 51"),
        ("av1", "out.mp4", {"crf": 0}, "1 to 63"),
        ("h264", "out.mp4", {"preset": "warp"}, "ultrafast"),
        ("ffv1", "out.mkv", {"crf": 3}, "lossless"),
        ("h264_nvenc", "out.mp4", {}, r"h264_nvenc"),
        ("h264", "out.gif", {}, "they are for video"),
    ],
)
def test_wrong_settings_are_one_clear_line(make_video, tmp_path, codec, name, settings, error):
    if codec == "h264_nvenc" and _opens(codec):
        pytest.skip("this machine has that encoder")
    with pytest.raises(MediaError, match=error) as caught:
        plan_output(tmp_path / name, like=read_info(make_video()), codec=codec, **settings)
    assert "\n" not in str(caught.value)


def _opens(codec):
    try:
        context = av.CodecContext.create(codec, "w")
        context.width = context.height = 256
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 30)
        context.open()
    except (av.FFmpegError, ValueError):
        return False
    return True


def test_damaged_and_foreign_segments_are_refused(make_video, tmp_path):
    source = make_video()
    plan = plan_output(tmp_path / "out.mp4", like=read_info(source))
    files = _write_segments(source, plan, tmp_path)
    assert [Segment(file).frames for file in files] == [5, 5, 2]
    with pytest.raises(MediaError, match="same settings"):
        join_segments(files, replace(plan, codec="hevc"))
    whole = files[1].read_bytes()
    for data in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"x"):
        files[1].write_bytes(data)
        with pytest.raises(MediaError, match="missing or damaged"):
            join_segments(files, plan)
    with pytest.raises(MediaError, match="at least one frame"):
        join_segments([], plan)
    assert not plan.path.exists()


def test_a_cut_starts_at_nought_with_its_own_sound(make_video, tmp_path):
    source = make_video(pts=range(0, 60 * 512, 512), images=draw(60), audio=["aac"])
    with VideoWriter(tmp_path / "out.mp4", like=read_info(source), start=0.5, end=1.5) as writer:
        for frame in read_frames(source, start=0.5, end=1.5):
            writer.write(frame)
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [float(f.pts * f.time_base) for f in container.decode(video=0)]
    assert (len(times), times[0], round(times[-1], 6)) == (30, 0, round(29 / 30, 6))
    with av.open(str(source)) as old, av.open(str(tmp_path / "out.mp4")) as new:
        given = {bytes(p): p.pts * p.time_base for p in old.demux(audio=0) if p.pts is not None}
        kept = [(given[bytes(p)], p.pts * p.time_base) for p in new.demux(audio=0) if p.pts is not None]
    assert all(0.5 <= before < 1.5 for before, _ in kept)
    assert len(kept) == sum(0.5 <= t < 1.5 for t in given.values())
    assert max(abs(before - now - Fraction(1, 2)) for before, now in kept) <= Fraction(1, 48000)


def test_what_seals_the_file_sees_it_whole_and_a_failure_there_leaves_nothing(make_video, tmp_path):
    source, seen = make_video(), []

    def seal(path):
        seen.append(read_info(path).frames)
        assert not (tmp_path / "out.mp4").exists()
        path.write_bytes(path.read_bytes() + b"sealed")

    def refuse(path):
        raise MediaError("no ink")

    plan = plan_output(tmp_path / "out.mp4", like=read_info(source))
    files = _write_segments(source, plan, tmp_path / "parts")
    with pytest.raises(MediaError, match="no ink"):
        join_segments(files, plan, seal=refuse)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["parts", "video.mp4"]
    join_segments(files, plan, seal=seal)
    assert seen == [12]
    assert plan.path.read_bytes().endswith(b"sealed")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize(
    "matrix", [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)] + [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]
)
def test_every_turn_and_flip_is_kept(tmp_path, matrix, suffix):
    with av.open(str(tmp_path / "in.mp4"), "w") as out:
        video = out.add_stream("libx264", rate=30)
        video.width, video.height = 64, 48
        a, b, c, d = (sign * 2**16 for sign in matrix)
        video.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 2**30))
        frame = av.VideoFrame.from_ndarray(draw(1)[0], format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        out.mux(video.encode(frame) + video.encode(None))
    info = read_info(tmp_path / "in.mp4")
    assert info.matrix == matrix
    with VideoWriter(tmp_path / f"out{suffix}", like=info) as writer:
        for shown in read_frames(tmp_path / "in.mp4"):
            writer.write(shown)
    assert read_info(tmp_path / f"out{suffix}").matrix == matrix
    with VideoWriter(tmp_path / "upright.mp4", like=info, size=(128, 48)) as writer:
        writer.write(shown, np.zeros((48, 128, 3), np.uint8))
    assert read_info(tmp_path / "upright.mp4").matrix == (1, 0, 0, 1)


def test_an_interlaced_film_says_what_becomes_of_it(tmp_path, caplog):
    with av.open(str(tmp_path / "film.mkv"), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"x264-params": "tff=1"})
        video.width, video.height = 64, 64
        frame = av.VideoFrame.from_ndarray(draw(1, height=64)[0], format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(video.encode(frame) + video.encode(None))
    plan_output(tmp_path / "out.mkv", like=read_info(tmp_path / "film.mkv"))
    assert [r.getMessage() for r in caplog.records] == [
        f"{tmp_path / 'film.mkv'} is interlaced; its fields are encoded as whole frames"
    ]


@pytest.mark.parametrize("given", ["", "colorprim=bt2020"])
def test_x264_is_kept_from_avx512_which_is_not_repeatable(monkeypatch, given):
    options = {"crf": "17", **({"x264-params": given} if given else {})}
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda feature: False)
    assert repeatable("libx264", options) == options
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda feature: feature == 13)
    assert repeatable("libx265", options) == options
    assert repeatable("libx264", options)["x264-params"].split(":") == ["asm=avx2", *([given] if given else [])]
    assert "x264-params" in options if given else "x264-params" not in options


def test_the_same_pictures_give_the_same_bytes(make_video, tmp_path):
    source = make_video(images=draw(6), pts=range(0, 6 * 512, 512))
    plan, frames = plan_output(tmp_path / "o.mp4", like=read_info(source)), list(read_frames(source))

    def encode(number):
        with SegmentWriter(tmp_path / f"{number}.segment", plan) as writer:
            for frame in frames:
                writer.write(frame)
        return (tmp_path / f"{number}.segment").read_bytes()

    assert len({encode(number) for number in range(40)}) == 1
