"""The frames of a swap that most deserve a look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.metrics.scores import BY_NAME, Judged, Metric

WATCHED = (
    *("transfer", "landmarks_mouth", "landmarks_eyes", "gaze", "pose"),
    *("expression", "boundary", "colour", "outside"),
)
"""Metrics whose worst frames are shown."""

_APART = 0.4  # s, between two of them
_TRIES = 40  # frames to try for each metric


@dataclass(frozen=True)
class Bad:
    """A frame at which the swap is bad: which of the footage's, when in s, and why."""

    frame: int
    seconds: float
    why: str


def find_worst(judged: Judged, *, most: int = 10) -> list[Bad]:
    """Choose the worst frames.

    Args:
        judged: the swap.
        most: how many frames at most.

    Returns:
        First those in which the face is lost or the frame is missing, then for each watched metric its worst
        frame, each some way from all chosen before.
    """
    chosen: list[Bad] = []
    for candidates in (_lost(judged), _lost(judged), *(_worst_of(BY_NAME[name], judged) for name in WATCHED)):
        far = (bad for bad in candidates if all(abs(bad.seconds - other.seconds) >= _APART for other in chosen))
        first = next(far, None)
        if first is not None and len(chosen) < most:
            chosen.append(first)
    return chosen


def _lost(judged: Judged) -> Iterator[Bad]:
    own = judged.own
    for row in np.flatnonzero(judged.due & ~own.found):
        why = "no face found any more" if own.shown[row] else "no frame at this time"
        yield Bad(int(own.frames[row]), float(own.seconds[row]), why)


def _worst_of(metric: Metric, judged: Judged) -> Iterator[Bad]:
    if metric.series is None:
        return
    own = judged.own
    values = np.where(own.found & judged.footage.found, metric.series(judged), np.nan)
    rows = np.flatnonzero(np.isfinite(values))
    if not len(rows) or np.ptp(values[rows]) == 0:
        return
    mean = float(values[rows].mean())
    for row in _sorted(values, rows, metric.bad == "high")[:_TRIES]:
        why = f"{metric.title} {_text(values[row], metric)} (mean {_text(mean, metric)})"
        yield Bad(int(own.frames[row]), float(own.seconds[row]), why)


def _sorted(values: NDArray[np.floating], rows: NDArray[np.intp], falling: bool) -> NDArray[np.intp]:
    order = np.argsort(-values[rows] if falling else values[rows], kind="stable")
    return np.asarray(rows[order])


def _text(value: float, metric: Metric) -> str:
    space = "" if metric.unit in ("", "°") else " "
    return f"{value:.{metric.digits}f}{space}{metric.unit}"
