"""One live line on stderr while frames pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


def with_progress(
    items: Iterable[T], total: int | None, what: str, *, done: int = 0, counts: Callable[[T], bool] | None = None
) -> Generator[T, None, None]:
    """Show how far a pass is, how fast, and the time left; only where stderr is a terminal.

    Args:
        items: what passes.
        total: how many there will be, those done before included; None if nobody knows.
        what: what is being done.
        done: how many an earlier run has done.
        counts: whether an item is a frame; all are if None.

    Yields:
        The same items.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[speed]:.1f} frames/s")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total or None, completed=done, speed=0.0)
        for item in items:
            if counts is None or counts(item):
                progress.update(task, advance=1, speed=progress.tasks[0].speed or 0.0)
            yield item
