"""Course of a run: its learning rates, and the phases of the v2.2 model's training."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from faceswap_gan.config import Settings, TrainSettings

_WARM_UP = 100  # steps
_FLOOR = 0.04  # share of the rate at the end


@dataclass(frozen=True)
class Phase:
    """What holds from one moment of a run to the next."""

    start: float = 0.0
    """Share of the run, in [0, 1], at which it begins."""
    rate: float = 1.0
    """Factor of both players' rates."""
    perceptual: bool = True
    """Whether the perceptual loss counts, where there is one."""
    mask_floor: float = 0.0
    """Value to which the mask's hinge pushes it; 0: the mask is kept small instead."""
    swapped: bool = False
    """Whether the decoders have changed places by then."""


_BEGINNING = (
    Phase(0.0, perceptual=False),
    Phase(0.2),
    Phase(0.3, mask_floor=0.5),
    Phase(0.4, mask_floor=0.2),
)
_PHASES = {
    "classic": (
        *_BEGINNING,
        Phase(0.5, mask_floor=0.4),
        Phase(2 / 3, rate=0.3),
        Phase(0.8, rate=0.3, mask_floor=0.1, swapped=True),
        Phase(0.9, rate=0.1, swapped=True),
    ),
    "classic-lite": (
        *_BEGINNING,
        Phase(0.5, rate=0.3, mask_floor=0.4),
        Phase(2 / 3, mask_floor=0.5, swapped=True),
        Phase(0.8, rate=0.3, mask_floor=0.1, swapped=True),
        Phase(0.9, rate=0.1, swapped=True),
    ),
}


def find_phase(settings: Settings, progress: float) -> Phase:
    """Tell the phase of a moment; a schedule without phases is in one from beginning to end.

    Args:
        settings: the model's settings.
        progress: share of the run that is done, in [0, 1].
    """
    phases = _PHASES.get(settings.training.schedule, (Phase(mask_floor=settings.losses.mask_floor),))
    phase = max((each for each in phases if each.start <= progress), key=lambda each: each.start)
    return replace(phase, swapped=phase.swapped and settings.training.swap_decoders)


def learning_rate(settings: TrainSettings, *, step: int, progress: float) -> float:
    """Tell the generator's learning rate; the discriminators' keeps its ratio to it.

    Args:
        settings: with the rate and its schedule: ``constant``; ``cosine``: a linear warm-up over 100 steps, then
            half a cosine to 4 %; or ``classic`` and ``classic-lite``: the factor of their phase.
        step: updates made so far.
        progress: share of the run that is done, in [0, 1].

    References:
        Loshchilov and Hutter (2017), SGDR, eq. 5, without restarts.
    """
    if settings.schedule == "cosine":
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
        factor = min(1.0, (step + 1) / _WARM_UP) * (_FLOOR + (1.0 - _FLOOR) * cosine)
    else:
        factor = find_phase(Settings(training=settings), progress).rate
    return settings.generator_rate * factor
