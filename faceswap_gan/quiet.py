"""Silence: for native code, which writes past Python's own stderr, and for what will be logged again."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _NativeStderr:
    """File descriptor 2, discarded as long as any thread asks for that: it is one for all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = 0
        self._kept: int | None = None

    def discard(self) -> None:
        with self._lock:
            if self._asked == 0 and (kept := _copy(2)) is not None:
                self._kept = kept
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, 2)
                os.close(nothing)
            self._asked += 1

    def restore(self) -> None:
        with self._lock:
            self._asked -= 1
            if self._asked == 0 and self._kept is not None:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = None


_native_stderr = _NativeStderr()


@contextmanager
def no_native_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, which native code uses; restored when all threads are out."""
    _native_stderr.discard()
    try:
        yield
    finally:
        _native_stderr.restore()


def _copy(descriptor: int) -> int | None:
    """Copy a file descriptor; None where the process has no such."""
    try:
        return os.dup(descriptor)
    except OSError:
        return None


@contextmanager
def no_log(name: str) -> Iterator[None]:
    """Let a part of the library log errors only, where it is tried first what will be done, and told, later."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
