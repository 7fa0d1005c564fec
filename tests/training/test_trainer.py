"""The loop: when it stops, saves, draws and reports; the step is replaced by one that only counts."""

from __future__ import annotations

import csv
import signal
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny import tiny_settings

from faceswap_gan.errors import ModelError
from faceswap_gan.media.images import write_image
from faceswap_gan.training import budget as budget_module
from faceswap_gan.training import guard, trainer
from faceswap_gan.training.best import Best, find_best
from faceswap_gan.training.budget import Budget
from faceswap_gan.training.checkpoint import State, find_checkpoint
from faceswap_gan.training.held_out import Scores
from faceswap_gan.training.schedule import learning_rate
from faceswap_gan.training.trainer import train


class FakeStep:
    """Counts; its one variable is the number of steps it made; `then` happens in the step of that number."""

    def __init__(self, then=None, *, loss=0.5):
        self.optimizer = SimpleNamespace(learning_rate=0.0)
        self.count = keras.Variable(0.0)
        self.state_variables = [self.count]
        self.rates, self.batches, self.resets, self.reads = [], [], 0, 0
        self._then, self.loss = then or {}, loss

    def train_on_batch(self, batch, *, return_dict):
        self.count.assign_add(1.0)
        self.rates.append(self.optimizer.learning_rate)
        self.batches.append(batch)
        self._then.get(len(self.rates), lambda: None)()

    def enter(self, phase):
        """No phase changes it."""

    def read_means(self):
        self.reads += 1
        return {"loss": self.loss, "edge": self.loss}

    def restart_means(self):
        self.resets += 1

    def averaged(self):
        return nullcontext()


class FakePreview:
    """Writes down the steps of the sheets, all of which are one file."""

    def __init__(self, path):
        self.steps, self.takes_s, self.clock, self.path = [], 0.0, None, path
        self.cuts, self.movies = [], 0

    def write(self, step):
        self.steps.append(step)
        if self.clock:
            self.clock.now += self.takes_s
        return self.path

    def cut(self, step):
        self.cuts.append(step)

    def write_time_lapse(self):
        self.movies += 1


class FakeClock:
    """Time in seconds that passes when told."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def preview(monkeypatch, tmp_path_factory):
    path = tmp_path_factory.mktemp("preview") / "sheet.png"
    write_image(path, np.zeros((4, 4, 3), np.uint8))
    fake = FakePreview(path)
    monkeypatch.setattr(trainer, "build_painter", lambda networks, side: None)
    monkeypatch.setattr(trainer, "Previewer", lambda *arguments: fake)
    return fake


@pytest.fixture
def clock(monkeypatch):
    fake = FakeClock()
    monkeypatch.setattr(budget_module, "time", fake)
    return fake


def _train(people, model, step, budget, *, settings=None, checkpoint=None):
    settings = settings or tiny_settings("fast", training={"batch": 1})
    return train(people, {}, step, settings, model=model, budget=budget, checkpoint=checkpoint)


def _saved(model):
    return sorted(int(each.name) for each in (model / "checkpoints").iterdir() if each.is_dir())


@pytest.mark.parametrize(
    ("steps", "minutes", "state", "share"),
    [
        (100, None, State(25, 9999.0), 0.25),
        (None, 2.0, State(9999, 30.0), 0.25),
        (100, 2.0, State(25, 90.0), 0.75),
        (100, 2.0, State(80, 30.0), 0.8),
        (100, None, State(130, 0.0), 1.0),
    ],
)
def test_progress(steps, minutes, state, share):
    assert Budget(steps, minutes).progress(state) == share


def test_it_stops_at_the_steps_and_saves(people, tmp_path, preview):
    step = FakeStep()
    state = _train(people, tmp_path, step, Budget(steps=7))
    assert (state.step, len(step.rates)) == (7, 7)
    assert find_checkpoint(tmp_path).state == state
    assert _saved(tmp_path) == [0, 7]
    assert (preview.steps, preview.cuts, preview.movies) == ([7], [-1], 1)


def test_it_stops_when_the_minutes_are_over(people, tmp_path, preview, clock):
    step = FakeStep({each: lambda: clock.passes(20) for each in range(1, 99)})
    state = _train(people, tmp_path, step, Budget(minutes=1.5, preview_minutes=99))
    assert state == State(5, 100.0)


def test_drawing_and_saving_take_no_training_time(people, tmp_path, preview, clock):
    preview.clock, preview.takes_s = clock, 1000.0
    step = FakeStep({each: lambda: clock.passes(10) for each in range(1, 99)})
    state = _train(people, tmp_path, step, Budget(steps=6, preview_minutes=0.3, save_minutes=99))
    assert preview.steps == [2, 4, 6, 6]
    assert state == State(6, 60.0)


def test_it_saves_and_draws_every_so_often(people, tmp_path, preview, clock, monkeypatch):
    saved = []
    monkeypatch.setattr(trainer, "save_checkpoint", lambda *arguments: saved.append(arguments[-1].step))
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    _train(people, tmp_path, step, Budget(steps=12, save_minutes=4, preview_minutes=5))
    assert preview.steps == [5, 10, 12]
    assert saved == [0, 4, 8, 12, 12], "the last is there already, and left as it is"


def test_rates_follow_the_schedule(people, tmp_path, preview):
    settings = tiny_settings("fast", training={"batch": 1, "schedule": "cosine"})
    step = FakeStep()
    _train(people, tmp_path, step, Budget(steps=5), settings=settings)
    expected = [learning_rate(settings.training, step=each, progress=each / 5) for each in range(5)]
    assert step.rates == expected


def test_going_on(people, tmp_path, preview):
    straight, first, second = FakeStep(), FakeStep(), FakeStep()
    _train(people, tmp_path / "straight", straight, Budget(steps=6))
    _train(people, tmp_path / "model", first, Budget(steps=4))
    checkpoint = find_checkpoint(tmp_path / "model")
    state = _train(people, tmp_path / "model", second, Budget(steps=6), checkpoint=checkpoint)
    assert state.step == 6
    assert state.seconds > checkpoint.state.seconds
    assert float(second.count.value) == 6, "what the checkpoint holds is read"
    batches = zip(straight.batches, [*first.batches, *second.batches], strict=True)
    assert all(np.array_equal(one["src_warped"], other["src_warped"]) for one, other in batches)


def test_ctrl_c_saves_and_ends(people, tmp_path, preview):
    before = signal.getsignal(signal.SIGINT)
    step = FakeStep({3: lambda: signal.raise_signal(signal.SIGINT)})
    with pytest.raises(KeyboardInterrupt):
        _train(people, tmp_path, step, Budget(steps=50))
    assert find_checkpoint(tmp_path).state.step == 3, "the step is finished and saved"
    assert preview.steps == [3]
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_a_thread(people, tmp_path, preview):
    states = []
    thread = threading.Thread(target=lambda: states.append(_train(people, tmp_path, FakeStep(), Budget(steps=2))))
    thread.start()
    thread.join(60)
    assert [state.step for state in states] == [2]


@pytest.fixture
def often(monkeypatch):
    """Reports after every second step."""
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 2)


def _lose(step, value):
    return lambda: setattr(step, "loss", value)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_divergence_is_rolled_back_at_half_the_rate(people, tmp_path, preview, often, caplog, loss):
    caplog.set_level("WARNING", "faceswap_gan")
    _train(people, tmp_path, FakeStep(), Budget(steps=4))
    step = FakeStep()
    step._then = {1: _lose(step, loss), 3: _lose(step, 0.5)}
    state = _train(people, tmp_path, step, Budget(steps=10), checkpoint=find_checkpoint(tmp_path))
    assert (state.step, state.rate, state.rollbacks) == (10, 0.5, 1)
    assert float(step.count.value) == 10, "the steps after the checkpoint are forgotten"
    assert step.rates == [4e-4] * 2 + [2e-4] * 6, "two that were lost, six from step 4 on"
    assert "loss, edge is no finite number; back to step 4, on with 0.5 of the learning rate" in caplog.text
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4", "6", "8", "10"]
    assert preview.cuts == [-1, 4, 4]


def test_the_lower_rate_survives_a_crash(people, tmp_path, preview, often):
    _train(people, tmp_path, FakeStep(), Budget(steps=4))
    step = FakeStep(loss=float("nan"))
    step._then = {4: lambda: 1 / 0}
    with pytest.raises(ZeroDivisionError):
        _train(people, tmp_path, step, Budget(steps=50), checkpoint=find_checkpoint(tmp_path))
    assert (find_checkpoint(tmp_path).state.rate, find_checkpoint(tmp_path).state.rollbacks) == (0.5, 1)
    again = FakeStep()
    _train(people, tmp_path, again, Budget(steps=6), checkpoint=find_checkpoint(tmp_path))
    assert again.rates == [2e-4] * 2


def test_weights_that_are_no_numbers_are_rolled_back_too(people, tmp_path, preview):
    step = FakeStep()
    step._then = {3: lambda: step.count.assign(float("nan"))}
    state = _train(people, tmp_path, step, Budget(steps=5))
    assert (state.step, state.rollbacks, float(step.count.value)) == (5, 1, 5)


def test_after_three_rollbacks_it_ends(people, tmp_path, preview, often):
    step = FakeStep(loss=float("nan"))
    with pytest.raises(
        ModelError, match=r"again after 3 rollbacks \(at step 2 loss, edge is no finite number\)"
    ) as error:
        _train(people, tmp_path, step, Budget(steps=50))
    assert "\n" not in str(error.value)
    assert step.rates == [4e-4] * 2 + [2e-4] * 2 + [1e-4] * 2 + [5e-5] * 2
    assert _saved(tmp_path) == [0]


def test_nothing_is_saved_while_the_mask_is_dead(people, tmp_path, preview, often, clock, monkeypatch):
    monkeypatch.setattr(guard, "_GROWN", 0)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step.read_means = lambda: {"mask_area": 0.0 if 5 < len(step.rates) < 12 else 0.5}
    saved, save = [], trainer.save_checkpoint
    trainer_save = lambda *arguments: (saved.append(arguments[-1].step), save(*arguments))  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "save_checkpoint", trainer_save)
        _train(people, tmp_path, step, Budget(steps=16, save_minutes=1, preview_minutes=99))
    assert saved == [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 16]


def test_reports(people, tmp_path, preview, clock, monkeypatch):
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 3)
    step = FakeStep({each: lambda: clock.passes(0.5) for each in range(1, 99)})
    _train(people, tmp_path, step, Budget(steps=8))
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert {row["steps_per_s"] for row in rows} == {"2.0"}
    assert (rows[1]["minutes"], rows[1]["edge"]) == ("0.05", "0.5")
    assert step.resets == step.reads == 2, "the host asks for losses when it reports them, and else never"


@pytest.mark.parametrize(
    ("budget", "left"),
    [(Budget(steps=30), 10.0), (Budget(minutes=0.5), 25.0), (Budget(steps=30, minutes=0.1), 1.0)],
)
def test_time_left(people, tmp_path, preview, clock, monkeypatch, budget, left):
    seen = []
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 10)
    monkeypatch.setattr(trainer.TrainingLog, "write", lambda self, report: seen.append(report.left_s))
    step = FakeStep({each: lambda: clock.passes(0.5) for each in range(1, 99)})
    _train(people, tmp_path, step, budget)
    assert seen[0] == pytest.approx(left)


class FakeHeldOut:
    """Scores as told, one after the other."""

    def __init__(self, *scores):
        self.scores = iter(scores)

    def measure(self):
        return Scores(reconstruction=1.0, transfer=next(self.scores))


def test_the_best_checkpoint_is_kept(people, tmp_path, preview, clock, often, monkeypatch):
    monkeypatch.setattr(trainer, "hold_out", lambda people, share: (people, people))
    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(0.2, 0.6, 0.5, 0.4, 0.3))
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    _train(people, tmp_path, step, Budget(steps=9, save_minutes=1, preview_minutes=2))
    assert find_best(tmp_path) == Best(4, 0.6)
    assert _saved(tmp_path) == [4, 8, 9]
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        assert [row["held_out_transfer"] for row in csv.DictReader(file)] == ["0.2", "0.6", "0.5", "0.4"]

    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(0.5, 0.7))
    _train(people, tmp_path, step, Budget(steps=12, preview_minutes=2), checkpoint=find_checkpoint(tmp_path))
    assert find_best(tmp_path) == Best(12, 0.7), "a resumed run knows the best so far"
