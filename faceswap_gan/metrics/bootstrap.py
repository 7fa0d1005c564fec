"""How sure a figure over the frames of a video is: bootstrap over blocks of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Sums of columns, float64 (..., k), to figures (...)."""

_LEVEL = 95.0  # per cent


@dataclass(frozen=True)
class Score:
    """A figure and the interval that holds it.

    Attributes:
        value: NaN where it is not defined.
        low: lower end of the 95 % interval; NaN where there are too few frames to say.
        high: upper end.
        frames: how many frames it rests on.
    """

    value: float
    low: float
    high: float
    frames: int


def bootstrap(
    columns: Floats, statistic: Statistic, *, block: int, rng: np.random.Generator, draws: int = 1000
) -> Score:
    """Compute a figure of per-frame numbers with its 95 % interval.

    Neighbouring frames say nearly the same, so frames drawn one by one would feign certainty. Whole blocks of
    consecutive frames are drawn with replacement instead, wrapping round at the end (circular blocks).

    Args:
        columns: float (n, k), what each frame adds to the sums that the figure is made of; frames that count
            for nothing hold NaN in any column.
        statistic: makes the figure from summed columns.
        block: frames a block; about a second.
        rng: source of randomness.
        draws: how many times to draw.

    Returns:
        The figure of all frames, and the percentile interval of the draws; one that meets no frame that counts says
        nothing and is left out.

    References:
        Politis and Romano, "A circular block-resampling procedure for stationary data" (1992).
    """
    counts = np.asarray(np.isfinite(columns).all(axis=1))
    rows = np.where(counts[:, None], columns, 0.0).astype(np.float64)
    frames = int(counts.sum())
    if not frames:
        return Score(np.nan, np.nan, np.nan, 0)
    value = float(statistic(rows.sum(axis=0)))
    if len(rows) < 4 * block:
        return Score(value, np.nan, np.nan, frames)
    counted = np.column_stack([counts, rows])
    wrapped = np.concatenate([np.zeros((1, counted.shape[1])), counted, counted[:block]])
    cumulated = np.cumsum(wrapped, axis=0)
    sums = cumulated[block : block + len(rows)] - cumulated[: len(rows)]
    starts = rng.integers(0, len(rows), (draws, round(len(rows) / block)))
    drawn = sums[starts].sum(axis=1)
    figures = statistic(drawn[drawn[:, 0] > 0, 1:])
    figures = figures[np.isfinite(figures)]
    if not len(figures):
        return Score(value, np.nan, np.nan, frames)
    low, high = np.percentile(figures, [50 - _LEVEL / 2, 50 + _LEVEL / 2])
    return Score(value, float(low), float(high), frames)


def mean_of(series: Floats) -> NDArray[np.float64]:
    """Turn a per-frame series, float (n,), into columns for `mean`."""
    return np.stack([series, np.where(np.isfinite(series), 1.0, np.nan)], axis=1).astype(np.float64)


def mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean: sum / count."""
    return ratio(sums)


def ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """First column's sum over the second's; 1 where both are 0, NaN where only the second is."""
    over, under = sums[..., 0], sums[..., 1]
    both = (over == 0) & (under == 0)
    safe = np.where(under == 0, np.nan, under)
    return np.asarray(np.where(both, 1.0, over / safe))


def correlation_of(first: Floats, second: Floats) -> NDArray[np.float64]:
    """Turn two per-frame series, float (n,), into columns for `correlation`."""
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    if both.any():  # moved near zero: sums of squares keep their digits, and the correlation is the same
        x, y = x - x[both].mean(), y - y[both].mean()
    return np.stack([np.where(both, 1.0, np.nan), x, y, x * x, y * y, x * y], axis=1)


def correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation from count, x, y, xx, yy, xy; NaN where one of them does not vary.

    References:
        Pearson, "Notes on regression and inheritance in the case of two parents" (1895).
    """
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = (n * xx - x * x) * (n * yy - y * y)
    return np.asarray((n * xy - x * y) / np.sqrt(np.where(spread > 1e-18, spread, np.nan)))


def f1_of(said: NDArray[np.bool_], true: NDArray[np.bool_], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Turn per-frame yes and no, bool (n,), into columns for `f1`."""
    columns = np.stack([said & true, said & ~true, ~said & true], axis=1).astype(np.float64)
    columns[~valid] = np.nan
    return np.asarray(columns)


def f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall from hits, false alarms, misses; 1 where nothing was to be found.

    References:
        van Rijsbergen, "Information Retrieval" (1979), chapter 7.
    """
    hits, alarms, misses = np.moveaxis(sums, -1, 0)
    total = 2 * hits + alarms + misses
    return np.asarray(np.where(total == 0, 1.0, 2 * hits / np.where(total == 0, 1.0, total)))


def worst_ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest ratio of columns: the first half are numerators, the second half denominators."""
    half = sums.shape[-1] // 2
    pairs = np.stack([sums[..., :half], sums[..., half:]], axis=-1)
    return np.asarray(np.fmax.reduce(ratio(pairs), axis=-1))
