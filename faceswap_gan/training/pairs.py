"""Pairs of frames of one person's footage that are painted as the other, and what is known of the swaps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.lessons import Lessons
from faceswap_gan.training.sampling import moment_probabilities

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

_NEAR = 4  # frames: half of the pairs are at most so far apart
_TOWARDS_SRC = 0.75  # share of pairs that are painted as src, the way most models are used
_TURNED = 0.5  # share of pairs with lessons in which the lesson is seen and the footage is to be painted


class PairMaker:
    """Draws pairs of frames.

    Where there are lessons, half of the pairs are turned round: what is seen is the lesson, the person as a mesh bent
    them onto the other's footage, and what is to be painted is that footage itself. So both sides of a swap are shown
    as they were filmed, and a person is painted in expressions that only their own footage has.

    Args:
        people: the faces of ``src`` and ``dst``.
        odds: how often each of their faces is drawn, see `training.sampling.face_probabilities`.
        number: pairs of a batch.
        lessons: by whose footage it is; pairs are taken from their frames, where there are any.
    """

    def __init__(
        self,
        people: Mapping[str, FaceSet],
        odds: Mapping[str, Floats],
        number: int,
        lessons: Mapping[str, Lessons] | None = None,
    ) -> None:
        self._number = number
        self._looks = np.stack([_mean_face(people[side].crops) for side in SIDES])
        self._footage = {side: _columns(people[side], None if lessons is None else lessons[side]) for side in SIDES}
        self._turned = {} if lessons is None else {side: _turn_round(lessons[side]) for side in SIDES}
        taught = {side: slice(None) if lessons is None else lessons[side].frames for side in SIDES}
        self._odds = {side: odds[side][taught[side]] / odds[side][taught[side]].sum() for side in SIDES}
        self._moments = {
            side: moment_probabilities(columns["crops"], columns["masks"][..., :2])
            for side, columns in self._footage.items()
        }

    def make(self, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
        """Draw P pairs.

        Returns:
            uint8 ``pair_crops`` and ``pair_masks`` (2 P, S, S, 3), first frames before second frames; where there are
            lessons ``pair_pictures`` (2 P, S, S, 3), what to paint, ``pair_trust`` (2 P, S, S, 1), and
            ``pair_footage`` (2 P, S, S, 3), that of crops and pictures which was filmed; ``pair_person`` int32
            (2 P,), whom to paint; and ``looks`` (2, S, S, 3), the mean face of each person.

        References:
            Sennrich et al. (2016), Improving neural machine translation models with monolingual data: made-up inputs
            for true outputs.
        """
        number = self._number
        towards_src = rng.random(number) < _TOWARDS_SRC
        near = rng.random(number) < 0.5
        mirrored = rng.random(number) < 0.5
        turned = (rng.random(number) < _TURNED) & bool(self._turned)
        drawn: list[list[dict[str, Bytes]]] = [[], []]
        for index in range(number):
            side = "dst" if towards_src[index] != turned[index] else "src"
            columns = (self._turned if turned[index] else self._footage)[side]
            total = len(self._odds[side])
            first = int(rng.choice(total, p=(self._moments if near[index] else self._odds)[side]))
            apart = int(rng.integers(1, min(_NEAR + 1, total) if near[index] else total))
            flip = slice(None, None, -1 if mirrored[index] else 1)
            for which, frame in enumerate((first, (first + apart) % total)):
                drawn[which].append({name: each[frame][:, flip] for name, each in columns.items()})
        rows = [*drawn[0], *drawn[1]]
        person = np.where(towards_src, SIDES.index("src"), SIDES.index("dst"))
        return {
            **{f"pair_{name}": np.stack([row[name] for row in rows]) for name in rows[0]},
            "pair_person": np.tile(person, 2).astype(np.int32),
            "looks": self._looks,
        }


def _columns(person: FaceSet, lessons: Lessons | None) -> dict[str, Bytes]:
    """Give what a pair takes of each frame, by name."""
    if lessons is None:
        return {"crops": person.crops, "masks": person.crop_masks}
    return {
        "crops": lessons.footage,
        "masks": lessons.masks,
        "pictures": lessons.pictures,
        "trust": lessons.trust,
        "footage": lessons.footage,
    }


def _turn_round(lessons: Lessons) -> dict[str, Bytes]:
    """Give the same where the lessons are seen and the footage is to be painted."""
    return {
        "crops": lessons.pictures,
        "masks": lessons.footage_masks,
        "pictures": lessons.footage,
        "trust": lessons.footage_masks[..., 2:3],
        "footage": lessons.footage,
    }


def _mean_face(crops: Bytes) -> Bytes:
    """Average crops (N, S, S, 3) and their mirror images."""
    mean = np.asarray(np.mean(crops, axis=0, dtype=np.float64))
    return np.rint((mean + mean[:, ::-1]) / 2.0).astype(np.uint8)
