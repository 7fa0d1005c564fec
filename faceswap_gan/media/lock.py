"""A lock on a file that goes with the process that holds it, however that ends."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import BinaryIO

from faceswap_gan.errors import MediaError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

log = logging.getLogger(__name__)

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_TRIES = 8
_BEYOND = 2**30  # where Windows locks: past all text, which others may read then


def lock_file(path: Path) -> BinaryIO | None:
    """Open a file, with its folder, and lock it against every other process until it is closed.

    The system takes the lock back when the process ends, even when it is killed. Where a file system has no locks
    the file is open without one, and a warning says so.

    Args:
        path: the file, made when missing.

    Returns:
        The open file, for bytes to be appended; None where somebody else holds it.

    Raises:
        MediaError: it cannot be made.
    """
    for left in reversed(range(_TRIES)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("ab")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and left:
                continue  # whoever held the folder has just removed it
            raise MediaError(f"could not write {path}: {error.strerror}; check folder and free space.") from error
        if not _lock(file, path):
            file.close()
            return None
        if _is_still(file, path):
            return file
        file.close()
    return None


def _lock(file: BinaryIO, path: Path) -> bool:
    """Lock an open file, without waiting; False where somebody else holds it."""
    try:
        if sys.platform == "win32":
            file.seek(_BEYOND)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        log.warning("%s cannot be locked (%s): run nothing else on the same output", path, error.strerror)
    return True


def _is_still(file: BinaryIO, path: Path) -> bool:
    """Tell whether a path still names an open file; whoever held the lock before may have deleted it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
