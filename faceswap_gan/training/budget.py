"""When a run ends, and the time that training takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from faceswap_gan.training.checkpoint import State
from faceswap_gan.training.devices import first_says
from faceswap_gan.training.log import Report


@dataclass(frozen=True)
class Budget:
    """When a run ends and what it does meanwhile."""

    steps: int | None = None
    """Updates in all, earlier runs included; None: as many as the minutes allow."""
    minutes: float | None = None
    """Time in all, earlier runs included; None: as long as the steps take."""
    save_minutes: float = 2.0
    """Time between checkpoints."""
    preview_minutes: float = 3.0
    """Time between preview sheets, and between measurements on held-out faces."""

    def progress(self, state: State) -> float:
        """Return the share of the run that is done, in [0, 1]; 1 ends it."""
        shares = [state.step / self.steps] if self.steps is not None else []
        if self.minutes is not None:
            shares.append(state.seconds / (60.0 * self.minutes))
        return min(1.0, max(shares))

    def left_s(self, state: State, steps_per_s: float) -> float:
        """Return the seconds until the steps or the minutes are used up, whichever comes first."""
        ends = [] if self.steps is None else [(self.steps - state.step) / steps_per_s]
        if self.minutes is not None:
            ends.append(60.0 * self.minutes - state.seconds)
        return max(0.0, min(ends))


class Clock:
    """Counts the time that training takes, without previews and checkpoints.

    Args:
        state: where training stands.
    """

    def __init__(self, state: State) -> None:
        self._last = _now()
        self._reported = state

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Do not count what is no training."""
        before = _now()
        yield
        self._last += _now() - before

    def tick(self, state: State) -> State:
        """Count one more step."""
        now = _now()
        elapsed, self._last = now - self._last, now
        return replace(state, step=state.step + 1, seconds=state.seconds + elapsed)

    def report(self, state: State, losses: Mapping[str, float], budget: Budget) -> Report:
        """Describe the steps since the last report."""
        before, self._reported = self._reported, state
        speed = (state.step - before.step) / max(state.seconds - before.seconds, 1e-9)
        return Report(state.step, state.seconds / 60.0, speed, budget.left_s(state, speed), losses)


class Timer:
    """Tells when so many minutes have passed since it last told.

    Args:
        minutes: how many.
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60.0 * minutes
        self._last = _now()

    @property
    def is_due(self) -> bool:
        """Whether they have passed."""
        return _now() - self._last >= self._seconds

    def restart(self) -> None:
        """Begin to wait again."""
        self._last = _now()


def _now() -> float:
    """Return the time in seconds, of the first machine where several train: all must save and stop together."""
    return first_says(time.monotonic())
