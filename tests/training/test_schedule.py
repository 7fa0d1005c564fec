"""Course of the rates: constant, or a warm-up and half a cosine."""

from __future__ import annotations

import pytest

from faceswap_gan.config import TrainSettings
from faceswap_gan.training.schedule import learning_rate

RATE = 8e-4


def _rate(schedule, *, step, progress):
    """The rate in parts of the settings'."""
    settings = TrainSettings(generator_rate=RATE, schedule=schedule)
    return learning_rate(settings, step=step, progress=progress) / RATE


def _cosine(progress, step=1000):
    return _rate("cosine", step=step, progress=progress)


def test_constant_is_constant():
    assert {_rate("constant", step=step, progress=step / 999) for step in (0, 7, 999)} == {1.0}


def test_cosine_by_hand():
    assert _cosine(0.0) == pytest.approx(1.0)
    assert _cosine(0.5) == pytest.approx(0.04 + 0.96 / 2)
    assert _cosine(2 / 3) == pytest.approx(0.04 + 0.96 / 4)
    assert _cosine(1.0) == pytest.approx(0.04)


def test_cosine_falls_and_never_leaves_its_range():
    factors = [_cosine(each / 50) for each in range(51)]
    assert factors == sorted(factors, reverse=True)
    assert _cosine(-0.5) == _cosine(0.0)
    assert _cosine(1.5) == _cosine(1.0)


def test_warm_up_rises_over_the_first_hundred_steps():
    assert _cosine(0.0, step=0) == pytest.approx(0.01)
    assert _cosine(0.0, step=49) == pytest.approx(0.5)
    assert _cosine(0.0, step=99) == _cosine(0.0, step=5000) == pytest.approx(1.0)
    assert _cosine(1.0, step=49) == pytest.approx(0.02)
