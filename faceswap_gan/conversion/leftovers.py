"""What an earlier, longer result left in the folder that a new one's pictures go to."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import list_images
from faceswap_gan.media.xmp import read_xmp

OWN_MARK = "face swapped by faceswap_gan"
"""Words by which every result of this program names itself, in its comment."""

log = logging.getLogger(__name__)

_NUMBERED = re.compile(r"\d{6,}\.png")


def remove_leftovers(footage: Path, output: Path, written: Collection[str]) -> None:
    """Delete the pictures that would be taken for a part of a new result: they are of an earlier one.

    Those are gone that bear this program's mark and a name which this footage gives: a number, or for a folder of
    pictures a name of one of them. Whatever else the folder holds stays.

    Args:
        footage: what the result was made of.
        output: the finished result; nothing is done to a file.
        written: names of its pictures.

    Raises:
        MediaError: one cannot be deleted.
    """
    if not output.is_dir():
        return
    known = {f"{picture.stem}.png" for picture in list_images(footage)} if footage.is_dir() else None
    gone = 0
    for picture in list_images(output):
        is_named = _NUMBERED.fullmatch(picture.name) is not None if known is None else picture.name in known
        if picture.name in written or not is_named:
            continue
        try:
            if OWN_MARK in read_xmp(picture.read_bytes()).get("comment", ""):
                picture.unlink()
                gone += 1
        except OSError as error:
            raise MediaError(
                f"could not delete {picture} of an earlier result ({error.strerror}); delete it, and run again."
            ) from error
    if gone:
        log.info("%s: %d pictures that an earlier result left there are gone", output, gone)
