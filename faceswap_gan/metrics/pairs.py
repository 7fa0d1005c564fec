"""The footage's frames beside those of another video, and blocks of them that stand for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.video import Frame

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """A frame of the footage and what another video shows then.

    Attributes:
        footage: the frame of the footage.
        image: RGB uint8 (H, W, 3) of the other video; None where it has no frame.
        truth: what that should be, RGB uint8 (H, W, 3); None where it is unknown.
    """

    footage: Frame
    image: Image | None
    truth: Image | None = None


def pair_frames(footage: Iterable[Frame], other: Iterable[Frame], *, tolerance: float | None) -> Iterator[Pair]:
    """Lay two videos' frames side by side; holds two frames of the other video.

    Args:
        footage: in order.
        other: in order.
        tolerance: frames whose times differ by at most this many seconds belong together; None pairs first
            with first and so on.

    Yields:
        One pair for each frame of the footage. Frames of the other video that belong to none are skipped.
    """
    rest = _Peek(other)
    for frame in footage:
        if tolerance is not None:
            rest.seek(frame.seconds)
        shown = rest.head
        if shown is None or (tolerance is not None and abs(shown.seconds - frame.seconds) > tolerance):
            yield Pair(frame, None)
            continue
        yield Pair(frame, shown.image)
        rest.advance()


class _Peek:
    """Frames with the next two in view."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._rest = iter(frames)
        self.head = next(self._rest, None)
        self._after = next(self._rest, None)

    def advance(self) -> None:
        self.head, self._after = self._after, next(self._rest, None)

    def seek(self, seconds: float) -> None:
        """Pass over frames as long as the one after is nearer to a time."""
        while (
            self.head is not None
            and self._after is not None
            and abs(self._after.seconds - seconds) < abs(self.head.seconds - seconds)
        ):
            self.advance()


def with_truth(pairs: Iterable[Pair], truth: Iterable[Frame]) -> Iterator[Pair]:
    """Add to each pair the frame of the same number of a third video, the true swap.

    Args:
        pairs: in order.
        truth: in order, at least up to the last pair's number; pairs beyond its end have no truth.
    """
    rest = iter(truth)
    frame = next(rest, None)
    for pair in pairs:
        while frame is not None and frame.index < pair.footage.index:
            frame = next(rest, None)
        there = frame is not None and frame.index == pair.footage.index
        yield replace(pair, truth=frame.image) if frame is not None and there else pair


def choose_blocks(count: int, wanted: int, *, block: int = 15) -> NDArray[np.int64]:
    """Choose blocks of consecutive frames, spread evenly over a video.

    Args:
        count: frames of the video.
        wanted: how many to choose; all where the video has no more.
        block: frames a block.

    Returns:
        int64 (m,) frame numbers, ascending.
    """
    if count <= wanted:
        return np.arange(count)
    blocks = max(1, wanted // block)
    starts = np.linspace(0, count - block, blocks).astype(np.int64)
    return np.unique(starts[:, None] + np.arange(min(block, count)))


def pick(frames: Iterable[Frame], numbers: NDArray[np.int64]) -> Iterator[Frame]:
    """Let only some frames pass; stops reading after the last of them.

    Args:
        frames: in order.
        numbers: of those to pass, ascending.
    """
    wanted = set(numbers.tolist())
    last = int(numbers[-1]) if len(numbers) else -1
    for frame in frames:
        if frame.index > last:
            return
        if frame.index in wanted:
            yield frame
        if frame.index == last:
            return
