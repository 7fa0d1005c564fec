"""The training loop: rate, step, report, preview, checkpoint, stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from faceswap_gan.config import Settings
from faceswap_gan.errors import DivergedError, ModelError
from faceswap_gan.training.batches import BatchMaker, prefetch
from faceswap_gan.training.best import Best, find_best, forget_best, mark_best
from faceswap_gan.training.budget import Budget, Clock, Timer
from faceswap_gan.training.checkpoint import (
    Checkpoint,
    State,
    amend_state,
    drop_since,
    find_checkpoint,
    load_networks,
    load_variables,
    save_checkpoint,
)
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.guard import Guard
from faceswap_gan.training.held_out import HeldOut, Scores, hold_out
from faceswap_gan.training.lessons import Lessons
from faceswap_gan.training.log import Report, TrainingLog
from faceswap_gan.training.networks import Networks, build_painter
from faceswap_gan.training.preview import Previewer
from faceswap_gan.training.schedule import find_phase, learning_rate
from faceswap_gan.training.steps import Step

log = logging.getLogger(__name__)

_REPORT_STEPS = 25
_MOST_ROLLBACKS = 3
_SLOWER = 0.5  # share of the rate that a rollback leaves


def train(
    people: Mapping[str, FaceSet],
    networks: Networks,
    step: Step,
    settings: Settings,
    *,
    model: Path,
    budget: Budget,
    checkpoint: Checkpoint | None = None,
    lessons: Mapping[str, Lessons] | None = None,
) -> State:
    """Train until the budget is used up; Ctrl-C saves and raises KeyboardInterrupt.

    Training that diverges goes back to the last checkpoint, and on from there at half the rate. So it does at its end
    if that looks like a collapse; where the user stops it then, the last checkpoint stays as it is.

    Args:
        people: the faces of both people.
        networks: the model's networks.
        step: their step, compiled.
        settings: the model's settings.
        model: the model folder.
        budget: when to stop.
        checkpoint: where to go on from; None starts with the networks as they are.
        lessons: what a teacher shows, by whose footage it is.

    Returns:
        Where training stands.

    Raises:
        ModelError: training diverged after three rollbacks; the last checkpoint is kept.
        KeyboardInterrupt: the user stopped it; everything that is good is saved.
    """
    run = _Run(people, networks, step, settings, model, lessons)
    state = run.begin() if checkpoint is None else run.load(checkpoint)
    with _stop_at_ctrl_c() as stopped, TrainingLog(model / "logs", step=state.step) as journal:
        while budget.progress(state) < 1.0 and not stopped():
            try:
                state = run.go_on(state, budget, journal, stopped)
            except DivergedError as reason:
                state = run.roll_back(reason, state)
                journal.cut(state.step)
    log.info("%s: step %d after %.1f minutes, saved", model, state.step, state.seconds / 60.0)
    if stopped():
        raise KeyboardInterrupt
    return state


class _Run:
    """What training works on."""

    def __init__(
        self,
        people: Mapping[str, FaceSet],
        networks: Networks,
        step: Step,
        settings: Settings,
        model: Path,
        lessons: Mapping[str, Lessons] | None,
    ) -> None:
        self._networks = networks
        self._step = step
        self._settings = settings
        self._model = model
        painters = {side: build_painter(networks, side) for side in people}
        trained, held_out = hold_out(people, settings.training.held_out)
        self._batches = BatchMaker(trained, settings, lessons)
        self._preview = Previewer(people, painters, model / "preview")
        self._held_out = HeldOut(held_out, trained, painters) if held_out else None

    def go_on(self, state: State, budget: Budget, journal: TrainingLog, stopped: Callable[[], bool]) -> State:
        """Make steps until the budget is used up or the user stops it, and save; the main loop."""
        step, rates = self._step, self._settings.training
        guard, clock = Guard(self._settings.losses, state.step), Clock(state)
        save, look = Timer(budget.save_minutes), Timer(budget.preview_minutes)
        began, report = state.step, None
        seen: Scores | None = None
        with closing(prefetch(self._batches.make, start=state.step)) as batches:
            while (progress := budget.progress(state)) < 1.0 and not stopped():
                step.optimizer.learning_rate = state.rate * learning_rate(rates, step=state.step, progress=progress)
                step.enter(find_phase(self._settings, progress))
                _, batch = next(batches)
                step.train_on_batch(batch, return_dict=True)
                state = clock.tick(state)
                if state.step % _REPORT_STEPS == 0:
                    report = clock.report(state, step.read_means(), budget)
                    guard.check(state.step, report.losses)
                    step.restart_means()  # before a checkpoint of this step, which holds them
                if look.is_due:
                    with clock.stopped():
                        seen = self.look(state, journal, is_good=guard.is_calm)
                    look.restart()
                if report is not None and report.step == state.step:
                    journal.write(self.add_scores(report, seen))
                    seen = None
                if save.is_due and guard.is_calm:
                    with clock.stopped():
                        self.save(state)
                    save.restart()
        doubt = guard.doubt(state.step)
        if doubt is not None:
            return self.leave(doubt, asked=stopped())
        self.save(state)
        seen = self.look(state, journal, is_good=True)
        if seen is not None and state.step > began:
            if report is None or report.step < state.step:
                report = clock.report(state, step.read_means(), budget)
            journal.write(self.add_scores(report, seen))
        self._preview.write_time_lapse()
        return state

    def look(self, state: State, journal: TrainingLog, *, is_good: bool) -> Scores | None:
        """Draw the preview sheet, measure held-out faces if there are any, and keep the best checkpoint."""
        with self._step.averaged():
            journal.draw(state.step, self._preview.write(state.step))
            scores = None if self._held_out is None else self._held_out.measure()
        if scores is None:
            return None
        best = find_best(self._model)
        log.info(
            "step %d on held-out faces: reconstruction %.3f, transfer %.3f, score %.3f; best %.3f at step %d",
            state.step, scores.reconstruction, scores.transfer, scores.score,
            *((best.score, best.step) if best else (scores.score, state.step)),
        )  # fmt: skip
        if is_good and (best is None or scores.score > best.score):
            self.save(state)
            mark_best(self._model, Best(state.step, scores.score))
        return scores

    def add_scores(self, report: Report, scores: Scores | None) -> Report:
        """Give a report the columns that held-out faces have, empty where they were not measured."""
        if self._held_out is None:
            return report
        names = ("reconstruction", "transfer", "score")
        return replace(report, scores={name: None if scores is None else getattr(scores, name) for name in names})

    def begin(self) -> State:
        """Save the networks as they are, so that there is a checkpoint to go back to."""
        forget_best(self._model)
        self._preview.cut(-1)
        return self.save(State())

    def save(self, state: State) -> State:
        """Write a checkpoint; gives the state back."""
        with self._step.averaged():
            save_checkpoint(self._model, self._networks, self._step.state_variables, state)
        return state

    def load(self, checkpoint: Checkpoint) -> State:
        """Read everything back from a checkpoint, and tell where training stands."""
        with self._step.averaged():
            load_networks(checkpoint, self._networks)
            self._step.restart_means()  # those that an older checkpoint lacks
            newer = len(self._step.watched_variables)
            load_variables(checkpoint, self._step.state_variables, newer=newer)
        self._preview.cut(checkpoint.state.step)
        self._step.phase = None  # the checkpoint may have been written before its phase was entered
        return checkpoint.state

    def leave(self, doubt: DivergedError, *, asked: bool) -> State:
        """End without saving what may have collapsed where the user asked to; tell where training stands.

        Raises:
            DivergedError: the budget ends it, so there is time to make these steps once more.
        """
        checkpoint = self.last_good(doubt) if asked else None
        if checkpoint is None:
            raise doubt
        log.warning("%s: %s; not saved, the checkpoint of step %d stays", self._model, doubt, checkpoint.state.step)
        return checkpoint.state

    def last_good(self, reason: DivergedError) -> Checkpoint | None:
        """Find the newest checkpoint from before something went wrong, and drop those from after."""
        if reason.since is not None:  # it may have begun late in the report before
            drop_since(self._model, reason.since - 2 * _REPORT_STEPS)
        return find_checkpoint(self._model)

    def roll_back(self, reason: DivergedError, last: State) -> State:
        """Go back to the last good checkpoint, with a lower rate from there on.

        Args:
            reason: what went wrong.
            last: where training went on from; it may have been rolled back there to a newer checkpoint than now.
        """
        checkpoint = self.last_good(reason)
        if checkpoint is None or last.rollbacks == _MOST_ROLLBACKS:
            raise ModelError(
                f"training diverged again after {_MOST_ROLLBACKS} rollbacks ({reason}). The last checkpoint is "
                "kept; look at the faces of both folders, or train another --preset into another --model."
            ) from reason
        before = self.load(checkpoint)
        state = replace(before, rate=_SLOWER * last.rate, rollbacks=last.rollbacks + 1)
        amend_state(checkpoint, state)
        log.warning(
            "%s: %s; back to step %d, on with %g of the learning rate", self._model, reason, state.step, state.rate
        )
        return state


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
