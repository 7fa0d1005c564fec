"""A reader of the published layout of OpenEXR, as far as masks need it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def read_exr(data: bytes) -> tuple[dict[str, bytes], NDArray[np.float16]]:
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
