"""Normalisation layers of the v2.2 networks, under the names that model gave them."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
from keras import ops

from faceswap_gan.errors import SettingsError

Norm = Literal["instancenorm", "batchnorm", "layernorm", "groupnorm", "none", "hybrid"]

_GROUPS = 16
_GROUP_EPSILON = 1e-6
_SMALLEST_VARIANCE = 1e-12


@keras.saving.register_keras_serializable(package="faceswap_gan")
class InstanceNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Normalise each sample by its mean and deviation over height, width and channels.

    y = gamma * (x - mean) / (std + epsilon) + beta with one scalar gamma and one scalar beta. The v2.2 model
    calls this instance normalisation; by today's names it is a layer normalisation with a scalar affine.

    Args:
        epsilon: Added to the standard deviation, not to the variance.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, *, epsilon: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the scalar gamma (1) and beta (0)."""
        self.gamma = self.add_weight(name="gamma", shape=(1,), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(1,), initializer="zeros")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Normalise a batch (N, H, W, C); statistics are float32 under any dtype policy."""
        scale = ops.cast(self.gamma, "float32")
        normal = standardize(inputs, epsilon=self.epsilon, scale=scale) + ops.cast(self.beta, "float32")
        return ops.cast(normal, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this layer."""
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="faceswap_gan")
class HybridNormalization(keras.layers.Layer):  # type: ignore[misc]
    """Pass the first channels through a 1x1 convolution and instance-normalise the rest.

    Args:
        filters: The block's filters f, even: the first f // 2 channels are convolved, all others normalised.
        kernel_initializer: Initialiser of the 1x1 convolution.
        kernel_regularizer: Regulariser of the 1x1 convolution.
        **kwargs: Keras layer arguments.

    Raises:
        SettingsError: filters is odd.
    """

    def __init__(
        self,
        filters: int,
        *,
        kernel_initializer: Any = "he_normal",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if filters % 2:
            raise SettingsError(
                f"hybrid normalisation needs an even number of filters; got {filters}. Use an even width."
            )
        self.filters = filters
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.convolution = keras.layers.Conv2D(
            filters // 2,
            1,
            kernel_initializer=self.kernel_initializer,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.normalization = InstanceNormalization(dtype=self.dtype_policy, name="normalization")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build both halves for their share of the channels."""
        *rest, channels = input_shape
        half = self.filters // 2
        self.convolution.build((*rest, half))
        self.normalization.build((*rest, (channels or self.filters) - half))

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Normalise a batch (N, H, W, C); the shape is kept."""
        half = self.filters // 2
        return ops.concatenate(
            [self.convolution(inputs[..., :half]), self.normalization(inputs[..., half:])], axis=-1
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that rebuild this layer."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def standardize(
    values: keras.KerasTensor, *, epsilon: float = 1e-3, scale: keras.KerasTensor | float = 1.0
) -> keras.KerasTensor:
    """Take from each sample its mean over all axes but the first, and divide it by their deviation plus epsilon.

    Args:
        values: Float of any dtype, (N, ...).
        epsilon: Added to the standard deviation, not to the variance.
        scale: What the result is multiplied by.

    Returns:
        Float32 of the same shape.
    """
    values = ops.cast(values, "float32")
    axes = tuple(range(1, len(values.shape)))
    mean = ops.mean(values, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(values - mean), axis=axes, keepdims=True)
    # the floor keeps the square root's gradient finite where a sample is constant
    deviation = ops.sqrt(ops.maximum(variance, _SMALLEST_VARIANCE))
    return (values - mean) * (scale / (deviation + epsilon))


def build_normalization(
    norm: Norm, *, filters: int, initializer: Any, regularizer: Any, name: str
) -> keras.layers.Layer | None:
    """Make the normalisation layer that follows a block's activation.

    Args:
        norm: As the v2.2 model computes it: ``groupnorm`` has 16 groups; ``layernorm`` has as many groups as
            the block has filters (one channel a group after a convolution, four after a pixel-shuffle one).
        filters: The block's filters f; the tensor may have 4 f channels (pixel shuffle).
        initializer: Kernel initialiser of hybrid's convolution.
        regularizer: Kernel regulariser of hybrid's convolution.
        name: Name of the layer.

    Returns:
        The layer, or None where norm is ``none``.

    Raises:
        SettingsError: norm is not one of the six.
    """
    match norm:
        case "none":
            return None
        case "instancenorm":
            return InstanceNormalization(name=name)
        case "batchnorm":
            return keras.layers.BatchNormalization(name=name)
        case "groupnorm":
            return keras.layers.GroupNormalization(_GROUPS, epsilon=_GROUP_EPSILON, name=name)
        case "layernorm":
            return keras.layers.GroupNormalization(filters, epsilon=_GROUP_EPSILON, name=name)
        case "hybrid":
            return HybridNormalization(
                filters, kernel_initializer=initializer, kernel_regularizer=regularizer, name=name
            )
        case _:
            raise SettingsError(f"norm must be one of {', '.join(get_args(Norm))}; got {norm!r}.")
