"""Silence: for native code, which writes past Python's own stderr, and for what will be logged again."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_native_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, which native code uses; restored on the way out."""
    try:
        kept = os.dup(2)
    except OSError:  # the process has no such descriptor: nothing to keep clean
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


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
