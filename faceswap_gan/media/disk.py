"""When a file is on the disk, not only on its way there."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

_CANNOT_TELL = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


def flush(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk, as far as the file system can tell.

    Raises:
        OSError: the disk does not take it.
    """
    is_folder = path.is_dir()
    if is_folder and sys.platform == "win32":
        return  # Windows opens no folders
    opened = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)  # Windows flushes what may be written
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _CANNOT_TELL:
            raise
    finally:
        os.close(opened)
