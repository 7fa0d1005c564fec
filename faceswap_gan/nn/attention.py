"""Self-attention over all positions of a feature map."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="faceswap_gan")
class SelfAttention(keras.layers.Layer):  # type: ignore[misc]
    """Add what every position gathers from all others, weighted by a scalar that starts at zero.

    With keys f = W_f x, queries g = W_g x (C / squeeze channels) and values h = W_h x:
    y = x + gamma * softmax(g f^T) h, over the N = H W positions, with no 1 / sqrt(d). The layer is the
    identity at the start and takes N x N memory for each sample.

    Args:
        squeeze: Channels of the input per channel of keys and queries, which have at least one.
        kernel_initializers: Three initialisers: keys, queries, values.
        kernel_regularizer: Regulariser of the three kernels.
        **kwargs: Keras layer arguments.

    References:
        Zhang et al. (2019), Self-Attention Generative Adversarial Networks, eq. 1-3 (no spectral norm).
    """

    def __init__(
        self,
        *,
        squeeze: int = 8,
        kernel_initializers: tuple[Any, Any, Any] = ("glorot_uniform", "glorot_uniform", "glorot_uniform"),
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.squeeze = squeeze
        self.kernel_initializers = tuple(keras.initializers.get(each) for each in kernel_initializers)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the three 1x1 convolutions (as dense layers on the last axis) and gamma (0)."""
        channels = int(input_shape[-1] or 0)
        narrow = max(1, channels // self.squeeze)
        self.key, self.query, self.value = (
            keras.layers.Dense(
                units,
                kernel_initializer=initializer,
                kernel_regularizer=self.kernel_regularizer,
                dtype=self.dtype_policy,
                name=name,
            )
            for units, name, initializer in zip(
                (narrow, narrow, channels), ("key", "query", "value"), self.kernel_initializers, strict=True
            )
        )
        for projection in (self.key, self.query, self.value):
            projection.build((None, None, channels))
        self.gamma = self.add_weight(name="gamma", shape=(1,), initializer="zeros")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Attend over a batch (N, H, W, C); the shape is kept."""
        height, width, channels = inputs.shape[1:]
        flat = ops.reshape(inputs, (-1, height * width, channels))
        scores = ops.matmul(self.query(flat), ops.transpose(self.key(flat), (0, 2, 1)))
        gathered = ops.matmul(ops.softmax(scores, axis=-1), self.value(flat))
        return inputs + self.gamma * ops.reshape(gathered, (-1, height, width, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "squeeze": self.squeeze,
            "kernel_initializers": [keras.initializers.serialize(each) for each in self.kernel_initializers],
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
