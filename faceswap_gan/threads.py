"""Iterators that run ahead of their reader in a thread of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_END: Any = object()


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
