"""Figures and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.metrics import bootstrap as boot


def _score(columns, statistic, block=10):
    return boot.bootstrap(columns, statistic, block=block, rng=np.random.default_rng(0))


def test_mean_leaves_out_what_is_missing():
    series = np.asarray([1.0, np.nan, 3.0])
    score = _score(boot.mean_of(series), boot.mean)
    assert (score.value, score.frames) == (2.0, 2)
    assert np.isnan(score.low), "three frames say nothing about certainty"


def test_nothing_is_not_zero():
    score = _score(boot.mean_of(np.full(50, np.nan)), boot.mean)
    assert np.isnan(score.value)
    assert score.frames == 0


def test_interval_covers_the_mean_of_noise():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        score = boot.bootstrap(boot.mean_of(rng.normal(size=300)), boot.mean, block=5, rng=rng, draws=300)
        covered += score.low <= 0 <= score.high
    assert covered >= 50  # 57 expected


def test_blocks_see_that_neighbours_are_alike():
    slow = np.repeat(np.random.default_rng(2).normal(size=20), 30)
    wide, narrow = (_score(boot.mean_of(slow), boot.mean, block=block) for block in (30, 1))
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_correlation_is_pearsons():
    x = np.sin(np.arange(200) / 9)
    y = x + np.random.default_rng(0).normal(size=200) * 0.3
    score = _score(boot.correlation_of(x, y), boot.correlation)
    assert score.value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)
    assert score.low < score.value < score.high
    assert _score(boot.correlation_of(x, x), boot.correlation).value == pytest.approx(1, abs=1e-12)
    assert np.isnan(_score(boot.correlation_of(x, np.ones(200)), boot.correlation).value)


def test_f1_by_hand():
    said, true = np.asarray([1, 1, 0, 0, 1], bool), np.asarray([1, 0, 1, 0, 1], bool)
    everywhere = np.ones(5, bool)
    assert _score(boot.f1_of(said, true, everywhere), boot.f1).value == pytest.approx(2 / 3)
    none = np.zeros(5, bool)
    assert _score(boot.f1_of(none, none, everywhere), boot.f1).value == 1
    assert _score(boot.f1_of(none, true, everywhere), boot.f1).value == 0


def test_worst_ratio_takes_the_largest():
    columns = np.tile([[2.0, 9.0, 1.0, 3.0]], (6, 1))
    assert _score(columns, boot.worst_ratio).value == 3.0


def test_the_same_seed_gives_the_same_interval():
    columns = boot.mean_of(np.random.default_rng(0).normal(size=100))
    assert _score(columns, boot.mean) == _score(columns, boot.mean)


def test_draws_that_meet_no_frame_that_counts_are_left_out():
    series = np.full(1000, np.nan)
    series[:30] = 0.3  # the face is gone for the rest: a draw in ten meets nothing
    score = _score(boot.mean_of(series), boot.mean, block=25)
    assert (score.value, score.low, score.high, score.frames) == (*[pytest.approx(0.3)] * 3, 30)
    shut = np.arange(1000) % 3 == 0
    agreed = _score(boot.f1_of(shut, ~shut, np.isfinite(series)), boot.f1, block=25)
    assert (agreed.value, agreed.low, agreed.high) == (0, 0, 0)
    edges = np.stack([2 * series, series, series, series], axis=1)
    worst = _score(edges, boot.worst_ratio, block=25)
    assert (worst.low, worst.high) == (pytest.approx(2), pytest.approx(2))
