"""A stopped and resumed training ends where an uninterrupted one does: weights, optimizer and curve."""

from __future__ import annotations

import csv
import signal

import numpy as np
import pytest
from tiny import tiny_features, tiny_settings

from faceswap_gan.training import trainer
from faceswap_gan.training.budget import Budget
from faceswap_gan.training.checkpoint import find_checkpoint, load_networks
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step
from faceswap_gan.training.trainer import train


def _run(people, settings, model, *, steps, stop_at=None, seed=1):
    """Build everything anew and train; the seed of the starting weights differs where a checkpoint is read."""
    networks = build_networks(settings.model, rng=np.random.default_rng(seed))
    features = None if settings.losses.perceptual == "none" else tiny_features()
    step = build_step(networks, settings, features=features)
    step.run_eagerly = settings.model.family == "classic"
    if stop_at is not None:
        _interrupt(step, stop_at)
    budget = Budget(steps=steps)
    train(people, networks, step, settings, model=model, budget=budget, checkpoint=find_checkpoint(model))


def _interrupt(step, number):
    """Press Ctrl-C in the step of a number."""
    train_on_batch, calls = step.train_on_batch, []

    def press(batch, **more):
        calls.append(None)
        if len(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return train_on_batch(batch, **more)

    step.train_on_batch = press


def _end(model, settings):
    """All numbers of the newest checkpoint: networks, then optimizer and running means."""
    newest, networks = find_checkpoint(model), build_networks(settings.model)
    load_networks(newest, networks)
    weights = [w for network in networks.values() for w in network.get_weights()]
    with np.load(newest.folder / "training.npz") as arrays:
        return newest.state.step, weights, [arrays[name] for name in sorted(arrays.files)]


def _curve(model):
    with (model / "logs" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    timed = ("minutes", "steps_per_s")
    return [{name: float(value) for name, value in row.items() if name not in timed} for row in rows]


@pytest.mark.parametrize(
    ("family", "steps", "stops", "ema"),
    [
        ("fast", 12, (7,), 0.0),
        ("fast", 8, (5,), 0.9),
        pytest.param("classic", 4, (3,), 0.0, marks=pytest.mark.slow),
    ],
)
def test_resumed_equals_uninterrupted(people, tmp_path, monkeypatch, family, steps, stops, ema):
    settings = tiny_settings(family, training={"batch": 1, "schedule": "cosine", "seed": 3, "ema": ema})
    _compare(people, tmp_path, monkeypatch, settings, steps, stops)


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(1, 4), (3,)], ids=["at the borders", "between them"])
def test_phases_survive_a_stop(people, tmp_path, monkeypatch, stops):
    # of five steps the first is before the perceptual loss, the next have hinges, the last has swapped decoders
    training = {"batch": 1, "schedule": "classic", "swap_decoders": True, "seed": 3, "clip_norm": 0.5, "ema": 0.9}
    settings = tiny_settings("classic", training=training, perceptual="vggface")
    _compare(people, tmp_path, monkeypatch, settings, 5, stops)


def _compare(people, tmp_path, monkeypatch, settings, steps, stops):
    """Train straight through and with stops; everything must come out the same."""
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 2)
    _run(people, settings, tmp_path / "straight", steps=steps)
    done = 0
    for seed, stop in enumerate(stops, 1):
        with pytest.raises(KeyboardInterrupt):
            _run(people, settings, tmp_path / "stopped", steps=steps, stop_at=stop - done, seed=seed)
        done = stop
        assert find_checkpoint(tmp_path / "stopped").state.step == stop
    _run(people, settings, tmp_path / "stopped", steps=steps, seed=99)

    (reached, *straight), (again, *stopped) = (_end(tmp_path / name, settings) for name in ("straight", "stopped"))
    assert reached == again == steps
    for wanted, got in zip(straight, stopped, strict=True):
        for first, second in zip(wanted, got, strict=True):
            np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-5)
    wanted, got = (_curve(tmp_path / name) for name in ("straight", "stopped"))
    assert [row["step"] for row in got] == list(range(2, steps + 1, 2))
    assert got == [pytest.approx(row, rel=1e-3, abs=1e-5) for row in wanted]
