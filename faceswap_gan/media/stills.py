"""What a still holds beside its colours: transparency, and the profile that says what the colours mean."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.folders import may_be_turned
from faceswap_gan.media.images import decode_file, is_picture

_PNG = b"\x89PNG\r\n\x1a\n"
_MARK = b"ICC_PROFILE\0"
_PART = 65519
ALPHA_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".webp"})
"""Formats that hold transparency."""


def read_alpha(path: Path) -> NDArray[Any] | None:
    """Read a picture's transparency: uint8 or uint16 (H, W), upright, opaque at the top.

    Returns:
        None if there is none, or if the colours do not tell which way it lies.
    """
    if not is_picture(path) or path.suffix.lower() not in ALPHA_SUFFIXES:
        return None
    picture = decode_file(path, cv2.IMREAD_UNCHANGED)
    if picture.shape[2:] != (4,):
        return None
    return _upright(path, picture[..., 3]) if may_be_turned(path) else picture[..., 3]


def _upright(path: Path, alpha: NDArray[Any]) -> NDArray[Any] | None:
    """Turn transparency as OpenCV turns the colours, by EXIF, which it does not where it reads both."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    stored, shown = decode_file(path, flags | cv2.IMREAD_IGNORE_ORIENTATION), decode_file(path, flags)
    ways = [(turns, flips) for turns in range(4) for flips in (False, True)]
    found = [_turn(alpha, *way) for way in ways if np.array_equal(_turn(stored, *way), shown)]
    return found[0] if found and all(np.array_equal(one, found[0]) for one in found) else None


def _turn(picture: NDArray[Any], turns: int, flips: bool) -> NDArray[Any]:
    turned = np.rot90(picture, turns)
    return turned[:, ::-1] if flips else turned


def read_profile(path: Path) -> bytes | None:
    """Read the ICC profile of a PNG or JPEG; None if it has none that is whole and describes RGB, which we write.

    References:
        PNG specification (2003), 11.3.3.3 iCCP; ICC.1:2022, 7.2.6 data colour space and annex B.4 JPEG.
    """
    data = path.read_bytes() if is_picture(path) else b""
    profile = _from_png(data) if data.startswith(_PNG) else None
    if data.startswith(b"\xff\xd8"):
        profile = _from_jpeg(data)
    return profile if profile and profile[16:20] == b"RGB " else None


def add_profile(data: bytes, profile: bytes | None) -> bytes:
    """Put an ICC profile into an encoded PNG or JPEG; other formats come back unchanged."""
    if not profile:
        return data
    if data.startswith(_PNG):
        body = b"iCCP" + b"ICC profile\0\0" + zlib.compress(profile)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        end_of_header = len(_PNG) + 25
        return data[:end_of_header] + chunk + data[end_of_header:]
    if data.startswith(b"\xff\xd8"):
        parts = [profile[at : at + _PART] for at in range(0, len(profile), _PART)]
        segments = (
            b"\xff\xe2" + struct.pack(">H", len(part) + 16) + _MARK + bytes((number, len(parts))) + part
            for number, part in enumerate(parts, 1)
        )
        return data[:2] + b"".join(segments) + data[2:]
    return data


def _from_png(data: bytes) -> bytes | None:
    at = len(_PNG)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IDAT":
            return None
        if kind == b"iCCP":
            packed = data[at + 8 : at + 8 + size].partition(b"\0")[2][1:]
            try:
                return zlib.decompressobj().decompress(packed, 1 << 24) or None
            except zlib.error:
                return None
        at += size + 12
    return None


def _from_jpeg(data: bytes) -> bytes | None:
    parts, at = {}, 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + size]
        if data[at + 1] == 0xE2 and body.startswith(_MARK) and len(body) > len(_MARK) + 2:
            parts[body[12]] = (body[13], body[14:])
        at += 2 + max(2, size)
    whole = bool(parts) and all(parts.get(number) for number in range(1, next(iter(parts.values()))[0] + 1))
    return b"".join(parts[number][1] for number in sorted(parts)) if whole else None
