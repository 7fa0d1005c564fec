"""The v2.2 patch discriminator: is this the person, given the crop that the generator saw?"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from faceswap_gan.nn.blocks import Style, check_size, critic_block, self_attention
from faceswap_gan.nn.normalization import Norm

_PATCHES = 8  # px: the side of the map of logits


def build_discriminator(
    *,
    size: int,
    attention: bool = True,
    norm: Norm = "instancenorm",
    width: int = 64,
    rng: np.random.Generator | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """Build one person's discriminator; v2.2 has the same for both capacities.

    Args:
        size: Side of the crops in px: 64, 128 or 256.
        attention: Self-attention after the third and every later block.
        norm: Normalisation of all blocks but the first.
        width: Channels of the first block; v2.2 has 64.
        rng: Source of the starting weights; None starts anew each time.
        name: Name of the model.

    Returns:
        Model from pairs float (N, size, size, 6) in [-1, 1], the judged picture's three channels before those
        of the warped crop, to logits (N, 8, 8, 1) without an activation (least squares).

    Raises:
        SettingsError: size or norm is not one that the networks are made for.
    """
    check_size(size)
    style = Style(norm, np.random.default_rng() if rng is None else rng)
    pairs = layers.Input((size, size, 6), name="pairs")
    x = critic_block(pairs, width, style=style, name="down1", norm=False)
    x = critic_block(x, 2 * width, style=style, name="down2")
    side, index = size // 4, 3
    while side > _PATCHES:
        x = critic_block(x, 4 * width, style=style, name=f"down{index}")
        if attention:
            x = self_attention(x, style=style, name=f"attention{index}")
        side, index = side // 2, index + 1
    logits = layers.Conv2D(
        1,
        4,
        padding="same",
        use_bias=False,
        kernel_initializer=style.glorot_uniform(),
        dtype="float32",
        name="logits",
    )(x)
    return keras.Model(pairs, logits, name=name)
