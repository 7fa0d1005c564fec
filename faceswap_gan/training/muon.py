"""Muon: steps in which every direction of a convolution's kernel moves alike, beside Adam for all other weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
from keras import ops

from faceswap_gan.training.adam import PlayersAdam

_MOMENTUM = 0.9
_LIKE_ADAM = 0.2  # size of an element's step in parts of the rate, about what Adam's is
_A, _B, _C = 3.4445, -4.7750, 2.0315  # Jordan et al.'s: steep at 0, hence only about 1 in the end
_ROUNDS = 5
_LARGEST = 2048  # side of a matrix beyond which its products would take longer than the rest of a step


class Muon(PlayersAdam):
    """Adam of two players, but Muon for the kernels of convolutions.

    The moving mean of a kernel's gradients, as a matrix from inputs to outputs, is replaced by the nearest matrix
    with orthonormal rows or columns: what the gradient asks for faintly is learned as fast as what it asks for
    strongly. Its size is that of Adam's steps, so that one rate serves both.

    Args:
        learning_rate: rate of Adam.
        kernels: variables to update so, those of them that `is_matrix` finds fit.
        boost: Muon's rate in parts of Adam's.
        **kwargs: `PlayersAdam`'s.

    References:
        Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks, with Nesterov momentum;
        Liu et al. (2025), Muon is scalable for LLM training, section 2.2, for the size of a step.
    """

    def __init__(
        self, learning_rate: float, *, kernels: Sequence[keras.Variable], boost: float, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._kernels = frozenset(id(each) for each in kernels if is_matrix(each))
        self._kernel_indices: frozenset[int] = frozenset()
        self._boost = boost

    def build(self, variables: list[keras.Variable]) -> None:
        """Make the moments, and note where the kernels stand."""
        super().build(variables)
        self._kernel_indices = frozenset(i for i, each in enumerate(variables) if id(each) in self._kernels)

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Update a variable: a kernel by Muon, any other by Adam."""
        index = self._get_variable_index(variable)
        if index not in self._kernel_indices:
            super().update_step(gradient, variable, learning_rate)
            return
        gradient, mean = ops.cast(gradient, "float32"), self._momentums[index]
        new = _MOMENTUM * mean + (1.0 - _MOMENTUM) * gradient
        self.assign(mean, new)
        matrix = ops.reshape(_MOMENTUM * new + (1.0 - _MOMENTUM) * gradient, (-1, gradient.shape[-1]))
        size = _LIKE_ADAM * max(matrix.shape) ** 0.5
        step = ops.reshape(size * orthogonalize(matrix), gradient.shape)
        self.assign_sub(variable, ops.cast(self._boost * learning_rate, "float32") * step)


def is_matrix(variable: keras.Variable) -> bool:
    """Tell whether a variable is a convolution's kernel, (h, w, inputs, outputs), small enough for Muon."""
    if not variable.path.endswith("kernel") or len(variable.shape) != 4:
        return False
    return bool(max(prod(variable.shape[:-1]), variable.shape[-1]) <= _LARGEST)


def orthogonalize(matrix: keras.KerasTensor) -> keras.KerasTensor:
    """Bring all singular values of a matrix near 1, whatever they were; directions stay.

    Newton-Schulz rounds, worked out on the smaller of the matrix's two products with itself and applied to the matrix
    once: the same up to rounding as on the matrix itself, in less than half of the operations.

    Args:
        matrix: float32 (n, m).

    Returns:
        float32 (n, m), its singular values within about 0.7 and 1.2; those below 1 / 1000 of the matrix's norm come
        less far, and zero stays zero.

    References:
        Jordan et al. (2024), see `Muon`.
    """
    rows, columns = matrix.shape
    wide = ops.transpose(matrix) if rows > columns else matrix
    wide = wide / (ops.sqrt(ops.sum(ops.square(wide))) + 1e-12)
    square = ops.matmul(wide, ops.transpose(wide))
    identity = turn = ops.eye(min(rows, columns))
    for _ in range(_ROUNDS):
        part = _A * identity + _B * square + _C * ops.matmul(square, square)
        turn = ops.matmul(part, turn)
        square = ops.matmul(part, ops.matmul(square, part))
    wide = ops.matmul(turn, wide)
    return ops.transpose(wide) if rows > columns else wide
