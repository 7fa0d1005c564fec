"""Adam for two players, and what becomes of its moments when two networks change places."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import keras
from keras import ops


class PlayersAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam for two players: another rate for some of the variables, the discriminators', and a norm for each player.

    Args:
        learning_rate: rate of the generator.
        other: variables with their own rate.
        ratio: that rate in parts of learning_rate.
        clip_norm: largest norm of a player's whole gradient, beyond which it is scaled down; 0: any.
        **kwargs: Adam's.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        other: list[keras.Variable],
        ratio: float,
        clip_norm: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._clip_norm = clip_norm
        self._other = frozenset(id(variable) for variable in other)
        self._other_indices: frozenset[int] = frozenset()
        self._ratio = ratio

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the moments, and note where the variables with their own rate stand."""
        super().build(variables)
        self._other_indices = frozenset(i for i, each in enumerate(variables) if id(each) in self._other)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Update all variables by their gradients, each player's no longer than the largest norm."""
        if self._clip_norm:
            others: Collection[int] = self._other_indices
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
                others = {i for i, each in enumerate(trainable_variables) if self._get_variable_index(each) in others}
            grads = clip_by_player(list(grads), others, self._clip_norm)
        super().apply(grads, trainable_variables)

    def exchange(self, first: Sequence[keras.Variable], second: Sequence[keras.Variable]) -> None:
        """Let the moments of two networks' variables change places."""
        for moments in (self._momentums, self._velocities):
            exchange_values(*([moments[self._get_variable_index(each)] for each in side] for side in (first, second)))

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Update a variable at its player's rate."""
        # TensorFlow passes its own variable instead of the Keras one: only the index tells which it is
        index = self._get_variable_index(variable)
        rate = learning_rate * self._ratio if index in self._other_indices else learning_rate
        if keras.backend.backend() == "tensorflow":
            self._update_at_once(gradient, variable, rate, index)
        else:
            super().update_step(gradient, variable, rate)

    def _update_at_once(self, gradient: Any, variable: Any, rate: Any, index: int) -> None:
        """Update by TensorFlow's own operation for Adam: the same formula, in one pass over memory instead of ten."""
        import tensorflow as tf

        step = ops.cast(self.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=ops.power(self.beta_1, step),
            beta2_power=ops.power(self.beta_2, step),
            lr=ops.cast(rate, "float32"),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, "float32"),
        )


def _handle(variable: Any) -> Any:
    """Give the handle of a variable, Keras's or TensorFlow's own."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


def clip_by_player(
    gradients: Sequence[keras.KerasTensor | None], others: Collection[int], norm: float
) -> list[keras.KerasTensor | None]:
    """Scale gradients so that their norm over all of a player's variables is at most `norm`.

    Args:
        gradients: of both players; None where there is none.
        others: which of them are the second player's.
        norm: the largest norm.

    References:
        Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks, algorithm 1.
    """
    clipped = list(gradients)
    for own in (True, False):
        chosen = {i: each for i, each in enumerate(gradients) if each is not None and (i in others) == own}
        squares = [ops.sum(ops.square(ops.cast(each, "float32"))) for each in chosen.values()]
        length = ops.sqrt(sum(squares, start=ops.zeros((), "float32")))
        scale = norm / ops.maximum(length, norm)
        for i, each in chosen.items():
            clipped[i] = each * ops.cast(scale, each.dtype)
    return clipped


def exchange_values(first: Sequence[keras.Variable], second: Sequence[keras.Variable]) -> None:
    """Let variables of the same shapes change values."""
    for one, other in zip(first, second, strict=True):
        kept = ops.convert_to_numpy(one.value).copy()
        one.assign(ops.convert_to_numpy(other.value))
        other.assign(kept)
