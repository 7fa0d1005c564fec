"""The fast generator: a small encoder and one decoder that paints either person.

Both people share every convolution of the decoder; a person enters by a learned scale and shift of each feature, at
8, 16 and 32 px or at every stage. What the two have in common, how a mouth opens or a lid closes, is then learned
from both, which makes a swap follow its footage after minutes rather than hours.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.shuffle import ICNR, PixelShuffle

SIDES = ("src", "dst")
"""People in the order of their index."""

_COARSE = 8  # px: side of the code's feature map
_MIDDLE = 32  # px: side up to which a stage has a residual block
OUTPUT = "paint"
"""Name of the decoder's last convolution."""


@keras.saving.register_keras_serializable(package="faceswap_gan")
class PersonMaps(keras.layers.Layer):  # type: ignore[misc]
    """Scale and shift features by maps of one of several people.

    References:
        Perez et al. (2018), FiLM, eq. 1, with a value for each position; Karras et al. (2019), section 3.

    Args:
        people: how many.
    """

    def __init__(self, people: int = len(SIDES), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.people = people

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Make the maps (people, H, W, C): scale one, shift zero."""
        shape = (self.people, *input_shape[0][1:])
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.shift = self.add_weight(name="shift", shape=shape, initializer="zeros")

    def call(self, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
        """Transform features (N, H, W, C) by the maps of people int (N,)."""
        features, person = inputs
        chosen = ops.one_hot(person, self.people, dtype=features.dtype)
        scale, shift = (self._choose(maps, chosen) for maps in (self.scale, self.shift))
        return features * scale + shift

    @staticmethod
    def _choose(maps: keras.Variable, chosen: keras.KerasTensor) -> keras.KerasTensor:
        """Give each sample its person's map by a product, whose gradient is faster than that of `ops.take`."""
        flat = ops.matmul(chosen, ops.reshape(ops.cast(maps, chosen.dtype), (maps.shape[0], -1)))
        return ops.reshape(flat, (-1, *maps.shape[1:]))

    def reset(self) -> None:
        """Forget the people: scale one, shift zero."""
        self.scale.assign(ops.ones(self.scale.shape))
        self.shift.assign(ops.zeros(self.shift.shape))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """Return the features' shape."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "people": self.people}


@keras.saving.register_keras_serializable(package="faceswap_gan")
class Unfold(keras.layers.Layer):  # type: ignore[misc]
    """Space to depth: each block of pixels becomes one position, (N, H, W, C) to (N, H/b, W/b, b b C)."""

    def __init__(self, block: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Unfold."""
        height, width, channels = inputs.shape[1:]
        b = self.block
        blocks = ops.reshape(inputs, (-1, height // b, b, width // b, b, channels))
        return ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, height // b, width // b, b * b * channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (N, H/b, W/b, b b C)."""
        batch, height, width, channels = input_shape
        b = self.block
        return (batch, height and height // b, width and width // b, channels and channels * b * b)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "block": self.block}


def build_fast_encoder(
    *, size: int, width: int, latent: int, rng: np.random.Generator, name: str = "encoder"
) -> keras.Model:
    """Build the encoder: crops float (N, size, size, 3) in [-1, 1] to codes (N, latent).

    Args:
        size: side of the crops, px: 64, 128 or 256.
        width: channels per stage are 2, 4 and 8 times as many.
        latent: length of the code.
        rng: source of the starting weights.
        name: name of the model.

    Raises:
        SettingsError: size is none of these.
    """
    if size not in (64, 128, 256):
        raise SettingsError(f"expected a size of 64, 128 or 256 px, got {size}; choose one of these.")
    crops = layers.Input((size, size, 3), name="crops")
    x = Unfold(size // _MIDDLE, name="unfold")(crops)
    for index, filters in enumerate((2 * width, 4 * width, 8 * width)):
        x = _conv(x, filters, rng, name=f"conv{index + 1}", stride=1 if index == 0 else 2)
        x = _residual(x, rng, name=f"res{index + 1}")
    x = layers.Conv2D(4 * width, 1, kernel_initializer=_start(rng), name="squeeze")(x)
    x = layers.Flatten(name="flatten")(x)
    code = layers.Dense(latent, kernel_initializer=_start(rng, "glorot"), name="code")(x)
    return keras.Model(crops, code, name=name)


def build_fast_decoder(
    *,
    size: int,
    width: int,
    latent: int,
    rng: np.random.Generator,
    finest_maps: int = _MIDDLE,
    name: str = "decoder",
) -> keras.Model:
    """Build the decoder of both people.

    Args:
        size: as in the encoder.
        width: channels at 64 px; the coarser stages have 2, 4 and 8 times as many, one at 128 px half as many.
        latent: as in the encoder.
        rng: source of the starting weights.
        finest_maps: side up to which each stage, and at ``size`` the picture itself, is scaled and shifted by maps of
            the person.
        name: name of the model.

    Returns:
        Model from [codes (N, latent), person int32 (N,), an index into `SIDES`] to a dictionary with ``head``,
        float32 (N, size, size, 4), as the classic decoder's: the mask in [0, 1], then red, green, blue in [-1, 1].
    """
    code = layers.Input((latent,), name="code_in")
    person = layers.Input((), dtype="int32", name="person")
    x = layers.Dense(_COARSE * _COARSE * 4 * width, kernel_initializer=_start(rng, "glorot"), name="expand")(code)
    x = layers.Reshape((_COARSE, _COARSE, 4 * width), name="unflatten")(x)
    x = _conv(x, 8 * width, rng, name="conv8")
    side, filters = _COARSE, 8 * width
    while True:
        x = PersonMaps(name=f"person{side}")([x, person])
        x = _residual(x, rng, name=f"res{side}")
        if side == _MIDDLE:
            break
        side, filters = side * 2, filters // 2
        x = _upscale(x, filters, rng, name=f"up{side}")
    for side in (64, 128) if size > 128 else (64,):
        filters = width * 64 // side
        x = _upscale(x, filters, rng, name=f"up{side}")
        x = _conv(x, filters, rng, name=f"conv{side}")
        if side <= finest_maps and side < size:
            x = PersonMaps(name=f"person{side}")([x, person])
    block = size // side
    x = layers.Conv2D(4 * block * block, 3, padding="same", kernel_initializer=_start(rng, "glorot"), name=OUTPUT)(x)
    for index in range(block.bit_length() - 1):
        x = PixelShuffle(name=f"paint_shuffle{index + 1}")(x)
    if size <= finest_maps:
        x = PersonMaps(name=f"person{size}")([x, person])
    mask, rgb = ops.split(x, [1], axis=-1)  # not slices: TensorFlow puts their gradients together in one thread
    mask = layers.Activation("sigmoid", dtype="float32", name="mask")(mask)
    rgb = layers.Activation("tanh", dtype="float32", name="rgb")(rgb)
    head = layers.Concatenate(dtype="float32", name="head")([mask, rgb])
    return keras.Model([code, person], {"head": head}, name=name)


@keras.saving.register_keras_serializable(package="faceswap_gan")  # type: ignore[untyped-decorator]
def leak(x: keras.KerasTensor) -> keras.KerasTensor:
    """Take a tenth of what is negative, as LeakyReLU(0.1) does.

    Written out because TensorFlow 2.21 on a CPU fuses convolution, addition and its own leaky ReLU into one operation
    that takes a fifth, whatever slope was asked for; only where nothing is trained, so a swap differs from its
    training.
    """
    return ops.maximum(x, 0.1 * x)


def _conv(
    x: keras.KerasTensor, filters: int, rng: np.random.Generator, *, name: str, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", kernel_initializer=_start(rng), name=name)(x)
    return layers.LeakyReLU(0.1, name=f"{name}_relu")(x)


def _residual(x: keras.KerasTensor, rng: np.random.Generator, *, name: str) -> keras.KerasTensor:
    """Two convolutions beside the identity; the second starts at zero, so the block starts as the identity."""
    filters = x.shape[-1]
    y = _conv(x, filters, rng, name=f"{name}_conv1")
    y = layers.Conv2D(filters, 3, padding="same", kernel_initializer="zeros", name=f"{name}_conv2")(y)
    y = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation(leak, name=f"{name}_relu")(y)


def _upscale(x: keras.KerasTensor, filters: int, rng: np.random.Generator, *, name: str) -> keras.KerasTensor:
    """Double the side. A 3 x 3 convolution follows everywhere; one here, too, would cost a quarter of all."""
    start = ICNR(stddev=(2 / x.shape[-1]) ** 0.5, seed=int(rng.integers(2**31)))  # He et al.'s deviation
    x = layers.Conv2D(4 * filters, 1, kernel_initializer=start, name=name)(x)
    x = PixelShuffle(name=f"{name}_shuffle")(x)
    return layers.LeakyReLU(0.1, name=f"{name}_relu")(x)


def _start(rng: np.random.Generator, kind: str = "he") -> keras.initializers.Initializer:
    seed = int(rng.integers(2**31))
    if kind == "he":
        return keras.initializers.HeNormal(seed=seed)
    return keras.initializers.GlorotUniform(seed=seed)
