"""A folder of pictures as footage: what can be refused of it before a picture is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from warnings import catch_warnings

from PIL import Image
from PIL.ExifTags import Base

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import list_images, read_image

if TYPE_CHECKING:
    from faceswap_gan.media.video import VideoInfo

_UPRIGHT, _SIDEWAYS = 1, range(5, 9)  # values of EXIF's orientation


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
    """Read a picture's width and height, px, upright, off its header; None where that does not tell."""
    header = _read_header(path)
    if header is None:
        return None
    size, orientation = header
    return size[::-1] if orientation in _SIDEWAYS else size


def may_be_turned(path: Path) -> bool:
    """Tell whether a picture's header says that it is not stored upright, or says nothing."""
    header = _read_header(path)
    return header is None or header[1] != _UPRIGHT


def _read_header(path: Path) -> tuple[tuple[int, int], int] | None:
    """Read the stored width and height, px, and EXIF's orientation."""
    try:
        with catch_warnings(action="ignore"), Image.open(path) as picture:  # of pictures that are large or odd
            return picture.size, int(picture.getexif().get(Base.Orientation, _UPRIGHT))
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError):
        return None


def _decoded_size(path: Path) -> tuple[int, int]:
    height, width = read_image(path).shape[:2]
    return width, height
