"""Losses that compare a painted face with its target, each a mean over all elements, unweighted.

Pictures are float (N, S, S, 3) in [-1, 1], masks float (N, S, S, 1) in [0, 1]; any float dtype comes in,
the arithmetic and the result (a scalar tensor) are float32. Formulas are the v2.2 model's.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


def reconstruction_loss(target: keras.KerasTensor, rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Compare colours: mean |rgb - target|.

    Args:
        target: What the decoder must reproduce.
        rgb: What it painted, without its mask.
    """
    return ops.mean(ops.abs(_float(rgb) - _float(target)))


def eyes_loss(target: keras.KerasTensor, rgb: keras.KerasTensor, eye_mask: keras.KerasTensor) -> keras.KerasTensor:
    """Compare colours at the eyes: mean |m (rgb - target)| over all pixels, so small eyes give a small loss.

    Args:
        target: What the decoder must reproduce.
        rgb: What it painted, without its mask.
        eye_mask: Weights m of the eyes, one channel.
    """
    return ops.mean(ops.abs(_float(eye_mask) * (_float(rgb) - _float(target))))


def sides_loss(target: keras.KerasTensor, sides: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """Compare side outputs: the sum over outputs o_k of mean |o_k - target at the size of o_k|.

    Args:
        target: What the decoder must reproduce, at full size.
        sides: Side outputs (N, s, s, 3) of the decoder, none at 64 px.
    """
    losses = [reconstruction_loss(resize(target, side.shape[1:3]), side) for side in sides]
    return sum(losses, start=ops.zeros((), "float32"))


def edge_loss(target: keras.KerasTensor, rgb: keras.KerasTensor) -> keras.KerasTensor:
    """Compare edges: mean |d1(rgb) - d1(target)| + mean |d2(rgb) - d2(target)|.

    d1 and d2 are the absolute differences of vertical and horizontal neighbours.

    Args:
        target: What the decoder must reproduce.
        rgb: What it painted, without its mask.
    """
    return sum(ops.mean(error) for error in _edge_errors(target, rgb))


def edge_eyes_loss(
    target: keras.KerasTensor, rgb: keras.KerasTensor, eye_mask: keras.KerasTensor
) -> keras.KerasTensor:
    """Compare edges at the eyes: mean |m (d1(rgb) - d1(target))| + the same for d2.

    Args:
        target: What the decoder must reproduce.
        rgb: What it painted, without its mask.
        eye_mask: Weights of the eyes, one channel; m is these resized bilinearly to (S - 1, S - 1).
    """
    height, width = eye_mask.shape[1:3]
    weights = resize(eye_mask, (height - 1, width - 1))
    return sum(ops.mean(ops.abs(weights * error)) for error in _edge_errors(target, rgb))


def mask_l1_loss(mask: keras.KerasTensor) -> keras.KerasTensor:
    """Keep the attention mask small: mean |mask|."""
    return ops.mean(ops.abs(_float(mask)))


def mask_hinge_loss(mask: keras.KerasTensor, floor: keras.KerasTensor | float) -> keras.KerasTensor:
    """Push the attention mask up: mean max(0, floor - mask).

    Args:
        mask: Attention mask.
        floor: Value in [0, 1] from which a pixel costs nothing.
    """
    return ops.mean(ops.maximum(0.0, floor - _float(mask)))


def mask_variation_loss(mask: keras.KerasTensor) -> keras.KerasTensor:
    """Keep the attention mask smooth: mean d1(mask) + mean d2(mask).

    References:
        Rudin, Osher and Fatemi (1992), Nonlinear total variation; the anisotropic form.
    """
    vertical, horizontal = neighbour_differences(_float(mask))
    return ops.mean(vertical) + ops.mean(horizontal)


def cyclic_loss(
    target: keras.KerasTensor,
    rgb: keras.KerasTensor,
    *,
    first_mask: keras.KerasTensor,
    second_mask: keras.KerasTensor,
) -> keras.KerasTensor:
    """Compare a face, swapped and swapped back: mean |rgb - target| + 0.1 mean |second - first mask|.

    Args:
        target: A face, not warped.
        rgb: Colours of the second swap, made from the first swap's colours without its mask.
        first_mask: Attention mask of the first swap, to the other person.
        second_mask: Attention mask of the second swap, back.

    References:
        Zhu et al. (2017), Unpaired Image-to-Image Translation (CycleGAN), eq. 2.
    """
    drift = ops.mean(ops.abs(_float(second_mask) - _float(first_mask)))
    return reconstruction_loss(target, rgb) + 0.1 * drift


def resize(images: keras.KerasTensor, shape: tuple[int, int]) -> keras.KerasTensor:
    """Resize float (N, H, W, C) to (height, width), bilinear, half-pixel centred, no low-pass filter."""
    return ops.image.resize(
        _float(images), shape, interpolation="bilinear", antialias=False, data_format="channels_last"
    )


def neighbour_differences(images: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return d1 = |z[i, j] - z[i + 1, j]| and d2 = |z[i, j] - z[i, j + 1]|, both (N, H - 1, W - 1, C)."""
    number, height, width, channels = images.shape
    shape = (number, height - 1, width - 1, channels)
    corner, below, beside = (ops.slice(images, (0, y, x, 0), shape) for y, x in ((0, 0), (1, 0), (0, 1)))
    return ops.abs(corner - below), ops.abs(corner - beside)


def _edge_errors(target: keras.KerasTensor, rgb: keras.KerasTensor) -> list[keras.KerasTensor]:
    pairs = zip(neighbour_differences(_float(rgb)), neighbour_differences(_float(target)), strict=True)
    return [ops.abs(painted - wanted) for painted, wanted in pairs]


def _float(values: keras.KerasTensor) -> keras.KerasTensor:
    return ops.cast(values, "float32")
