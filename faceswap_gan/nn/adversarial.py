"""Adversarial losses of the v2.2 model: each player's loss against one person's discriminator, unweighted.

A discriminator D is any callable from pairs float (N, S, S, 6), a judged picture before the warped crop x, to
logits (N, h, w, 1). Judged are the target y, the colours b that a decoder painted, and f = a b + (1 - a) x,
those laid over the crop through the attention mask a. Gradients flow into everything given: stop those of the
other player where both learn from one graph. Arithmetic on logits is float32; results are scalar tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import ops

Discriminator = Callable[[keras.KerasTensor], keras.KerasTensor]


@dataclass(frozen=True)
class Judged:
    """One batch of pictures that a discriminator sees, float (N, S, S, 3) in [-1, 1]."""

    warped: keras.KerasTensor
    """The generator's input x."""
    target: keras.KerasTensor
    """The real picture y."""
    rgb: keras.KerasTensor
    """The painted colours b."""
    masked: keras.KerasTensor
    """The painted colours over the generator's input, f."""


def mixup_discriminator_loss(
    discriminator: Discriminator, judged: Judged, ratio: keras.KerasTensor
) -> keras.KerasTensor:
    """Judge mixtures of the target and the painted face: the right answer is the target's share.

    L_D = mean (D(r [y, x] + (1 - r) [f, x]) - r)^2 + mean (D(r [y, x] + (1 - r) [b, x]) - r)^2

    Args:
        discriminator: D.
        judged: The batch.
        ratio: r, a scalar in [0, 1], the same for both mixtures and the whole batch; v2.2 draws it from
            Beta(0.2, 0.2), mostly near 0 or 1.

    References:
        Zhang et al. (2018), mixup: Beyond Empirical Risk Minimization.
    """
    real = pair(judged.target, judged.warped)
    return sum(
        least_squares(discriminator(ratio * real + (1.0 - ratio) * pair(painted, judged.warped)), label=ratio)
        for painted in (judged.masked, judged.rgb)
    )


def mixup_generator_loss(discriminator: Discriminator, judged: Judged) -> keras.KerasTensor:
    """Be taken for real, unmixed: L_G = mean (D[f, x] - 1)^2 + mean (D[b, x] - 1)^2.

    Args:
        discriminator: D.
        judged: The batch; the target is not used.
    """
    return sum(
        least_squares(discriminator(pair(painted, judged.warped)), label=1.0)
        for painted in (judged.masked, judged.rgb)
    )


def relativistic_discriminator_loss(discriminator: Discriminator, judged: Judged) -> keras.KerasTensor:
    """Judge the masked face by least squares, the colours relative to the average real and painted ones.

    With r = D[y, x], p = D[f, x], q = D[b, x] and E the mean over the batch axis alone:
    L_D = 1/2 (mean (r - 1)^2 + mean p^2 + mean (r - E q - 1)^2 + mean (q - E r)^2)

    Args:
        discriminator: D.
        judged: The batch.

    References:
        Jolicoeur-Martineau (2019), The relativistic discriminator, appendix: RaLSGAN.
    """
    r, p, q = _judge(discriminator, judged)
    plain = least_squares(r, label=1.0) + least_squares(p, label=0.0)
    relative = least_squares(r - _batch_mean(q), label=1.0) + least_squares(q - _batch_mean(r), label=0.0)
    return 0.5 * (plain + relative)


def relativistic_generator_loss(discriminator: Discriminator, judged: Judged) -> keras.KerasTensor:
    """Be taken for real, the colours for more real than the average real picture.

    In the terms of the discriminator's loss:
    L_G = mean (p - 1)^2 + 1/2 (mean (r - E q)^2 + mean (q - E r - 1)^2)

    Args:
        discriminator: D.
        judged: The batch.

    References:
        Jolicoeur-Martineau (2019), The relativistic discriminator, appendix: RaLSGAN.
    """
    r, p, q = _judge(discriminator, judged)
    relative = least_squares(r - _batch_mean(q), label=0.0) + least_squares(q - _batch_mean(r), label=1.0)
    return least_squares(p, label=1.0) + 0.5 * relative


def pair(picture: keras.KerasTensor, warped: keras.KerasTensor) -> keras.KerasTensor:
    """Join a picture and the crop it was made from, both (N, S, S, 3), to a discriminator's (N, S, S, 6)."""
    return ops.concatenate([picture, ops.cast(warped, picture.dtype)], axis=-1)


def least_squares(logits: keras.KerasTensor, *, label: keras.KerasTensor | float) -> keras.KerasTensor:
    """Return mean (logits - label)^2.

    References:
        Mao et al. (2017), Least Squares Generative Adversarial Networks, eq. 2 (without the factor 1/2).
    """
    return ops.mean(ops.square(ops.cast(logits, "float32") - label))


def _judge(discriminator: Discriminator, judged: Judged) -> list[keras.KerasTensor]:
    pictures = (judged.target, judged.masked, judged.rgb)
    return [ops.cast(discriminator(pair(each, judged.warped)), "float32") for each in pictures]


def _batch_mean(logits: keras.KerasTensor) -> keras.KerasTensor:
    return ops.mean(logits, axis=0, keepdims=True)
