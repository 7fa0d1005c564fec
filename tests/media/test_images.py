"""Pictures on disk: orientation, channels, whole writes."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import (
    encode_image,
    is_picture,
    list_images,
    read_image,
    read_mask,
    resize,
    to_float,
    to_uint8,
    write_image,
    write_mask,
    write_whole,
)


@pytest.fixture
def corners():
    """A picture whose four quarters differ: red, green / blue, white."""
    image = np.zeros((32, 48, 3), np.uint8)
    image[:16, :24] = 255, 0, 0
    image[:16, 24:] = 0, 255, 0
    image[16:, :24] = 0, 0, 255
    image[16:, 24:] = 255, 255, 255
    return image


def _with_orientation(jpeg: bytes, orientation: int) -> bytes:
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + b"\0\0\0\0"
    payload = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_round_trip_is_exact(tmp_path, corners, suffix):
    path = tmp_path / f"new/folder/p{suffix}"
    write_image(path, corners)
    assert np.array_equal(read_image(path), corners)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_exif_orientation_is_honoured(tmp_path, corners, orientation, turns):
    path = tmp_path / "p.jpg"
    path.write_bytes(_with_orientation(encode_image(corners, ".jpg"), orientation))
    upright = np.rot90(corners, turns)
    got = read_image(path)
    assert got.shape == upright.shape
    assert np.abs(got[4:8, 4:8].astype(int) - upright[4:8, 4:8]).max() < 30


def test_alpha_is_dropped_grey_widened_depth_cut(tmp_path, corners):
    rgba = np.dstack([corners[..., ::-1], np.full(corners.shape[:2], 7, np.uint8)])
    cv2.imwrite(str(tmp_path / "rgba.png"), rgba)
    assert np.array_equal(read_image(tmp_path / "rgba.png"), corners)
    cv2.imwrite(str(tmp_path / "grey.png"), corners[..., 0])
    assert np.array_equal(read_image(tmp_path / "grey.png")[..., 2], corners[..., 0])
    cv2.imwrite(str(tmp_path / "deep.png"), corners[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_image(tmp_path / "deep.png"), corners)


def test_masks_keep_one_channel(tmp_path):
    mask = np.arange(64, dtype=np.uint8).reshape(8, 8)
    write_mask(tmp_path / "m.png", mask)
    assert np.array_equal(read_mask(tmp_path / "m.png"), mask)
    with pytest.raises(MediaError, match="shape"):
        write_mask(tmp_path / "m.png", np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize("data", [b"", b"not a picture"])
def test_damaged_picture_is_one_clear_error(tmp_path, data):
    (tmp_path / "p.png").write_bytes(data)
    with pytest.raises(MediaError, match="does not decode"):
        read_image(tmp_path / "p.png")


def test_missing_or_unwritable_files_are_clear_errors(tmp_path, corners):
    with pytest.raises(MediaError, match="check the path"):
        read_image(tmp_path / "none.png")
    with pytest.raises(MediaError, match="suffix"):
        write_image(tmp_path / "p.txt", corners)
    with pytest.raises(MediaError, match="uint8"):
        write_image(tmp_path / "p.png", corners.astype(np.float32))
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="could not write"):
        write_image(tmp_path / "file" / "p.png", corners)
    with pytest.raises(MediaError, match="folder"):
        list_images(tmp_path / "none")


def test_list_images_sorts_and_leaves_out_the_rest(tmp_path, corners):
    for name in ("b.png", "a.JPG", ".hidden.png", "note.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.name for p in list_images(tmp_path)] == ["a.JPG", "b.png"]
    assert is_picture(tmp_path / "a.JPG")
    assert not is_picture(tmp_path / "a.mp4")


def test_float_and_back_is_exact():
    levels = np.arange(256, dtype=np.uint8)
    assert to_float(levels).dtype == np.float32
    assert to_float(levels).min() == -1
    assert to_float(levels).max() == 1
    assert np.array_equal(to_uint8(to_float(levels)), levels)
    assert list(to_uint8(np.array([-3.0, 3.0]))) == [0, 255]


def test_resize_takes_a_side_or_width_and_height(corners):
    assert resize(corners, 20).shape == (20, 20, 3)
    assert resize(corners[..., 0], (10, 30)).shape == (30, 10)
    assert resize(corners, (48, 32)) is corners


def test_durable_bytes_are_on_the_disk_before_they_have_their_name(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr("os.fsync", lambda descriptor: named.append((tmp_path / "a").exists()))
    write_whole(tmp_path / "a", b"x", durable=True)
    assert named == [False, True], "the file, then its folder"
    write_whole(tmp_path / "b", b"x")
    assert len(named) == 2
