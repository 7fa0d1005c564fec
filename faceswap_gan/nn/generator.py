"""The v2.2 generator: one encoder for both people, one decoder for each, and what a decoder paints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import keras
import numpy as np
from keras import layers, ops

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.blocks import (
    Style,
    check_size,
    conv_block,
    res_block,
    self_attention,
    upscale_nearest,
    upscale_shuffle,
)
from faceswap_gan.nn.normalization import Norm

Capacity = Literal["standard", "lite"]

_FIRST_HEAD = 64  # px: the side at which a decoder starts to paint


@dataclass(frozen=True)
class Swap:
    """What a decoder paints; tensors or arrays, with or without leading axes."""

    rgb: Any
    """Colour, float (..., 3) in [-1, 1]."""
    mask: Any
    """Attention mask, float (..., 1) in [0, 1]; 1 = painted."""

    def over(self, crop: Any) -> Any:
        """Lay the painted face over a crop, float (..., 3) in [-1, 1]: mask * rgb + (1 - mask) * crop."""
        return self.mask * self.rgb + (1.0 - self.mask) * crop


def split_head(head: keras.KerasTensor) -> Swap:
    """Split a decoder's last output, float (..., 4): the mask comes first, then red, green, blue."""
    split = np.split if isinstance(head, np.ndarray) else ops.split
    mask, rgb = split(head, [1], axis=-1)
    return Swap(rgb=rgb, mask=mask)


def split_outputs(outputs: Mapping[str, keras.KerasTensor]) -> tuple[Swap, list[keras.KerasTensor]]:
    """Split all that a decoder paints.

    Args:
        outputs: What calling a decoder gives: ``head`` and, if it has any, side outputs under other names.

    Returns:
        The head as a swap, and the side outputs (N, s, s, 3) from small to large.
    """
    sides = [picture for name, picture in outputs.items() if name != "head"]
    return split_head(outputs["head"]), sorted(sides, key=lambda picture: int(picture.shape[1]))


def build_encoder(
    *,
    size: int,
    capacity: Capacity = "standard",
    attention: bool = True,
    norm: Norm = "instancenorm",
    width: int = 64,
    rng: np.random.Generator | None = None,
    name: str = "encoder",
) -> keras.Model:
    """Build the encoder that both people share.

    Args:
        size: Side of the crops in px: 64, 128 or 256.
        capacity: ``standard``, or ``lite`` with half the channels, nearest upscaling and a thin bottleneck.
        attention: Self-attention after the second and third halving.
        norm: Normalisation of the blocks.
        width: Channels of the first block of ``standard``; v2.2 has 64. ``lite`` has half as many.
        rng: Source of the starting weights; None starts anew each time.
        name: Name of the model.

    Returns:
        Model from crops float (N, size, size, 3) in [-1, 1] to a code (N, 8, 8, 8 * width), ``lite`` half.

    Raises:
        SettingsError: size, capacity or norm is not one of those above.
    """
    check_size(size)
    style = _style(norm, rng)
    first = _channels(width, capacity)
    crops = layers.Input((size, size, 3), name="crops")
    x = layers.Conv2D(
        first, 5, padding="same", use_bias=False, kernel_initializer=style.glorot_uniform(), name="stem_conv"
    )(crops)
    x = conv_block(x, 2 * first, style=style, name="down1", norm=False)
    for index, filters in ((2, 4 * first), (3, 8 * first)):
        x = conv_block(x, filters, style=style, name=f"down{index}")
        if attention:
            x = self_attention(x, style=style, name=f"attention{index}")
    x = conv_block(x, _deepest(width, capacity), style=style, name="down4")
    for index in range(5, 5 + int(np.log2(size // 64))):
        x = conv_block(x, _deepest(width, capacity), style=style, name=f"down{index}")
    x = _bottleneck(x, _latent(width, capacity, size), style=style)
    x = _upscale(capacity)(x, 8 * first, style=style, name="up1")
    return keras.Model(crops, x, name=name)


def build_decoder(
    encoded_shape: tuple[int, int, int],
    *,
    size: int,
    capacity: Capacity = "standard",
    attention: bool = True,
    norm: Norm = "instancenorm",
    width: int = 64,
    rng: np.random.Generator | None = None,
    name: str = "decoder",
) -> keras.Model:
    """Build one person's decoder.

    Args:
        encoded_shape: Shape of the encoder's code without its batch axis: ``encoder.output_shape[1:]``.
        size: Side of the crops in px: 64, 128 or 256.
        capacity: As in the encoder.
        attention: Self-attention at 32 and 64 px; without it a convolution stands in for the second.
        norm: Normalisation of the blocks.
        width: As in the encoder.
        rng: Source of the starting weights; None starts anew each time.
        name: Name of the model.

    Returns:
        Model from a code to a dictionary: ``head``, float (N, size, size, 4), the mask in [0, 1] first, then
        red, green and blue in [-1, 1]; and, each by its own convolution, side outputs ``side64`` (at 128 and
        256) and ``side128`` (at 256), float (N, side, side, 3) in [-1, 1]. See `split_outputs`. (A
        dictionary, as Keras turns a list of one output into a bare tensor: ``[-1]`` then picks a sample.)

    Raises:
        SettingsError: size, capacity or norm is not one of those of the encoder.
    """
    check_size(size)
    style = _style(norm, rng)
    first = _channels(width, capacity)
    upscale = _upscale(capacity)
    code = layers.Input(encoded_shape, name="code")
    x = upscale(code, 4 * first, style=style, name="up16")
    x = upscale(x, 2 * first, style=style, name="up32")
    if attention:
        x = self_attention(x, style=style, name="attention32")
    x = upscale(x, first, style=style, name="up64")
    x = res_block(x, first, style=style, name="res64")
    if attention:
        x = self_attention(x, style=style, name="attention64")
    else:
        x = conv_block(x, first, style=style, name="block64", stride=1, norm=False)
    outputs = {}
    side = _FIRST_HEAD
    while side < size:
        outputs[f"side{side}"] = _paint(x, 3, "tanh", style=style, name=f"side{side}")
        side *= 2
        x = upscale(x, first, style=style, name=f"up{side}")
        x = conv_block(x, first, style=style, name=f"block{side}", stride=1, norm=False)
    mask = _paint(x, 1, "sigmoid", style=style, name="mask")
    rgb = _paint(x, 3, "tanh", style=style, name="rgb")
    outputs["head"] = layers.Concatenate(dtype="float32", name="head")([mask, rgb])
    return keras.Model(code, outputs, name=name)


def _paint(x: keras.KerasTensor, channels: int, activation: str, *, style: Style, name: str) -> keras.KerasTensor:
    # float32 under every dtype policy: 8 bits of mantissa would band the picture
    return layers.Conv2D(
        channels,
        5,
        padding="same",
        activation=activation,
        kernel_initializer=style.glorot_uniform(),
        dtype="float32",
        name=name,
    )(x)


def _bottleneck(x: keras.KerasTensor, latent: int, *, style: Style) -> keras.KerasTensor:
    side, _, channels = x.shape[1:]
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(latent, kernel_initializer=style.glorot_uniform(), name="dense1")(x)
    x = layers.Dense(side * side * channels, kernel_initializer=style.glorot_uniform(), name="dense2")(x)
    return layers.Reshape((side, side, channels), name="unflatten")(x)


def _style(norm: Norm, rng: np.random.Generator | None) -> Style:
    return Style(norm, np.random.default_rng() if rng is None else rng)


def _upscale(capacity: Capacity) -> Callable[..., keras.KerasTensor]:
    return upscale_shuffle if capacity == "standard" else upscale_nearest


def _channels(width: int, capacity: Capacity) -> int:
    if capacity not in get_args(Capacity):
        raise SettingsError(f"capacity must be one of {', '.join(get_args(Capacity))}; got {capacity!r}.")
    return width if capacity == "standard" else width // 2


def _deepest(width: int, capacity: Capacity) -> int:
    return 16 * width if capacity == "standard" else 4 * width


def _latent(width: int, capacity: Capacity, size: int) -> int:
    return 32 * width if capacity == "lite" and size > 64 else 16 * width
