"""Times that grow, whatever the file says: where they jump back, all that follows is moved on as one piece."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

_MARGIN = 5
"""Steps that a time may lie back and still be a single wrong one, as where the order of decoding shows through."""

_NEAR = Fraction(1, 10)
"""s, how much nearer to the pictures a stream's own offset must put a packet to be the right one still."""
_ANEW = Fraction(1, 2)
"""s, how far a packet must lie back to begin anew; less is sound that runs on past its pictures."""
_LEAST = Fraction(1, 1000)
"""s between two packets where the later one was squeezed behind the other; containers round less away."""


class Timeline:
    """One stream's times, each later than the one before.

    Two recordings in a row start anew in the middle: from there on every time is moved by the same offset, so that
    pictures keep their spacing. A jump that the very next time takes back was one wrong time.

    Args:
        step: units between two pictures or packets.
    """

    def __init__(self, step: int) -> None:
        self.offset = 0
        self.last: int | None = None
        self._step = max(1, step)
        self._given: int | None = None
        self._before: tuple[int, int] | None = None

    def next(self) -> int:
        """Give the time that follows by itself."""
        self.last = 0 if self.last is None else self.last + self._step
        return self.last

    def place(self, given: int) -> int:
        """Give the time at which something goes that is due at a given one."""
        last = self.last
        if self._before and given > self._before[0]:
            self.offset = self._before[1]
        self._before = None
        time = given + self.offset
        if last is not None and time < last - _MARGIN * self._step:
            self._before = (self._given or 0, self.offset)
            self.offset, time = last + self._step - given, last + self._step
        elif last is not None and time <= last:
            time = last + 1
        self.last, self._given = time, given
        return time


class Follower:
    """Packets of sound and the like, moved as the pictures beside them are.

    Args:
        video: the stream of pictures; None if there is none.
        strict: whether the output wants each packet of sound later than the one before.
    """

    def __init__(self, video: Any, *, strict: bool) -> None:
        rate = Fraction((video and video.guessed_rate) or 25)
        self._unit = Fraction(video.time_base) if video else Fraction(1)
        self._pictures = Timeline(round(1 / (rate * self._unit)))
        self._strict = strict
        self._moved: dict[int, Fraction] = {}
        self._last: dict[int, int] = {}
        self.squeezed = 0

    def watch(self, packet: Any) -> None:
        """Take notice of a packet of pictures."""
        self._pictures.place(packet.dts)

    def move(self, packet: Any) -> None:
        """Move a packet's times to where it belongs."""
        unit, index = Fraction(packet.time_base), packet.stream.index
        last = self._last.get(index)
        offset = self._offset(packet.dts * unit, index)
        due = packet.dts + round(offset / unit)
        gap = math.ceil(_LEAST / unit) if packet.stream.type == "audio" else 0
        if last is not None and due < last - _ANEW / unit:  # the file starts anew, and no picture has told of it
            due = last + max(gap, packet.duration or 0)
            offset = (due - packet.dts) * unit
        elif last is not None and (due < last or (self._strict and gap and due == last)):
            due = last + gap
            self.squeezed += 1
        self._moved[index], self._last[index] = offset, due
        if packet.pts is not None:
            packet.pts += due - packet.dts
        packet.dts = due

    def _offset(self, given: Fraction, index: int) -> Fraction:
        """Choose between a stream's own offset and that of the pictures: which puts a packet nearer to them."""
        own, theirs = self._moved.get(index, Fraction(0)), self._pictures.offset * self._unit
        if own == theirs or self._pictures.last is None:
            return own
        now = self._pictures.last * self._unit
        return own if abs(given + own - now) + _NEAR < abs(given + theirs - now) else theirs
