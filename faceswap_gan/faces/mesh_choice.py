"""Which picture of the source a frame is painted from: near in pose and expression, and no flicker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FADE = 0.2
"""Time over which one picture gives way to another, s."""

_SWITCH = 0.8
_LEAP = 0.3
_FLOW = 0.15
_NEIGHBOURS = 2
_NEAR = 1.5
_GAP = 0.5


@dataclass(frozen=True)
class Share:
    """How much of a frame's face is painted from a picture: its number, and a weight in (0, 1]."""

    picture: int
    weight: float


class SourceChooser:
    """Chooses pictures for consecutive frames.

    The cheapest path through the frames known so far: each frame costs the distance between its look and its
    picture's; going from a picture to another costs something too, least where the second follows the first in
    their own video and looks alike.

    Args:
        looks: float (n, d), pose and expression of the pictures in their order, see `describe_look`.

    References:
        Viterbi, "Error bounds for convolutional codes and an asymptotically optimum decoding algorithm", IEEE
        Transactions on Information Theory 13 (1967).
    """

    def __init__(self, looks: Floats) -> None:
        self._looks = np.asarray(looks, np.float32)
        apart = _distances(self._looks, self._looks)
        order = np.arange(len(looks))
        steps = np.abs(order[:, None] - order)
        self._flows = (steps <= _NEIGHBOURS) & (apart < _NEAR)
        self._change = np.where(self._flows, _FLOW * apart, _SWITCH + _LEAP * apart).astype(np.float32)
        np.fill_diagonal(self._change, 0)

    def choose(self, wanted: Floats, last: int | None) -> int:
        """Choose the picture of a frame, knowing some frames after it.

        Args:
            wanted: float (t, d), looks of this frame and of those that follow.
            last: the picture of the frame before; None at a start.

        Returns:
            Number of the picture.
        """
        costs = _distances(np.asarray(wanted, np.float32), self._looks)
        ahead = np.zeros(len(self._looks), np.float32)  # cost of the frames after this one, by its picture
        for cost in costs[:0:-1]:
            ahead = (self._change + (cost + ahead)).min(axis=1)
        before = 0 if last is None else self._change[last]
        return int(np.argmin(before + costs[0] + ahead))

    def flows(self, first: int, second: int) -> bool:
        """Tell whether one picture may follow another at once, without a fade."""
        return bool(self._flows[first, second])


class Fade:
    """Lets one picture give way to another over a few frames.

    Args:
        chooser: knows which pictures follow each other without a jump.
    """

    def __init__(self, chooser: SourceChooser) -> None:
        self._chooser = chooser
        self._now: int | None = None
        self._old: int | None = None
        self._start = self._last = -np.inf

    @property
    def picture(self) -> int | None:
        """The picture that was chosen last; None at a start."""
        return self._now

    def update(self, picture: int, at: float) -> tuple[Share, ...]:
        """Take in a frame's picture, give back what to paint from.

        Args:
            picture: number of the chosen picture.
            at: the frame's time, s.

        Returns:
            One or two shares whose weights sum to 1.
        """
        if self._now is None or not 0 <= at - self._last <= _GAP:
            self._now, self._old = picture, None
        elif not self._chooser.flows(self._now, picture):
            done = self._part(at)
            self._old = self._now if self._old is None or done > 0.5 else self._old
            self._start = self._last
        self._now, self._last = picture, at
        part = self._part(at)
        if self._old is None or part >= 1:
            self._old = None
            return (Share(picture, 1.0),)
        return (Share(picture, part), Share(self._old, 1 - part))

    def _part(self, at: float) -> float:
        return float(np.clip((at - self._start) / FADE, 0.0, 1.0))


def _distances(first: Floats, second: Floats) -> Floats:
    """Distances between rows, float32 (n, m)."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)
