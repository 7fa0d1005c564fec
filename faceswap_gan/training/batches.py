"""Batches of both people from decoded faces, made ahead of the step that takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.config import Settings
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.threads import count_cores
from faceswap_gan.training.augment import augment
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.lessons import Lessons
from faceswap_gan.training.pairs import PairMaker
from faceswap_gan.training.recolor import measure_colors
from faceswap_gan.training.sampling import face_probabilities

Batch = dict[str, NDArray[np.generic]]

_MOST_THREADS = 8  # beyond, Python's own part of the work is the limit


class BatchMaker:
    """Makes the batch of any step from the faces; the same step gives the same batch.

    Args:
        people: the faces of ``src`` and ``dst``.
        settings: the model's settings.
        lessons: by whose footage it is; pairs are taken from them, where there are any.
    """

    def __init__(
        self, people: Mapping[str, FaceSet], settings: Settings, lessons: Mapping[str, Lessons] | None = None
    ) -> None:
        self._people = people
        self._settings = settings
        self._odds = {side: self._face_odds(people[side]) for side in SIDES}
        number = settings.training.pairs
        self._pairs = PairMaker(people, self._odds, number, lessons) if number else None
        self._colors = {side: measure_colors(people[side].faces) for side in SIDES}

    def make(self, step: int) -> Batch:
        """Draw the batch of a step.

        Returns:
            uint8 arrays ``<side>_warped``, ``<side>_target`` and ``<side>_masks`` (N, S, S, 3) of both people, the
            mixing ``ratio`` float32 (1,) of the adversarial loss, that of the perceptual loss, ``blend``, where
            there is one, and, where the settings ask for pairs, those of `PairMaker.make`.
        """
        rng = np.random.default_rng([self._settings.training.seed, step])
        batch: Batch = {"ratio": rng.beta(0.2, 0.2, 1).astype(np.float32)}
        for side in SIDES:
            batch |= self._samples(side, rng)
        if self._pairs is not None:
            batch |= self._pairs.make(rng)
        if self._settings.losses.perceptual == "vggface":
            batch["blend"] = rng.beta(0.2, 0.2, 1).astype(np.float32)
        return batch

    def _face_odds(self, person: FaceSet) -> NDArray[np.float64]:
        training = self._settings.training
        return face_probabilities(
            person.crops,
            training.balance,
            sampling=training.sampling,
            landmarks=person.landmarks,
            drawn=person.drawn,
        )

    def _samples(self, side: str, rng: np.random.Generator) -> Batch:
        person = self._people[side]
        chosen = rng.choice(len(person.faces), size=self._settings.training.batch, p=self._odds[side])
        sample = augment(
            [person.faces[index] for index in chosen],
            [person.masks[index] for index in chosen],
            size=self._settings.model.size,
            settings=self._settings.augmentation,
            rng=rng,
            colors=self._colors[side][chosen],
            references=self._colors[SIDES[1 - SIDES.index(side)]],
        )
        return {
            f"{side}_warped": sample.warped,
            f"{side}_target": sample.target,
            f"{side}_masks": sample.masks,
        }


def prefetch(make: Callable[[int], Batch], *, start: int, threads: int | None = None) -> Generator[tuple[int, Batch]]:
    """Make the batches of consecutive steps in threads, a few ahead.

    Args:
        make: gives the batch of a step.
        start: first step.
        threads: how many are made at once; twice as many are held ready. None: one for each core, 2 to 8.

    Yields:
        The step and its batch, in order, without end.
    """
    threads = min(max(2, count_cores()), _MOST_THREADS) if threads is None else threads
    with ThreadPoolExecutor(threads, thread_name_prefix="batches") as pool:
        waiting: deque[tuple[int, Future[Batch]]] = deque()
        try:
            for step in count(start):
                waiting.append((step, pool.submit(make, step)))
                if len(waiting) > 2 * threads:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
