"""Course of the learning rates over a run."""

from __future__ import annotations

import math
from typing import Literal

_WARM_UP = 100  # steps
_FLOOR = 0.04  # share of the rate at the end


def rate_factor(schedule: Literal["constant", "cosine"], *, step: int, progress: float) -> float:
    """Tell by how much to multiply the learning rates.

    Args:
        schedule: ``constant``, or ``cosine``: a linear warm-up over 100 steps, then half a cosine to 4 %.
        step: updates made so far.
        progress: share of the run that is done, in [0, 1].

    References:
        Loshchilov and Hutter (2017), SGDR, eq. 5, without restarts.
    """
    if schedule == "constant":
        return 1.0
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    return min(1.0, (step + 1) / _WARM_UP) * (_FLOOR + (1.0 - _FLOOR) * cosine)
