"""Pixel shuffle, the initialiser that suits it, and reflection padding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from faceswap_gan.errors import SettingsError


@keras.saving.register_keras_serializable(package="faceswap_gan")
class PixelShuffle(keras.layers.Layer):  # type: ignore[misc]
    """Turn 4 C channels into C channels of twice the height and width.

    Equal to depth-to-space with block 2 on channels-last data: channel (by * 2 + bx) * C + c of a pixel
    becomes channel c of the pixel at row by, column bx of its 2x2 block.

    References:
        Shi et al. (2016), Real-Time Single Image and Video Super-Resolution ..., eq. 4.
    """

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Shuffle (N, H, W, 4 C) to (N, 2 H, 2 W, C)."""
        height, width, channels = inputs.shape[1:]
        blocks = ops.reshape(inputs, (-1, height, width, 2, 2, channels // 4))
        rows = ops.transpose(blocks, (0, 1, 3, 2, 4, 5))
        return ops.reshape(rows, (-1, 2 * height, 2 * width, channels // 4))

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (N, 2 H, 2 W, C / 4).

        Raises:
            SettingsError: The channels are no multiple of four.
        """
        batch, height, width, channels = input_shape
        if channels % 4:
            raise SettingsError(f"pixel shuffle needs a multiple of 4 channels; got {channels}.")
        return (batch, 2 * height, 2 * width, channels // 4)


@keras.saving.register_keras_serializable(package="faceswap_gan")
class ReflectPad(keras.layers.Layer):  # type: ignore[misc]
    """Add one pixel on each side by reflection; the border pixel itself is not repeated."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Pad (N, H, W, C) to (N, H + 2, W + 2, C)."""
        tall = ops.concatenate([inputs[:, 1:2], inputs, inputs[:, -2:-1]], axis=1)
        return ops.concatenate([tall[:, :, 1:2], tall, tall[:, :, -2:-1]], axis=2)

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (N, H + 2, W + 2, C)."""
        batch, height, width, channels = input_shape
        return (batch, height + 2, width + 2, channels)


@keras.saving.register_keras_serializable(package="faceswap_gan")
class ICNR(keras.initializers.Initializer):  # type: ignore[misc]
    """Start the four kernels that make one 2x2 block of a pixel shuffle equal: no checkerboard at the start.

    Args:
        stddev: Standard deviation of the normal distribution.
        seed: Seed of the draw; None draws anew each time.

    References:
        Aitken et al. (2017), Checkerboard artifact free sub-pixel convolution, section 3.
    """

    def __init__(self, *, stddev: float = 0.02, seed: int | None = None) -> None:
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> keras.KerasTensor:
        """Draw a kernel (kh, kw, in, 4 out)."""
        *head, channels = shape
        draw = keras.initializers.RandomNormal(stddev=self.stddev, seed=self.seed)
        kernel = draw((*head, channels // 4), dtype=dtype)
        return ops.concatenate([kernel] * 4, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this initialiser."""
        return {"stddev": self.stddev, "seed": self.seed}
