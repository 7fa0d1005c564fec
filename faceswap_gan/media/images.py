"""Pictures on disk and RGB arrays in memory.

BGR, EXIF and alpha channels end here: everything above sees RGB uint8 (H, W, 3).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.media.disk import flush

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
DEEP_SUFFIXES = frozenset({".png", ".tif", ".tiff"})
"""Formats that hold 16 bits a sample."""
_QUALITY = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],
}


def is_picture(path: Path) -> bool:
    """Tell whether a path names a still picture, by its suffix."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def list_images(folder: Path) -> list[Path]:
    """List the pictures directly inside a folder, sorted by name; hidden files are left out.

    Raises:
        MediaError: the folder does not exist.
    """
    if not folder.is_dir():
        raise MediaError(f"expected a folder of pictures, got {folder}, which is none; check the path.")
    return sorted(p for p in folder.iterdir() if p.is_file() and is_picture(p) and p.name[0] != ".")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a picture upright.

    EXIF orientation is applied, an alpha channel is dropped, grey is widened to three channels, 16 bit
    becomes 8 bit.

    Returns:
        RGB picture, uint8 (H, W, 3).

    Raises:
        MediaError: the file is missing or is no picture.
    """
    return np.asarray(cv2.cvtColor(decode_file(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def read_deep_image(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a picture upright with all its bits, else as `read_image`.

    Returns:
        RGB picture (H, W, 3): uint16 with white at 65535 where the file has more than 8 bits a sample, else uint8.

    Raises:
        MediaError: the file is missing or is no picture.
    """
    bgr = decode_file(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return read_image(path) if bgr.dtype not in (np.uint8, np.uint16) else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Read a one-channel mask; colour pictures become their luma.

    Returns:
        Mask, uint8 (H, W), 255 = inside.

    Raises:
        MediaError: the file is missing or is no picture.
    """
    return np.asarray(decode_file(path, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def encode_image(image: NDArray[np.uint8] | NDArray[np.uint16], suffix: str) -> bytes:
    """Encode a picture in memory.

    Args:
        image: RGB (H, W, 3), RGBA (H, W, 4) or grey (H, W); uint8, or uint16 for one of `DEEP_SUFFIXES`.
        suffix: picture format by file suffix, such as ``.png``.

    Raises:
        MediaError: the format is not one we write, or the array is no such picture.
    """
    if suffix.lower() not in PICTURE_SUFFIXES:
        known = ", ".join(sorted(PICTURE_SUFFIXES))
        raise MediaError(f"expected a picture suffix ({known}), got {suffix!r}; rename the output.")
    deep = image.dtype == np.uint16 and suffix.lower() in DEEP_SUFFIXES
    if not (deep or image.dtype == np.uint8) or image.ndim not in (2, 3):
        raise MediaError(f"expected a uint8 (H, W, 3) or (H, W) picture, got {image.dtype} {image.shape}.")
    swapped = cv2.COLOR_RGBA2BGRA if image.shape[2:] == (4,) else cv2.COLOR_RGB2BGR
    pixels = cv2.cvtColor(image, swapped) if image.ndim == 3 else image
    done, data = cv2.imencode(suffix.lower(), pixels, _QUALITY.get(suffix.lower(), []))
    if not done:
        raise MediaError(f"could not encode a {image.shape} picture as {suffix}; choose .png.")
    return bytes(data.tobytes())


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture, whole or not at all; the suffix decides the format.

    Args:
        path: where to; its folder is made when missing.
        image: RGB uint8 (H, W, 3), or grey uint8 (H, W).

    Raises:
        MediaError: unknown suffix, wrong array or a disk that does not take it.
    """
    write_whole(path, encode_image(image, path.suffix))


def write_mask(path: Path, mask: NDArray[np.uint8]) -> None:
    """Write a one-channel mask, uint8 (H, W), whole or not at all.

    Raises:
        MediaError: unknown suffix, wrong array or a disk that does not take it.
    """
    if mask.ndim != 2:
        raise MediaError(f"expected a mask of shape (H, W), got {mask.shape}; drop the channel axis.")
    write_image(path, mask)


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write bytes under a temporary name beside the path, then rename into place.

    Args:
        path: where.
        data: what.
        durable: wait until they are on the disk, so that a power cut right after leaves no empty file.

    Raises:
        MediaError: the disk does not take it.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(data)
            if durable:
                flush(partial)
            partial.replace(path)
            if durable:
                flush(path.parent)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise MediaError(f"could not write {path}: {error.strerror}; check folder and free space.") from error


def resize(image: NDArray[np.uint8], size: int | tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a picture or mask: area average when it shrinks, cubic when it grows.

    Args:
        image: uint8 (H, W, 3) or (H, W).
        size: side of a square, or (width, height), px.
    """
    width, height = (size, size) if isinstance(size, int) else size
    if (width, height) == image.shape[1::-1]:
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def to_float(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Map uint8 [0, 255] to float32 [-1, 1], any shape."""
    return np.asarray(image, dtype=np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Map float [-1, 1] to uint8 [0, 255], any shape; rounds, and clips what lies outside."""
    scaled = (np.asarray(image, dtype=np.float32) + np.float32(1)) * np.float32(127.5)
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)


def decode_file(path: Path, flags: int) -> NDArray[Any]:
    """Decode a picture as OpenCV gives it, blue first, by its own flags.

    Raises:
        MediaError: the file is missing or is no picture.
    """
    data = _read_bytes(path)
    try:
        picture = cv2.imdecode(data, flags)
    except cv2.error as error:  # a size that cannot be true; how OpenCV says so has several lines
        raise MediaError(_not_a_picture(path)) from error
    if picture is None:
        raise MediaError(_not_a_picture(path))
    return np.asarray(picture)


def _read_bytes(path: Path) -> NDArray[np.uint8]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MediaError(f"expected a picture at {path}: {error.strerror}; check the path.") from error
    if not data:
        raise MediaError(_not_a_picture(path))
    return np.frombuffer(data, dtype=np.uint8)


def _not_a_picture(path: Path) -> str:
    known = ", ".join(sorted(PICTURE_SUFFIXES))
    return f"expected a picture ({known}), got {path}, which does not decode; it may be damaged."
