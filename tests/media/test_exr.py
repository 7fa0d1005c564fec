"""OpenEXR as written, read by a reader of the published layout, and by the format's own library where it is."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from faceswap_gan.media.exr import encode_exr


def _read(data):
    """Read a one-channel ZIPS file of half floats; returns attributes and picture."""
    assert struct.unpack_from("<2i", data) == (20000630, 2)
    at, attributes = 8, {}
    while data[at]:
        name_end = data.index(0, at)
        kind_end = data.index(0, name_end + 1)
        (size,) = struct.unpack_from("<i", data, kind_end + 1)
        attributes[data[at:name_end].decode()] = data[kind_end + 5 : kind_end + 5 + size]
        at = kind_end + 5 + size
    _, _, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right + 1, bottom + 1
    rows = []
    for i, start in enumerate(struct.unpack_from(f"<{height}Q", data, at + 1)):
        y, size = struct.unpack_from("<2i", data, start)
        assert y == i
        packed = data[start + 8 : start + 8 + size]
        if size < 2 * width:
            changes = zlib.decompress(packed)
            apart = [changes[0]]
            for change in changes[1:]:
                apart.append((apart[-1] + change - 128) % 256)
            half = (len(apart) + 1) // 2
            packed = bytes(apart[i // 2 + (half if i % 2 else 0)] for i in range(len(apart)))
        rows.append(np.frombuffer(packed, "<f2"))
    return attributes, np.stack(rows)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (48, 64)])
@pytest.mark.parametrize("smooth", [True, False])
def test_every_value_comes_back(shape, smooth):
    random = np.random.default_rng(0).random(shape)
    picture = np.linspace(0, 1, random.size).reshape(shape) if smooth else random
    attributes, back = _read(encode_exr(picture))
    np.testing.assert_array_equal(back, picture.astype(np.float16))
    assert attributes["channels"].startswith(b"Y\0")


def test_the_format_s_own_library_reads_it(tmp_path):
    library = pytest.importorskip("OpenEXR")
    picture = np.linspace(0, 1, 30 * 40).reshape(30, 40)
    (tmp_path / "mask.exr").write_bytes(encode_exr(picture))
    found = library.File(str(tmp_path / "mask.exr")).channels()["Y"].pixels
    np.testing.assert_array_equal(found, picture.astype(np.float16))
