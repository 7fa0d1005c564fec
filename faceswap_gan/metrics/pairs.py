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
        tolerance: frames whose times differ by at most this many seconds belong together; None pairs those of one
            number.

    Yields:
        One pair for each frame of the footage. Frames of the other video that belong to none are skipped.
    """
    rest = _Peek(other)
    for frame in footage:
        yield Pair(frame, rest.take(frame, tolerance=tolerance))


class _Peek:
    """Frames with the next two in view."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._rest = iter(frames)
        self._head = next(self._rest, None)
        self._after = next(self._rest, None)

    def take(self, frame: Frame, *, tolerance: float | None) -> Image | None:
        """Give the picture that belongs to a frame, once; None where there is none."""
        is_there = self._seek_number(frame.index) if tolerance is None else self._seek_time(frame.seconds, tolerance)
        shown = self._head if is_there else None
        if shown is None:
            return None
        self._advance()
        return shown.image

    def _advance(self) -> None:
        self._head, self._after = self._after, next(self._rest, None)

    def _seek_number(self, number: int) -> bool:
        while self._head is not None and self._head.index < number:
            self._advance()
        return self._head is not None and self._head.index == number

    def _seek_time(self, seconds: float, tolerance: float) -> bool:
        """Pass over frames as long as the one after is nearer to a time."""
        while (
            self._head is not None
            and self._after is not None
            and abs(self._after.seconds - seconds) < abs(self._head.seconds - seconds)
        ):
            self._advance()
        return self._head is not None and abs(self._head.seconds - seconds) <= tolerance


def with_truth(pairs: Iterable[Pair], truth: Iterable[Frame], *, tolerance: float | None) -> Iterator[Pair]:
    """Add to each pair the frame of a third video, the true swap, that belongs to the footage's.

    Args:
        pairs: in order, some of the footage's frames or all.
        truth: in order; pairs beyond its end have no truth.
        tolerance: as in `pair_frames`.
    """
    rest = _Peek(truth)
    for pair in pairs:
        yield replace(pair, truth=rest.take(pair.footage, tolerance=tolerance))


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
