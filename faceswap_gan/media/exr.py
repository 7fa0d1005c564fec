"""Grey pictures as OpenEXR, the format of compositors."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_HALF, _ZIPS, _INCREASING = 1, 2, 0


def encode_exr(picture: NDArray[np.floating]) -> bytes:
    """Encode a grey picture as OpenEXR: one channel ``Y`` of half floats, each row deflated losslessly.

    Args:
        picture: float (H, W), linear.

    References:
        "OpenEXR file layout" and "Technical introduction to OpenEXR", Academy Software Foundation; ZIPS compression.
    """
    height, width = picture.shape
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = b"".join(
        [
            struct.pack("<2i", 20000630, 2),
            _attribute("channels", "chlist", b"Y\0" + struct.pack("<iB3x2i", _HALF, 0, 1, 1) + b"\0"),
            _attribute("compression", "compression", bytes([_ZIPS])),
            _attribute("dataWindow", "box2i", window),
            _attribute("displayWindow", "box2i", window),
            _attribute("lineOrder", "lineOrder", bytes([_INCREASING])),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1)),
            b"\0",
        ]
    )
    rows = [_deflate(row.tobytes()) for row in picture.astype("<f2")]
    chunks = [struct.pack("<2i", y, len(row)) + row for y, row in enumerate(rows)]
    starts = np.cumsum([len(header) + 8 * height, *(len(chunk) for chunk in chunks[:-1])])
    return header + starts.astype("<u8").tobytes() + b"".join(chunks)


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return f"{name}\0{kind}\0".encode() + struct.pack("<i", len(value)) + value


def _deflate(row: bytes) -> bytes:
    """Set low and high bytes apart, keep the differences, and deflate; a row that grows stays as it is."""
    values = np.frombuffer(row, np.uint8)
    apart = np.concatenate([values[::2], values[1::2]])
    changes = apart.copy()
    changes[1:] = apart[1:] - apart[:-1] + np.uint8(128)
    packed = zlib.compress(changes.tobytes())
    return packed if len(packed) < len(row) else row
