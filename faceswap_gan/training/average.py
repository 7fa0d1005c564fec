"""Exponential moving average of the generator's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import ops

_WARM_UP = 10.0  # updates


class WeightAverage:
    """Averages the weights that paint, in the step that changes them.

    The decay warms up with the number n of updates, min(decay, (1 + n) / (10 + n)), so that the average of a short
    run is over its last tenth or so and forgets the weights that it began with.

    Args:
        owner: the step, whose variables the averages become.
        weights: what is averaged.
        decay: share of the average that an update keeps, in (0, 1).

    References:
        Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging; the warm-up is that of
        TensorFlow's ``ExponentialMovingAverage``.
    """

    def __init__(self, owner: keras.Layer, weights: list[keras.Variable], decay: float) -> None:
        self._decay = decay
        self._weights = weights
        self._averages = [_add(owner, f"average_{index}", each.shape) for index, each in enumerate(weights)]
        self._updates = _add(owner, "average_updates", ())
        for average, weight in zip(self._averages, weights, strict=True):
            average.assign(ops.copy(ops.convert_to_tensor(weight)))  # JAX would let both hold one buffer

    def update(self) -> None:
        """Move the averages towards the weights; part of the step's graph."""
        decay = ops.minimum(self._decay, (1.0 + self._updates) / (_WARM_UP + self._updates))
        for average, weight in zip(self._averages, self._weights, strict=True):
            average.assign(average + (1.0 - decay) * (ops.stop_gradient(ops.convert_to_tensor(weight)) - average))
        self._updates.assign(self._updates + 1.0)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the networks hold the averages, and the averages the weights, for as long as it takes."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for average, weight in zip(self._averages, self._weights, strict=True):
            kept = ops.copy(ops.convert_to_tensor(weight))
            weight.assign(average)
            average.assign(kept)


def _add(owner: keras.Layer, name: str, shape: tuple[int, ...]) -> keras.Variable:
    return owner.add_weight(
        name=name,
        shape=shape,
        dtype="float32",
        initializer="zeros",
        trainable=False,
        aggregation="only_first_replica",
    )
