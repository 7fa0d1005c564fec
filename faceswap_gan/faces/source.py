"""What names a video: its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.media.images import list_images


def hash_source(path: Path) -> str:
    """Name a video by its content; a folder of pictures by their names and contents.

    Returns:
        The sha256, hexadecimal.

    Raises:
        FaceFolderError: it cannot be read.
    """
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        whole = hashlib.sha256()
        for picture in list_images(path):
            whole.update(picture.name.encode() + b"\0" + hashlib.sha256(picture.read_bytes()).digest())
        return whole.hexdigest()
    except OSError as error:
        raise FaceFolderError(f"{path} cannot be read: {error.strerror}. Give an existing video.") from error
