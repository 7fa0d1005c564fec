"""Stills, folders of pictures and GIFs, in and out."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from zlib import crc32

import av
import cv2
import numpy as np
import pytest
from fakes import draw

from faceswap_gan.errors import MediaError
from faceswap_gan.media.folders import read_size
from faceswap_gan.media.images import encode_image, list_images, read_deep_image, read_image, write_image
from faceswap_gan.media.stills import add_profile, read_alpha, read_profile
from faceswap_gan.media.video import VideoWriter, plan_output, read_frames, read_info


def _copy(source, target, **settings):
    with VideoWriter(target, like=read_info(source), **settings) as writer:
        for frame in read_frames(source):
            writer.write(frame)


@pytest.fixture
def folder(tmp_path):
    pictures = tmp_path / "pictures"
    for number, image in enumerate(draw(5)):
        write_image(pictures / f"shot_{9 + number:02d}.png", image)
    (pictures / "notes.txt").write_text("no picture")
    return pictures


def test_a_folder_is_a_video_of_25_frames_a_second_sorted_by_name(folder):
    info, frames = read_info(folder), list(read_frames(folder))
    assert (info.frames, info.width, info.height, info.frame_rate, info.duration) == (5, 64, 48, 25, 0.2)
    assert [f.seconds for f in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert all(np.array_equal(f.image, image) for f, image in zip(frames, draw(5), strict=True))
    assert [f.index for f in read_frames(folder, start=0.05, end=0.16)] == [2, 3]


def test_a_folder_goes_to_a_folder_of_the_same_names_bit_for_bit(folder, tmp_path):
    _copy(folder, tmp_path / "out", metadata={"comment": "made by"})
    written = list_images(tmp_path / "out")
    assert [p.name for p in written] == [p.name for p in list_images(folder)]
    assert all(np.array_equal(read_image(p), image) for p, image in zip(written, draw(5), strict=True))
    assert all(b"made by" in p.read_bytes() for p in written)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "pictures"]


def test_a_folder_goes_to_a_video_and_back(folder, tmp_path):
    _copy(folder, tmp_path / "out.mp4")
    assert read_info(tmp_path / "out.mp4").planar.name == "yuv420p"
    _copy(tmp_path / "out.mp4", tmp_path / "again")
    back = list_images(tmp_path / "again")
    assert [p.name for p in back] == [f"{n:06d}.png" for n in range(5)]
    assert all(np.abs(read_image(p).astype(int) - i).mean() < 4 for p, i in zip(back, draw(5), strict=True))


def test_pictures_of_two_sizes_are_refused(folder, tmp_path):
    write_image(folder / "shot_99.png", draw(1, width=32)[0])
    with pytest.raises(MediaError, match="64x48"):
        _copy(folder, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["pictures"]


def test_pictures_of_two_sizes_are_refused_by_name_before_any_is_read(folder, tmp_path, monkeypatch):
    write_image(folder / "shot_12.png", draw(1, width=48, height=64)[0])
    for target in ("out", "out.mp4"):
        with pytest.raises(
            MediaError, match=r"of 64x48 in .*, as shot_09\.png is, got shot_12\.png of 48x64; resize"
        ):
            plan_output(tmp_path / target, like=read_info(folder))
    (folder / "shot_12.png").unlink()
    info, decoded = read_info(folder), []
    monkeypatch.setattr("faceswap_gan.media.folders.read_image", decoded.append)
    plan_output(tmp_path / "out", like=info)
    assert decoded == []


def test_pictures_of_any_sizes_are_read_where_nothing_is_written(folder):
    write_image(folder / "shot_12.png", draw(1, width=48, height=80)[0])
    assert [f.image.shape[:2] for f in read_frames(folder)] == [(48, 64)] * 3 + [(80, 48), (48, 64)]


def test_pictures_whose_results_would_share_a_name_are_refused(folder, tmp_path):
    info = read_info(folder)
    for name in ("shot_10.jpg", "SHOT_10.JPG"):
        write_image(folder / name, draw(1)[0])
        with pytest.raises(
            MediaError, match=r"of different names .* would both be shot_10\.png; rename one"
        ) as caught:
            plan_output(tmp_path / "out", like=info)
        assert name in str(caught.value)
        assert plan_output(tmp_path / "out.mp4", like=info).container == "mp4"
        (folder / name).unlink()


def _turned(jpeg, orientation, *, order="<"):
    """A JPEG whose EXIF says how it lies."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    exif = b"Exif\0\0" + head + struct.pack(order + "HHIHH", 274, 3, 1, orientation, 0) + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_a_header_tells_the_size(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_image(path, draw(1)[0])
    assert read_size(path) == (64, 48)
    data = path.read_bytes()
    for length in (0, 3, 11, 25, 40):
        path.write_bytes(data[:length])
        assert read_size(path) in (None, (64, 48))
    assert read_size(tmp_path / "none.png") is None


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(10))
def test_the_size_is_that_of_the_picture_as_it_is_read(tmp_path, orientation, order):
    path = tmp_path / "a.jpg"
    path.write_bytes(_turned(encode_image(draw(1)[0], ".jpg"), orientation, order=order))
    assert read_size(path) == read_image(path).shape[1::-1]


def test_a_folder_is_listed_once_however_many_pictures_it_has(folder, tmp_path, monkeypatch):
    listed = []
    whole = list_images
    monkeypatch.setattr("faceswap_gan.media.pictures.list_images", lambda path: listed.append(path) or whole(path))
    _copy(folder, tmp_path / "out")
    assert listed == [folder]


def test_a_failed_folder_leaves_nothing_and_an_old_one_keeps_what_is_not_written(folder, tmp_path):
    old = tmp_path / "out"
    write_image(old / "mine.png", draw(1)[0])
    _copy(folder, old)
    assert sorted(p.name for p in old.iterdir()) == ["mine.png", *(f"shot_{n:02d}.png" for n in range(9, 14))]


@pytest.mark.parametrize("is_there", [False, True])
def test_all_pictures_are_on_the_disk_before_they_have_their_names(folder, tmp_path, monkeypatch, is_there):
    target = tmp_path / "out"
    if is_there:
        target.mkdir()
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda opened: flushed.append((os.fstat(opened).st_ino, len(_names(target)))))
    _copy(folder, target)
    pictures = {(path.stat().st_ino, 0) for path in target.iterdir()}
    assert len(pictures) == 5
    assert set(flushed[:5]) == pictures
    assert {(path.stat().st_ino, 5) for path in (target, tmp_path)} >= set(flushed[6:])
    assert flushed[-1] == (tmp_path.stat().st_ino, 5)


def _names(path):
    return list(path.iterdir()) if path.exists() else []


def test_gif_keeps_its_times_and_loops(make_video, tmp_path):
    pts = [0, 768, 1536, 6144, 6912]  # hundredths of a second: 0, 5, 10, 40, 45
    source = make_video(pts=pts, images=draw(5))
    _copy(source, tmp_path / "out.gif")
    frames = list(read_frames(tmp_path / "out.gif"))
    assert [round(f.seconds * 100) for f in frames] == [0, 5, 10, 40, 45]
    assert max(np.abs(f.image.astype(int) - i).mean() for f, i in zip(frames, draw(5), strict=True)) < 8
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in (tmp_path / "out.gif").read_bytes()
    _copy(tmp_path / "out.gif", tmp_path / "out.mp4")
    assert [round(f.seconds * 100) for f in read_frames(tmp_path / "out.mp4")] == [0, 5, 10, 40, 45]
    assert read_info(tmp_path / "out.mp4").planar.name == "yuv420p"


def test_gif_keeps_how_long_its_last_picture_is_shown(tmp_path):
    with av.open(str(tmp_path / "in.gif"), "w", options={"final_delay": "70"}) as out:
        stream = out.add_stream("gif", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
        stream.codec_context.time_base = Fraction(1, 100)
        for when, image in zip((0, 5, 30), draw(3), strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="rgb8")
            frame.pts, frame.time_base = when, Fraction(1, 100)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    _copy(tmp_path / "in.gif", tmp_path / "out.gif")
    for name in ("in.gif", "out.gif"):
        shown = [float(frame.duration * frame.time_base) for frame in read_frames(tmp_path / name)]
        assert shown == pytest.approx([0.05, 0.25, 0.7])


@pytest.mark.parametrize("name", ["result", "x.mp4", "x.gif"])
def test_a_file_where_a_folder_is_meant_and_the_reverse_is_refused_at_once(make_video, tmp_path, name):
    info, path = read_info(make_video()), tmp_path / name
    if "." in name:
        path.mkdir()
        words = rf"a file at .*{name}, got a folder"
    else:
        path.write_text("x")
        words = r"a folder of pictures at .*result, got a file"
    with pytest.raises(MediaError, match=words):
        plan_output(path, like=info)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay_sixteen(tmp_path, suffix):
    deep = np.random.default_rng(5).integers(0, 65536, (48, 64, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / f"in{suffix}"), deep[..., ::-1])
    (frame,) = read_frames(tmp_path / f"in{suffix}")
    assert np.array_equal(frame.deep, deep)
    image, mask = frame.deep.copy(), np.zeros((48, 64), np.uint8)
    image[:9], mask[:9] = 40000, 255
    with VideoWriter(tmp_path / f"out{suffix}", like=read_info(tmp_path / f"in{suffix}")) as writer:
        writer.write(frame, image, mask)
    assert np.array_equal(read_deep_image(tmp_path / f"out{suffix}"), image)
    _copy(tmp_path / f"in{suffix}", tmp_path / "out.mp4")
    assert read_info(tmp_path / "out.mp4").planar.depth == 10


def test_an_absurd_size_in_a_header_is_refused_before_memory_is_taken(tmp_path):
    write_image(tmp_path / "a.bmp", draw(1)[0])
    data = bytearray((tmp_path / "a.bmp").read_bytes())
    data[18:26] = (30000).to_bytes(4, "little") * 2
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(MediaError, match="does not decode") as caught:
        read_image(tmp_path / "a.bmp")
    assert "\n" not in str(caught.value)


def test_transparency_stays(tmp_path):
    given = np.random.default_rng(2).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), given)
    _copy(tmp_path / "in.png", tmp_path / "out.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED), given)
    _copy(tmp_path / "in.png", tmp_path / "out.jpg")
    assert read_alpha(tmp_path / "out.jpg") is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_transparency_is_turned_as_the_picture_is(tmp_path, orientation):
    given = np.random.default_rng(2).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    given[..., 3] = given[..., 0]
    _write_turned(tmp_path / "in.png", given, orientation)
    _copy(tmp_path / "in.png", tmp_path / "out.png")
    found = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(found[..., :3], cv2.imread(str(tmp_path / "in.png"), cv2.IMREAD_COLOR))
    assert np.array_equal(found[..., 3], found[..., 0])


def test_transparency_that_may_lie_any_way_is_left_out(tmp_path):
    given = np.full((48, 48, 4), 90, np.uint8)
    given[:9, :9, 3] = 255
    _write_turned(tmp_path / "in.png", given, 6)
    assert read_alpha(tmp_path / "in.png") is None


def _write_turned(path, picture, orientation):
    """Write a PNG whose EXIF says how it lies."""
    data = cv2.imencode(".png", picture)[1].tobytes()
    body = b"eXIf" + b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 274, 3, 1, orientation, 0) + bytes(4)
    path.write_bytes(data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", crc32(body)) + data[33:])


@pytest.mark.parametrize(
    ("source", "target"), [(".jpg", ".jpg"), (".jpg", ".png"), (".png", ".jpg"), (".png", ".png")]
)
def test_colour_profile_stays(tmp_path, source, target):
    profile = _profile(b"RGB ")
    (tmp_path / f"in{source}").write_bytes(add_profile(encode_image(draw(1)[0], source), profile))
    _copy(tmp_path / f"in{source}", tmp_path / f"out{target}", metadata={"comment": "x"})
    assert read_profile(tmp_path / f"out{target}") == profile
    assert read_image(tmp_path / f"out{target}").shape == (48, 64, 3)


def _profile(space):
    """A profile of a colour space, long enough for two segments of a JPEG."""
    filler = np.random.default_rng(4).integers(0, 256, 70_000, dtype=np.uint8).tobytes()
    return filler[:16] + space + filler[20:]


@pytest.mark.parametrize("space", [b"GRAY", b"CMYK"])
@pytest.mark.parametrize("source", [".jpg", ".png"])
def test_a_profile_of_other_colours_than_are_written_is_left_out(tmp_path, source, space):
    (tmp_path / f"in{source}").write_bytes(add_profile(encode_image(draw(1)[0], source), _profile(space)))
    _copy(tmp_path / f"in{source}", tmp_path / "out.png")
    assert b"iCCP" not in (tmp_path / "out.png").read_bytes()


def test_a_damaged_profile_is_left_out(tmp_path):
    for suffix in (".jpg", ".png"):
        data = add_profile(encode_image(draw(1)[0], suffix), _profile(b"RGB "))
        (tmp_path / f"in{suffix}").write_bytes(
            data.replace(b"\x01\x02", b"\x01\x03", 1) if suffix == ".jpg" else data[:60]
        )
        assert read_profile(tmp_path / f"in{suffix}") is None
    assert read_profile(tmp_path) is None
