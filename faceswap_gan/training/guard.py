"""What training does not come back from by itself: losses gone wild, a dead mask, a discriminator that won."""

from __future__ import annotations

import math
from collections.abc import Mapping

from faceswap_gan.config import LossSettings
from faceswap_gan.errors import DivergedError
from faceswap_gan.nn.fast import SIDES

WINDOW = 500
"""Steps that a collapse must last to count as one."""

_EMPTY = 0.005  # mean of the mask below which nothing is painted, and above 1 minus which everything is
_ALIVE = 0.05  # mean of the mask from which, up to 1 minus which, it counts as alive
_GROWN = 1000  # steps: the masks of v2.2 fall to nothing in their first hundred, and live only later
_SHAPED = 100  # steps: those that are told their shape live from the start
_PEOPLE = ("", *(f"_{side}" for side in SIDES))  # both together, and each: endings of names
_WON = 0.01  # share of its loss at chance below which a discriminator has won
# A discriminator's best loss, both people's together, where it cannot tell real from painted: mixup's is four times
# the variance of the ratio, Beta(0.2, 0.2); the relativistic one's is 2 * (1/2) * (1/2 + 1).
_CHANCE = {"mixup": 4 * 0.25 / 1.4, "relativistic": 1.5}


class Guard:
    """Watches the means of the losses.

    Args:
        weights: of the losses.
        step: at which training goes on. A mask with a shape to learn lives by step 100, so that one which comes
            dead from a checkpoint later on is seen: it may have been written just before training was killed.
    """

    def __init__(self, weights: LossSettings, step: int = 0) -> None:
        self._grown = _SHAPED if weights.mask_shape else _GROWN
        self._won = _WON * _CHANCE[weights.gan] if weights.adversarial else 0.0
        self._since: dict[str, int] = {}
        self._alive_at_once = weights.mask_shape > 0 and step >= self._grown
        self._was_alive: set[str] = set()

    @property
    def is_calm(self) -> bool:
        """Whether nothing looked like a collapse at the last check, so that a checkpoint is good."""
        return not self._since

    def doubt(self, step: int) -> DivergedError | None:
        """Say what looked like a collapse at the last check, if anything did, as of a step at which training ends."""
        for name, since in self._since.items():
            return DivergedError(f"from step {since} to the end at {step} {name}", since=since)
        return None

    def check(self, step: int, means: Mapping[str, float]) -> None:
        """Look at the means since the last report.

        Args:
            step: updates made so far.
            means: of the loss terms by name, and ``mask_area``, the mean of the mask in [0, 1]; the same of one
                person as ``mask_area_src`` and so on, as one's collapse hides in the mean of both.

        Raises:
            DivergedError: a mean is no finite number, or for `WINDOW` steps in a row the mean of the mask was below
                0.005 or above 0.995, or the discriminators' loss below 1 % of what they have at chance. The mask
                must have been between 0.05 and 0.95 before, after step 1000: one that has not lived yet may still. A
                mask with a shape to learn counts from step 100, and as having lived where training goes on later.
        """
        wild = [name for name, value in means.items() if not math.isfinite(value)]
        if wild:
            raise DivergedError(f"at step {step} {', '.join(wild)} is no finite number")
        if step >= self._grown:
            areas = {person: means.get(f"mask_area{person}", 0.0) for person in _PEOPLE}
            self._was_alive |= {person for person, area in areas.items() if _ALIVE <= area <= 1.0 - _ALIVE}
        found = [sign for person in _PEOPLE for sign in self._find(means, person)]
        self._since = {name: self._since.get(name, step) for name in found}
        for name, since in self._since.items():
            if step - since >= WINDOW:
                raise DivergedError(f"from step {since} to {step} {name}", since=since)

    def _find(self, means: Mapping[str, float], person: str) -> list[str]:
        """Say what looks like a collapse, in both people's means or in one person's."""
        whose = person.replace("_", " of ")
        area, verdict = means.get(f"mask_area{person}", 0.5), means.get(f"discriminator{person}", math.inf)
        was_alive = self._alive_at_once or person in self._was_alive
        signs = {
            f"the mask{whose} was all black": was_alive and area < _EMPTY,
            f"the mask{whose} was all white": was_alive and area > 1.0 - _EMPTY,
            f"the discriminator{whose or 's'} told every painted face from a real one": (
                verdict < (self._won / len(SIDES) if person else self._won)
            ),
        }
        return [name for name, is_so in signs.items() if is_so]
