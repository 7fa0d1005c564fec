"""Room for a person's decoded faces: memory while they fit, a mapped file when they do not."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.training.host import free_bytes

Bytes = NDArray[np.uint8]

_SHARE = 0.5  # of the free memory that faces may take: networks, batches and the other person need the rest
_GIB = 2.0**30

log = logging.getLogger(__name__)


def allocate(shapes: Sequence[tuple[int, ...]], *, name: str, what: str = "decoded faces") -> list[Bytes]:
    """Make arrays that hold anything, and say in one line where they are and why.

    They are in memory where they take at most half of what is free, else in files that the system keeps in memory as
    far as it can. These lie in the folder that ``TMPDIR`` names, in ``/var/tmp`` or in the system's folder for
    temporary files, without a name: they vanish with the arrays, however the program ends, a kill included.

    Args:
        shapes: of the arrays.
        name: whose they are, for the log.
        what: what they hold, for the log.

    Returns:
        uint8 arrays of these shapes.

    Raises:
        MediaError: neither memory nor disk has the room.
    """
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    total, free = sum(sizes), free_bytes()
    said = f"{total / _GIB:.2f} GiB of {what}"
    if total <= _SHARE * free:
        log.info("%s: %s are kept in memory, of which %.1f GiB are free", name, said, free / _GIB)
        return [np.empty(shape, np.uint8) for shape in shapes]
    folder = _folder()
    log.info(
        "%s: %s are kept in a mapped file in %s, as only %.1f GiB of memory are free", name, said, folder, free / _GIB
    )
    on_disk = shutil.disk_usage(folder).free
    if total > on_disk:
        raise MediaError(
            f"{name}: expected {total / _GIB:.1f} GiB free in {folder} for {what}, got {on_disk / _GIB:.1f}; "
            "make room, set TMPDIR to another folder, or train on fewer or smaller faces."
        )
    return [_map(folder, shape, size, what) for shape, size in zip(shapes, sizes, strict=True)]


def _folder() -> Path:
    """Choose where large temporary files belong; ``/tmp`` may itself be memory, ``/var/tmp`` is not."""
    disk = Path("/var/tmp")  # noqa: S108
    return disk if "TMPDIR" not in os.environ and disk.is_dir() else Path(tempfile.gettempdir())


def _map(folder: Path, shape: tuple[int, ...], size: int, what: str) -> Bytes:
    """Map a new file without a name; the mapping outlives its being closed."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a disk that fills up later would end the program
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.uint8, "w+", shape=shape).view(np.ndarray)
    except OSError as error:
        raise MediaError(
            f"no room for {size / _GIB:.1f} GiB of {what} in {folder}: {error.strerror}; "
            "make room or set TMPDIR to another folder."
        ) from error
