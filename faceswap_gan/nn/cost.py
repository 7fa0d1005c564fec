"""What a network costs: operations and values per sample, counted from its layers."""

from __future__ import annotations

import math

import keras

from faceswap_gan.nn.attention import SelfAttention


def count_flops(network: keras.Model) -> int:
    """Count the floating-point operations that a network takes forward, for one sample.

    A multiplication and an addition are two operations. Counted are the matrix products: every kernel once at every
    position of its layer's output, and attention's two products over all pairs of positions. Activations,
    normalisations and sums, a percent or two of the time, are not.

    Args:
        network: a functional model whose layers have one output each.
    """
    return sum(2 * _positions(layer) * _kernel_sizes(layer) + _pairs(layer)[0] for layer in network.layers)


def count_values(network: keras.Model) -> int:
    """Count the numbers that a network's layers put out for one sample, attention's weights among them.

    Training keeps about this many for the way back.

    Args:
        network: a functional model whose layers have one output each.
    """
    return sum(math.prod(layer.output.shape[1:]) + _pairs(layer)[1] for layer in network.layers)


def _positions(layer: keras.layers.Layer) -> int:
    return math.prod(layer.output.shape[1:-1])


def _kernel_sizes(layer: keras.layers.Layer) -> int:
    return sum(math.prod(weight.shape) for weight in layer.weights if weight.name == "kernel")


def _pairs(layer: keras.layers.Layer) -> tuple[int, int]:
    """Return operations and values of an attention layer's products over pairs of positions."""
    if not isinstance(layer, SelfAttention):
        return 0, 0
    pairs = _positions(layer) ** 2
    return 2 * pairs * (layer.key.units + layer.value.units), 2 * pairs
