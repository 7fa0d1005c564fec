"""Threads that share few cores: iterators that run ahead of their reader, and OpenCV kept from running its own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import cv2

T = TypeVar("T")

_FEW_CORES = 4

_END: Any = object()


def count_cores() -> int:
    """Count the cores that this program may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Keep OpenCV from splitting its work where the stages of a pipeline fill the few cores there are.

    Its threads would then wait for each other, busily: of a conversion on two cores they took a thirteenth. Holds for
    the whole program; on more cores nothing is changed.
    """
    before = cv2.getNumThreads()
    if count_cores() <= _FEW_CORES:
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def in_thread(source: Iterable[T], *, ahead: int) -> Generator[T, None, None]:
    """Run an iterator in a thread, a few items ahead of its reader.

    Chained, these make a pipeline whose stages run side by side; the slowest sets the pace, and what waits
    between two of them is bounded. Whatever ends the reading (the last item, an error on either side, Ctrl-C,
    ``close``) also ends the thread, after the item that it is at, and closes the source: nothing is left running.

    Args:
        source: what to run; only this thread advances it, and closes it if it can be closed.
        ahead: items made before they are asked for, at least 1; one more is in the reader's hands.

    Yields:
        The source's items, in order; an error of the source is raised where its item would have come.
    """
    items = iter(source)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting: deque[Future[T]] = deque(thread.submit(next, items, _END) for _ in range(ahead))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(thread.submit(next, items, _END))
                yield item
        finally:
            for future in waiting:
                future.cancel()
            thread.submit(_close, items).result()


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
