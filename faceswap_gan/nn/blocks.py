"""Blocks of the v2.2 networks: every convolution is followed by its activation, then by its normalisation."""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import layers

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.attention import SelfAttention
from faceswap_gan.nn.normalization import Norm, build_normalization
from faceswap_gan.nn.shuffle import ICNR, PixelShuffle, ReflectPad

SIZES = (64, 128, 256)
L2_WEIGHT = 1e-4
LEAK = 0.2


@dataclass(frozen=True)
class Style:
    """What the blocks of one network share: a normalisation and the source of their starting weights."""

    norm: Norm
    """Normalisation after the activation of the blocks that have one."""
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    """Gives each kernel its own seed, in the order in which the layers are made."""

    def seed(self) -> int:
        """Draw the next kernel's seed."""
        return int(self.rng.integers(2**31 - 1))

    def he_normal(self) -> keras.initializers.Initializer:
        """Make the initialiser of a block's convolution."""
        return keras.initializers.HeNormal(seed=self.seed())

    def glorot_uniform(self) -> keras.initializers.Initializer:
        """Make the initialiser of dense, attention, first and last layers."""
        return keras.initializers.GlorotUniform(seed=self.seed())

    def normalize(self, x: keras.KerasTensor, *, filters: int, name: str) -> keras.KerasTensor:
        """Apply this style's normalisation to the output of a block with so many filters."""
        layer = build_normalization(
            self.norm, filters=filters, initializer=self.he_normal(), regularizer=l2(), name=name
        )
        return x if layer is None else layer(x)


def l2() -> keras.regularizers.Regularizer:
    """Make the regulariser of all block and attention kernels: 1e-4 times the sum of squares."""
    return keras.regularizers.L2(L2_WEIGHT)


def check_size(size: int) -> None:
    """Check that a side is one that these networks are made for.

    Raises:
        SettingsError: size is not 64, 128 or 256.
    """
    if size not in SIZES:
        raise SettingsError(f"size must be one of {', '.join(map(str, SIZES))} px; got {size}.")


def conv_block(
    x: keras.KerasTensor, filters: int, *, style: Style, name: str, stride: int = 2, norm: bool = True
) -> keras.KerasTensor:
    """Convolve 3x3 without bias, ReLU, normalise: (N, H, W, C) to (N, H / stride, W / stride, filters)."""
    x = layers.Conv2D(
        filters,
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=style.he_normal(),
        kernel_regularizer=l2(),
        name=f"{name}_conv",
    )(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return style.normalize(x, filters=filters, name=f"{name}_norm") if norm else x


def critic_block(
    x: keras.KerasTensor, filters: int, *, style: Style, name: str, norm: bool = True
) -> keras.KerasTensor:
    """Convolve 4x4 without bias, leaky ReLU, normalise: (N, H, W, C) to (N, H / 2, W / 2, filters)."""
    x = layers.Conv2D(
        filters,
        4,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer=style.he_normal(),
        kernel_regularizer=l2(),
        name=f"{name}_conv",
    )(x)
    x = layers.LeakyReLU(LEAK, name=f"{name}_relu")(x)
    return style.normalize(x, filters=filters, name=f"{name}_norm") if norm else x


def res_block(x: keras.KerasTensor, filters: int, *, style: Style, name: str) -> keras.KerasTensor:
    """Add two unnormalised 3x3 convolutions to their input, which has as many channels as filters."""
    y = x
    for index in (1, 2):
        y = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=style.he_normal(),
            kernel_regularizer=l2(),
            name=f"{name}_conv{index}",
        )(y)
        if index == 1:
            y = layers.LeakyReLU(LEAK, name=f"{name}_relu1")(y)
    y = layers.Add(name=f"{name}_add")([y, x])
    return layers.LeakyReLU(LEAK, name=f"{name}_relu2")(y)


def upscale_shuffle(x: keras.KerasTensor, filters: int, *, style: Style, name: str) -> keras.KerasTensor:
    """Double a map by pixel shuffle (``standard``): (N, H, W, C) to (N, 2 H, 2 W, filters)."""
    x = layers.Conv2D(
        4 * filters,
        3,
        padding="same",
        kernel_initializer=ICNR(seed=style.seed()),
        kernel_regularizer=l2(),
        name=f"{name}_conv",
    )(x)
    x = layers.LeakyReLU(LEAK, name=f"{name}_relu")(x)
    x = style.normalize(x, filters=filters, name=f"{name}_norm")
    return PixelShuffle(name=f"{name}_shuffle")(x)


def upscale_nearest(x: keras.KerasTensor, filters: int, *, style: Style, name: str) -> keras.KerasTensor:
    """Double a map by repeating pixels (``lite``, no activation): (N, H, W, C) to (N, 2 H, 2 W, filters)."""
    x = layers.UpSampling2D(name=f"{name}_repeat")(x)
    x = ReflectPad(name=f"{name}_pad")(x)
    x = layers.Conv2D(filters, 3, kernel_initializer=style.he_normal(), kernel_regularizer=l2(), name=f"{name}_conv")(
        x
    )
    return style.normalize(x, filters=filters, name=f"{name}_norm")


def self_attention(x: keras.KerasTensor, *, style: Style, name: str) -> keras.KerasTensor:
    """Attend over all positions of (N, H, W, C); the shape is kept."""
    kernels = (style.glorot_uniform(), style.glorot_uniform(), style.glorot_uniform())
    return SelfAttention(kernel_initializers=kernels, kernel_regularizer=l2(), name=name)(x)
