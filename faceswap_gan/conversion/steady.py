"""Numbers measured in every frame, smoothed over time so that nothing they steer flickers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

GAP = 0.5
"""Seconds without a face after which its numbers start anew."""


@dataclass(frozen=True)
class _Last:
    at: float
    values: Floats
    level: Floats


class Steady:
    """Follows numbers of one face over time.

    Args:
        seconds: time in which a change is followed to 63 %.
        gap: s without the face after which the next numbers start anew.
        jump: change of the face's mean colour, in levels, that is taken for a cut.
    """

    def __init__(self, *, seconds: float = 0.4, gap: float = GAP, jump: float = 24.0) -> None:
        self._seconds, self._gap, self._jump = seconds, gap, jump
        self._last: _Last | None = None

    def update(self, found: Floats, at: float, level: Floats) -> Floats:
        """Take in a frame's numbers, give back the smoothed ones.

        Args:
            found: what was measured in this frame, float32 of any shape, the same every time.
            at: the frame's time, s.
            level: mean colour of the face in the frame, float32 (3,) in [0, 255].
        """
        steady, last = found, self._last
        if last is not None and 0 <= at - last.at <= self._gap:
            part = np.float32(1 - np.exp((last.at - at) / self._seconds))
            if float(np.abs(level - last.level).max()) <= self._jump:
                steady = last.values + part * (found - last.values)
        self._last = _Last(at, steady, level)
        return steady

    def state(self) -> dict[str, Any] | None:
        """Give what `restore` goes on from: plain numbers, exact in JSON; None before the first frame."""
        if self._last is None:
            return None
        return {"at": self._last.at, "values": self._last.values.tolist(), "level": self._last.level.tolist()}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Go on from a `state` as if there had been no pause."""
        self._last = None
        if state is not None:
            values, level = (np.asarray(state[key], np.float32) for key in ("values", "level"))
            self._last = _Last(float(state["at"]), values, level)
