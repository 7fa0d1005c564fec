"""The loop: when it stops, saves, draws and reports; the step is replaced by one that only counts."""

from __future__ import annotations

import csv
import signal
import threading

import numpy as np
import pytest
from fakes import FakeHeldOut, FakeStep
from tiny import saved_steps, tiny_settings, train_fake

from faceswap_gan.training import trainer
from faceswap_gan.training.best import Best, find_best
from faceswap_gan.training.budget import Budget
from faceswap_gan.training.checkpoint import State, find_checkpoint
from faceswap_gan.training.schedule import find_phase, learning_rate


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
    state = train_fake(people, tmp_path, step, Budget(steps=7))
    assert (state.step, len(step.rates)) == (7, 7)
    assert find_checkpoint(tmp_path).state == state
    assert saved_steps(tmp_path) == [0, 7]
    assert (preview.steps, preview.cuts, preview.movies) == ([7], [-1], 1)


def test_it_stops_when_the_minutes_are_over(people, tmp_path, preview, clock):
    step = FakeStep({each: lambda: clock.passes(20) for each in range(1, 99)})
    state = train_fake(people, tmp_path, step, Budget(minutes=1.5, preview_minutes=99))
    assert state == State(5, 100.0)


def test_drawing_and_saving_take_no_training_time(people, tmp_path, preview, clock):
    preview.clock, preview.takes_s = clock, 1000.0
    step = FakeStep({each: lambda: clock.passes(10) for each in range(1, 99)})
    state = train_fake(people, tmp_path, step, Budget(steps=6, preview_minutes=0.3, save_minutes=99))
    assert preview.steps == [2, 4, 6, 6]
    assert state == State(6, 60.0)


def test_it_saves_and_draws_every_so_often(people, tmp_path, preview, clock, monkeypatch):
    saved = []
    monkeypatch.setattr(trainer, "save_checkpoint", lambda *arguments: saved.append(arguments[-1].step))
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    train_fake(people, tmp_path, step, Budget(steps=12, save_minutes=4, preview_minutes=5))
    assert preview.steps == [5, 10, 12]
    assert saved == [0, 4, 8, 12, 12], "the last is there already, and left as it is"


def test_rates_follow_the_schedule(people, tmp_path, preview):
    settings = tiny_settings("fast", training={"batch": 1, "schedule": "cosine"})
    step = FakeStep()
    train_fake(people, tmp_path, step, Budget(steps=5), settings=settings)
    expected = [learning_rate(settings.training, step=each, progress=each / 5) for each in range(5)]
    assert step.rates == expected


@pytest.mark.parametrize("schedule", ["classic", "classic-lite"])
def test_each_step_is_made_in_its_phase(people, tmp_path, preview, schedule):
    settings = tiny_settings("classic", training={"batch": 1, "schedule": schedule, "swap_decoders": True})
    step = FakeStep()
    train_fake(people, tmp_path, step, Budget(steps=10), settings=settings)
    assert step.phases == [find_phase(settings, each / 10) for each in range(10)]
    assert [step.phases[0].perceptual, step.phases[3].mask_floor, step.phases[9].swapped] == [False, 0.5, True]


def test_going_on(people, tmp_path, preview):
    straight, first, second = FakeStep(), FakeStep(), FakeStep()
    train_fake(people, tmp_path / "straight", straight, Budget(steps=6))
    train_fake(people, tmp_path / "model", first, Budget(steps=4))
    checkpoint = find_checkpoint(tmp_path / "model")
    state = train_fake(people, tmp_path / "model", second, Budget(steps=6), checkpoint=checkpoint)
    assert state.step == 6
    assert state.seconds > checkpoint.state.seconds
    assert float(second.count.value) == 6, "what the checkpoint holds is read"
    assert (straight.resets, second.resets) == (0, 1), "no mean of before stays that an older checkpoint lacks"
    batches = zip(straight.batches, [*first.batches, *second.batches], strict=True)
    assert all(np.array_equal(one["src_warped"], other["src_warped"]) for one, other in batches)


def test_ctrl_c_saves_and_ends(people, tmp_path, preview):
    before = signal.getsignal(signal.SIGINT)
    step = FakeStep({3: lambda: signal.raise_signal(signal.SIGINT)})
    with pytest.raises(KeyboardInterrupt):
        train_fake(people, tmp_path, step, Budget(steps=50))
    assert find_checkpoint(tmp_path).state.step == 3, "the step is finished and saved"
    assert preview.steps == [3]
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_a_thread(people, tmp_path, preview):
    states = []
    thread = threading.Thread(target=lambda: states.append(train_fake(people, tmp_path, FakeStep(), Budget(steps=2))))
    thread.start()
    thread.join(60)
    assert [state.step for state in states] == [2]


def test_reports(people, tmp_path, preview, clock, monkeypatch):
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 3)
    step = FakeStep({each: lambda: clock.passes(0.5) for each in range(1, 99)})
    train_fake(people, tmp_path, step, Budget(steps=8))
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
    train_fake(people, tmp_path, step, budget)
    assert seen[0] == pytest.approx(left)


def test_the_best_checkpoint_is_kept(people, tmp_path, preview, clock, often, monkeypatch):
    monkeypatch.setattr(trainer, "hold_out", lambda people, share: (people, people))
    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(0.2, 0.6, 0.5, 0.4, 0.3))
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    train_fake(people, tmp_path, step, Budget(steps=9, save_minutes=1, preview_minutes=2))
    assert find_best(tmp_path) == Best(4, 0.6)
    assert saved_steps(tmp_path) == [4, 8, 9]
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        rows = {row["step"]: row["held_out_transfer"] for row in csv.DictReader(file)}
    assert rows == {"2": "0.2", "4": "0.6", "6": "0.5", "8": "0.4", "9": "0.3"}, "the last row is of what was saved"

    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(0.5, 0.7))
    train_fake(people, tmp_path, step, Budget(steps=12, preview_minutes=2), checkpoint=find_checkpoint(tmp_path))
    assert find_best(tmp_path) == Best(12, 0.7), "a resumed run knows the best so far"
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        assert [row["held_out_transfer"] for row in csv.DictReader(file) if int(row["step"]) > 9] == ["", "0.7"]


def test_a_checkpoint_holds_no_means_that_were_reported(people, tmp_path, preview, clock, often, monkeypatch):
    """Else a run that goes on from there reports them twice."""
    saved = {}
    monkeypatch.setattr(trainer, "hold_out", lambda people, share: (people, people))
    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(0.2, 0.6, 0.7))
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})

    def save(*parts, really=trainer.save_checkpoint):
        saved[parts[-1].step] = step.resets
        return really(*parts)

    monkeypatch.setattr(trainer, "save_checkpoint", save)
    train_fake(people, tmp_path, step, Budget(steps=5, save_minutes=99, preview_minutes=2))
    assert saved == {0: 0, 2: 1, 4: 2, 5: 2}


def test_sheets_scores_and_checkpoints_are_of_averaged_weights(people, tmp_path, preview, clock, monkeypatch):
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    scores, seen = FakeHeldOut(*[0.5] * 9), []

    def note(where, name):
        function = getattr(where, name)
        monkeypatch.setattr(
            where, name, lambda *args, **more: (seen.append((name, step.is_averaged)), function(*args, **more))[1]
        )

    note(preview, "write")
    note(scores, "measure")
    for name in ("save_checkpoint", "load_networks", "load_variables"):
        note(trainer, name)
    monkeypatch.setattr(trainer, "hold_out", lambda people, share: (people, people))
    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: scores)
    for steps in (4, 6):
        budget = Budget(steps=steps, preview_minutes=2)
        train_fake(people, tmp_path, step, budget, checkpoint=find_checkpoint(tmp_path))
    assert {name for name, _ in seen} == {"write", "measure", "save_checkpoint", "load_networks", "load_variables"}
    assert all(is_averaged for _, is_averaged in seen)
    assert preview.steps == [2, 4, 4, 6, 6]
