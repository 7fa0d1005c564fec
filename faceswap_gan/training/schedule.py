"""Course of the learning rates over a run."""

from __future__ import annotations

import math

from faceswap_gan.config import TrainSettings

_WARM_UP = 100  # steps
_FLOOR = 0.04  # share of the rate at the end


def learning_rate(settings: TrainSettings, *, step: int, progress: float) -> float:
    """Tell the generator's learning rate; the discriminators' keeps its ratio to it.

    Args:
        settings: with the rate and its schedule: ``constant``, or ``cosine``: a linear warm-up over 100 steps, then
            half a cosine to 4 %.
        step: updates made so far.
        progress: share of the run that is done, in [0, 1].

    References:
        Loshchilov and Hutter (2017), SGDR, eq. 5, without restarts.
    """
    if settings.schedule == "constant":
        return settings.generator_rate
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
    factor = min(1.0, (step + 1) / _WARM_UP) * (_FLOOR + (1.0 - _FLOOR) * cosine)
    return settings.generator_rate * factor
