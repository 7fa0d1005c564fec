"""Does a swap change where and as its footage changes?"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_FLAT = 1e-4  # energy of a change below which it is taken for noise


def motion_loss(
    footage: tuple[keras.KerasTensor, keras.KerasTensor],
    swap: tuple[keras.KerasTensor, keras.KerasTensor],
    weights: keras.KerasTensor,
    *,
    enough: float = 1.0,
) -> keras.KerasTensor:
    """Compare the change between two frames of the footage with the change between their swaps.

    ``enough`` minus the concordance 2 <a, b> / (<a, a> + <b, b>) of the two changes in luma, weighted, the mean
    change not subtracted; 0 where the concordance is higher. It asks nothing of a swap's look, which is the same in
    both frames: only that what moves in the footage moves alike, and as strongly, in the swap. A still scores
    ``enough``. (Plain correlation would leave the strength free.)

    Args:
        footage: two frames of each pair, float (P, S, S, 3) in [-1, 1], aligned alike.
        swap: what was painted for them, of the same shapes.
        weights: region in which to compare, float (P, S, S, 1) in [0, 1].
        enough: concordance that costs nothing. Below 1, a swap may differ from its footage in how it moves as people
            do; at 1 the footage's own features are the cheapest way to move.

    Returns:
        Scalar in [0, 1 + enough], the mean over pairs; pairs without any change count ``enough``.

    References:
        Lin (1989), A concordance correlation coefficient to evaluate reproducibility, with means of zero.
    """
    wanted = luma(footage[1]) - luma(footage[0])
    painted = _grey_luma(swap[1]) - _grey_luma(swap[0])
    weights = ops.cast(weights[..., 0], "float32")
    common = _sum(wanted * painted * weights)
    energy = _sum((wanted * wanted + painted * painted) * weights)
    return ops.mean(ops.relu(enough - 2.0 * common / (energy + _FLAT)))


def luma(image: keras.KerasTensor) -> keras.KerasTensor:
    """Weigh the colours of pictures (..., 3) into their luma (...), float32."""
    return ops.sum(ops.multiply(ops.cast(image, "float32"), _LUMA), axis=-1)


def _grey_luma(image: keras.KerasTensor) -> keras.KerasTensor:
    """Luma whose gradient is the same for red, green and blue.

    Luma's own gradient is mostly green: what it makes brighter turns yellow, what it makes darker purple.
    """
    grey = ops.mean(ops.cast(image, "float32"), axis=-1)
    return grey + ops.stop_gradient(luma(image) - grey)


def _sum(values: keras.KerasTensor) -> keras.KerasTensor:
    return ops.sum(values, axis=(1, 2))
