"""The training loop: rate, step, report, preview, checkpoint, stop."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from faceswap_gan.config import Settings
from faceswap_gan.errors import ModelError
from faceswap_gan.training.batches import BatchMaker, FaceSet, prefetch
from faceswap_gan.training.checkpoint import Checkpoint, State, load_networks, load_variables, save_checkpoint
from faceswap_gan.training.log import Report, TrainingLog
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.preview import Previewer
from faceswap_gan.training.schedule import learning_rate
from faceswap_gan.training.steps import Step

log = logging.getLogger(__name__)

_REPORT_STEPS = 25


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
    """Time between preview sheets."""

    def progress(self, state: State) -> float:
        """Return the share of the run that is done, in [0, 1]; 1 ends it."""
        shares = [state.step / self.steps] if self.steps is not None else []
        if self.minutes is not None:
            shares.append(state.seconds / (60.0 * self.minutes))
        return min(1.0, max(shares))


def train(
    people: Mapping[str, FaceSet],
    networks: Networks,
    step: Step,
    settings: Settings,
    *,
    model: Path,
    budget: Budget,
    checkpoint: Checkpoint | None = None,
) -> State:
    """Train until the budget is used up; Ctrl-C saves and raises KeyboardInterrupt.

    Args:
        people: the faces of both people.
        networks: the model's networks.
        step: their step, compiled.
        settings: the model's settings.
        model: the model folder.
        budget: when to stop.
        checkpoint: where to go on from; None starts with the networks as they are.

    Returns:
        Where training stands.

    Raises:
        ModelError: a loss is no finite number; the last checkpoint is kept.
        KeyboardInterrupt: the user stopped it; everything is saved.
    """
    state = _restore(checkpoint, networks, step)
    preview = Previewer(people, networks, model / "preview")
    save = _Timer(budget.save_minutes)
    draw = _Timer(budget.preview_minutes)
    batches = prefetch(BatchMaker(people, settings).make, start=state.step)
    with _stop_at_ctrl_c() as stopped, TrainingLog(model / "logs", step=state.step) as journal:
        clock = _Clock(state)
        while (progress := budget.progress(state)) < 1.0 and not stopped():
            step.optimizer.learning_rate = learning_rate(settings.training, step=state.step, progress=progress)
            _, batch = next(batches)
            step.train_on_batch(batch, return_dict=True)
            state = clock.tick(state)
            if state.step % _REPORT_STEPS == 0:
                journal.write(clock.report(state, _finite(step.read_means(), state.step), budget))
                step.restart_means()
            if draw.due():
                preview.write(state.step)
                clock.resume()
            if save.due():
                save_checkpoint(model, networks, step.state_variables, state)
                clock.resume()
        batches.close()
        save_checkpoint(model, networks, step.state_variables, state)
        preview.write(state.step)
    log.info("%s: step %d after %.1f minutes, saved", model, state.step, state.seconds / 60.0)
    if stopped():
        raise KeyboardInterrupt
    return state


def _restore(checkpoint: Checkpoint | None, networks: Networks, step: Step) -> State:
    """Read everything back from a checkpoint, if there is one, and tell where training stands."""
    if checkpoint is None:
        return State()
    load_networks(checkpoint, networks)
    load_variables(checkpoint, step.state_variables)
    return checkpoint.state


class _Clock:
    """Counts the time that training takes, without previews and checkpoints."""

    def __init__(self, state: State) -> None:
        self._last = time.monotonic()
        self._reported = state

    def resume(self) -> None:
        """Start counting again after something that is not training."""
        self._last = time.monotonic()

    def tick(self, state: State) -> State:
        """Count one more step."""
        now = time.monotonic()
        elapsed, self._last = now - self._last, now
        return State(state.step + 1, state.seconds + elapsed)

    def report(self, state: State, losses: Mapping[str, float], budget: Budget) -> Report:
        """Describe the steps since the last report."""
        before, self._reported = self._reported, state
        progress = budget.progress(state)
        speed = (state.step - before.step) / max(state.seconds - before.seconds, 1e-9)
        left = _left(budget, state, speed)
        return Report(state.step, state.seconds / 60.0, speed, left if progress < 1.0 else 0.0, losses)


def _left(budget: Budget, state: State, speed: float) -> float:
    """Return the seconds until the steps or the minutes are used up, whichever comes first."""
    ends = [] if budget.steps is None else [(budget.steps - state.step) / speed]
    if budget.minutes is not None:
        ends.append(60.0 * budget.minutes - state.seconds)
    return min(ends)


class _Timer:
    """Tells when so many minutes have passed since it last told."""

    def __init__(self, minutes: float) -> None:
        self._seconds = 60.0 * minutes
        self._last = time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True


def _finite(losses: Mapping[str, float], step: int) -> Mapping[str, float]:
    wrong = [name for name, value in losses.items() if not math.isfinite(value)]
    if wrong:
        raise ModelError(
            f"training diverged at step {step}: {', '.join(wrong)} is no finite number. "
            "The last checkpoint is kept; run again to go on from it."
        )
    return losses


@contextmanager
def _stop_at_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a question asked between steps, so that no step is cut in half."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
