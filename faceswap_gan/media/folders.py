"""A folder of pictures as footage: what can be refused of it before a picture is decoded."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import list_images, read_image
from faceswap_gan.media.xmp import webp_size

if TYPE_CHECKING:
    from faceswap_gan.media.video import VideoInfo

_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274  # tags of TIFF, and so of EXIF
_SHORT, _LONG = 3, 4
_EXIF = b"Exif\0\0"
_HAS_EXIF = 0x08  # of a WebP
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # JPEG: tables among the numbers of start-of-frame markers


def check_pictures(like: VideoInfo, *, keeps_names: bool) -> None:
    """Refuse a folder whose pictures do not make one video.

    Sizes are read off headers; only where a header does not tell, or tells another size, the picture is decoded.

    Args:
        like: the folder, described by its first picture.
        keeps_names: whether each picture's result goes by its name, and ends in .png.

    Raises:
        MediaError: a picture of another size, or two whose results would have one name.
    """
    pictures = list_images(like.path)
    named: dict[str, Path] = {}
    for picture in pictures if keeps_names else ():
        other = named.setdefault(picture.stem.casefold(), picture)  # many systems do not tell a.png from A.png
        if other is not picture:
            raise MediaError(
                f"expected pictures of different names in {like.path}, got {other.name} and {picture.name}, whose "
                f"results would both be {picture.stem}.png; rename one."
            )
    wanted = like.width, like.height
    for picture in pictures:
        if read_size(picture) != wanted and (size := _decoded_size(picture)) != wanted:
            raise MediaError(
                f"expected pictures of {wanted[0]}x{wanted[1]} in {like.path}, as {pictures[0].name} is, got "
                f"{picture.name} of {size[0]}x{size[1]}; resize it, or move it elsewhere."
            )


def read_size(path: Path) -> tuple[int, int] | None:
    """Read a picture's width and height, px, upright, off its header; None where only its decoding tells.

    References:
        PNG specification (2003), 11.2.2; ITU-T T.81, B.2.2; CIPA DC-008 (Exif 2.32), 4.6; TIFF 6.0, section 2; WebP
        container specification.
    """
    try:
        with path.open("rb") as file:
            start = file.read(32)
            if start.startswith(_PNG):
                return _of_png(file, start)
            if start.startswith(b"\xff\xd8"):
                return _of_jpeg(file)
            if start[:4] in _TIFF:
                tags = _read_tags(file)
                return (tags[_WIDTH], tags[_HEIGHT]) if tags.get(_ORIENTATION, 1) == 1 else None
            if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
                return _of_webp(start)
            if start.startswith(b"BM") and struct.unpack("<I", start[14:18])[0] >= 40:
                width, height = struct.unpack("<ii", start[18:26])
                return width, abs(height)
    except (OSError, KeyError, ValueError, struct.error):
        pass
    return None


def _decoded_size(path: Path) -> tuple[int, int]:
    height, width = read_image(path).shape[:2]
    return width, height


def _of_png(file: BinaryIO, start: bytes) -> tuple[int, int] | None:
    """Read a PNG's header; one with EXIF before its samples may be turned."""
    file.seek(len(_PNG))
    while True:
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"eXIf":
            return None
        if kind == b"IDAT":
            width, height = struct.unpack(">II", start[16:24])
            return width, height
        file.seek(size + 4, io.SEEK_CUR)


def _of_jpeg(file: BinaryIO) -> tuple[int, int]:
    """Read a JPEG's segments up to the one that says its size; EXIF says whether it lies on its side."""
    file.seek(2)
    sideways = False
    while True:
        filled, marker = struct.unpack(">BB", file.read(2))
        if marker == 0xFF:  # any number of them may stand before a marker
            file.seek(-1, io.SEEK_CUR)
            continue
        if filled != 0xFF:
            raise ValueError("no marker")
        (size,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">xHH", file.read(5))
            return (height, width) if sideways else (width, height)
        body = file.read(max(size - 2, 0))
        if marker == 0xE1 and body.startswith(_EXIF):
            sideways = _read_tags(io.BytesIO(body[len(_EXIF) :])).get(_ORIENTATION) in range(5, 9)


def _of_webp(start: bytes) -> tuple[int, int] | None:
    if start[12:16] == b"VP8X":
        width, height = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (24, 27))
        return None if start[20] & _HAS_EXIF else (width, height)
    return webp_size(start[12:16], start[20:30])[:2]


def _read_tags(file: BinaryIO) -> dict[int, int]:
    """Read the single whole numbers of a TIFF's first directory."""
    file.seek(0)
    head = file.read(8)
    order = _TIFF[head[:4]]
    file.seek(struct.unpack(order + "I", head[4:])[0])
    (count,) = struct.unpack(order + "H", file.read(2))
    tags = {}
    for _ in range(count):
        entry = file.read(12)
        tag, kind, many = struct.unpack(order + "HHI", entry[:8])
        if many == 1 and kind in (_SHORT, _LONG):
            (tags[tag],) = struct.unpack(
                order + ("H" if kind == _SHORT else "I"), entry[8 : 10 if kind == _SHORT else 12]
            )
    return tags
