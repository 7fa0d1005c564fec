"""Training that diverges or collapses goes back to its checkpoint, at half the rate; the step is one that counts."""

from __future__ import annotations

import csv
import signal

import pytest
from fakes import FakeStep
from tiny import saved_steps, tiny_settings, train_fake

from faceswap_gan.errors import ModelError
from faceswap_gan.training import guard, trainer
from faceswap_gan.training.budget import Budget
from faceswap_gan.training.checkpoint import find_checkpoint
from faceswap_gan.training.schedule import find_phase


def _lose(step, value):
    return lambda: setattr(step, "loss", value)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_divergence_is_rolled_back_at_half_the_rate(people, tmp_path, preview, often, caplog, loss):
    caplog.set_level("WARNING", "faceswap_gan")
    train_fake(people, tmp_path, FakeStep(), Budget(steps=4))
    step = FakeStep()
    step._then = {1: _lose(step, loss), 3: _lose(step, 0.5)}
    state = train_fake(people, tmp_path, step, Budget(steps=10), checkpoint=find_checkpoint(tmp_path))
    assert (state.step, state.rate, state.rollbacks) == (10, 0.5, 1)
    assert float(step.count.value) == 10, "the steps after the checkpoint are forgotten"
    assert step.rates == [4e-4] * 2 + [2e-4] * 6, "two that were lost, six from step 4 on"
    assert "loss, edge is no finite number; back to step 4, on with 0.5 of the learning rate" in caplog.text
    with (tmp_path / "logs" / "metrics.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4", "6", "8", "10"]
    assert preview.cuts == [-1, 4, 4]


def test_a_phase_is_entered_again_after_a_rollback(people, tmp_path, preview, often):
    """The step's values are those of the checkpoint, which may have been written before the phase began."""
    settings = tiny_settings("classic", training={"batch": 1, "schedule": "classic"})
    train_fake(people, tmp_path, FakeStep(), Budget(steps=8), settings=settings)
    step = FakeStep()
    step._then = {1: _lose(step, float("nan")), 3: _lose(step, 0.5)}
    checkpoint = find_checkpoint(tmp_path)
    train_fake(people, tmp_path, step, Budget(steps=20), settings=settings, checkpoint=checkpoint)
    assert step.phases == [find_phase(settings, each / 20) for each in (8, 9, *range(8, 20))]
    assert [phase.start for phase in step.begun] == [0.4, 0.4, 0.5, 2 / 3, 0.8, 0.9]


def test_the_lower_rate_survives_a_crash(people, tmp_path, preview, often):
    train_fake(people, tmp_path, FakeStep(), Budget(steps=4))
    step = FakeStep(loss=float("nan"))
    step._then = {4: lambda: 1 / 0}
    with pytest.raises(ZeroDivisionError):
        train_fake(people, tmp_path, step, Budget(steps=50), checkpoint=find_checkpoint(tmp_path))
    assert (find_checkpoint(tmp_path).state.rate, find_checkpoint(tmp_path).state.rollbacks) == (0.5, 1)
    again = FakeStep()
    train_fake(people, tmp_path, again, Budget(steps=6), checkpoint=find_checkpoint(tmp_path))
    assert again.rates == [2e-4] * 2


def test_weights_that_are_no_numbers_are_rolled_back_too(people, tmp_path, preview):
    step = FakeStep()
    step._then = {3: lambda: step.count.assign(float("nan"))}
    state = train_fake(people, tmp_path, step, Budget(steps=5))
    assert (state.step, state.rollbacks, float(step.count.value)) == (5, 1, 5)


def test_after_three_rollbacks_it_ends(people, tmp_path, preview, often):
    step = FakeStep(loss=float("nan"))
    with pytest.raises(
        ModelError, match=r"again after 3 rollbacks \(at step 2 loss, edge is no finite number\)"
    ) as error:
        train_fake(people, tmp_path, step, Budget(steps=50))
    assert "\n" not in str(error.value)
    assert step.rates == [4e-4] * 2 + [2e-4] * 2 + [1e-4] * 2 + [5e-5] * 2
    assert saved_steps(tmp_path) == [0]


def test_nothing_is_saved_while_the_mask_is_dead(people, tmp_path, preview, often, clock, monkeypatch):
    monkeypatch.setattr(guard, "_SHAPED", 0)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step.read_means = lambda: {"mask_area": 0.0 if 5 < len(step.rates) < 12 else 0.5}
    saved, save = [], trainer.save_checkpoint
    trainer_save = lambda *arguments: (saved.append(arguments[-1].step), save(*arguments))  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "save_checkpoint", trainer_save)
        train_fake(people, tmp_path, step, Budget(steps=16, save_minutes=1, preview_minutes=99))
    assert saved == [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 16]


def test_a_checkpoint_from_the_last_moment_before_it_was_seen_is_not_trusted(
    people, tmp_path, preview, often, clock, monkeypatch, caplog
):
    caplog.set_level("WARNING", "faceswap_gan")
    monkeypatch.setattr(guard, "_SHAPED", 0)
    monkeypatch.setattr(guard, "WINDOW", 4)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step.read_means = lambda: {"mask_area": 0.0 if 9 < len(step.rates) < 15 else 0.5}
    state = train_fake(people, tmp_path, step, Budget(steps=16, save_minutes=1, preview_minutes=99))
    assert "from step 10 to 14 the mask was all black; back to step 8" in caplog.text, "9 was saved, too"
    assert (state.step, state.rate) == (16, 0.5)


def test_a_mask_that_is_dead_at_the_end_is_rolled_back(people, tmp_path, preview, often, clock, monkeypatch, caplog):
    caplog.set_level("WARNING", "faceswap_gan")
    monkeypatch.setattr(guard, "_SHAPED", 0)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step.read_means = lambda: {"mask_area": 0.0 if 5 < len(step.rates) < 9 else 0.5}
    state = train_fake(people, tmp_path, step, Budget(steps=8, save_minutes=1, preview_minutes=99))
    assert "from step 6 to the end at 8 the mask was all black; back to step 4" in caplog.text, "5 was saved, too"
    assert (state.step, state.rate, state.rollbacks) == (8, 0.5, 1)
    assert float(step.count.value) == 8
    assert find_checkpoint(tmp_path).state == state


def test_ctrl_c_saves_no_dead_mask(people, tmp_path, preview, often, clock, monkeypatch, caplog):
    caplog.set_level("WARNING", "faceswap_gan")
    monkeypatch.setattr(guard, "_SHAPED", 0)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step._then[9] = lambda: signal.raise_signal(signal.SIGINT)
    step.read_means = lambda: {"mask_area": 0.0 if len(step.rates) > 5 else 0.5}
    with pytest.raises(KeyboardInterrupt):
        train_fake(people, tmp_path, step, Budget(steps=50, save_minutes=1, preview_minutes=99))
    assert "from step 6 to the end at 9 the mask was all black; not saved, the checkpoint of step 4" in caplog.text
    assert (find_checkpoint(tmp_path).state.step, find_checkpoint(tmp_path).state.rate) == (4, 1.0)


def test_every_rollback_counts_however_far_it_goes(people, tmp_path, preview, often, clock, monkeypatch, caplog):
    """The rate was that of the older checkpoint again, and so was the number of rollbacks."""
    caplog.set_level("WARNING", "faceswap_gan")
    monkeypatch.setattr(guard, "_SHAPED", 0)
    monkeypatch.setattr(guard, "WINDOW", 4)
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    made = step.rates  # a rate for each step, those that were lost too
    step.read_means = lambda: {
        "loss": float("nan") if len(made) == 10 else 0.5,  # back to step 8
        "mask_area": 0.0 if 12 < len(made) < 19 else 0.5,  # from step 12, so 8 is not trusted either: back to step 4
    }
    state = train_fake(people, tmp_path, step, Budget(steps=20, save_minutes=4, preview_minutes=99))
    assert "from step 12 to 16 the mask was all black; back to step 4, on with 0.25" in caplog.text
    assert (state.rate, state.rollbacks) == (0.25, 2)
    assert made[-1] == pytest.approx(made[0] / 4)


def test_a_mask_that_comes_dead_from_a_checkpoint_is_rolled_back(
    people, tmp_path, preview, often, clock, monkeypatch, caplog
):
    """It died, was saved, and training was killed before its next report."""
    caplog.set_level("WARNING", "faceswap_gan")
    monkeypatch.setattr(guard, "_SHAPED", 4)
    monkeypatch.setattr(guard, "WINDOW", 4)
    minutes = {each: lambda: clock.passes(60) for each in range(1, 99)}
    killed = FakeStep(minutes | {8: lambda: 1 / 0})
    budget = Budget(steps=16, save_minutes=1, preview_minutes=99)
    with pytest.raises(ZeroDivisionError):
        train_fake(people, tmp_path, killed, budget)
    step = FakeStep(minutes)
    step.read_means = lambda: {"mask_area": 0.0 if len(step.rates) < 6 else 0.5}
    state = train_fake(people, tmp_path, step, budget, checkpoint=find_checkpoint(tmp_path))
    assert "from step 8 to 12 the mask was all black; back to step 6" in caplog.text, "7 is not trusted"
    assert (state.step, state.rate, state.rollbacks) == (16, 0.5, 1)
