"""ResNet-50 of VGGFace2, a face recogniser whose inner layers tell how alike two faces look.

The layers are those of the published weights file ``rcmalli_vggface_tf_notop_resnet50.h5``. Keras 3 allows no slash
in a name, so ``conv1/7x7_s2/bn`` of the file is ``conv1_7x7_s2_bn`` here.

References:
    Cao et al. (2018), VGGFace2: A dataset for recognising faces across pose and age.
    He et al. (2016), Deep residual learning for image recognition, table 1; here the first 1x1 convolution of a stage
    strides, not the 3x3 one, and the pooling does not pad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from faceswap_gan.errors import WeightsError

SIZE = 224
"""Side of the pictures that the network was trained on, px."""

TAPS = ("conv1_7x7_s2", "conv2_3_relu", "conv3_4_relu", "conv5_3_relu")
"""Layers whose features v2.2 compares: 112, 55, 28 and 7 px."""

TAPS_BEFORE_ACTIVATION = ("conv2_1_add", "conv2_3_add", "conv3_4_add", "conv5_3_add")
"""The same where v2.2 takes features before the activation; its first is 55 px as well."""

_BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}  # stage: blocks
_EPSILON = 1e-3  # of the batch normalisations


def build_vggface() -> keras.Model:
    """Build the network without its classifier and last pooling, its weights at random and none of them trainable.

    Returns:
        Model from BGR float (N, 224, 224, 3), 0 to 255 less the training set's mean colour, to float
        (N, 7, 7, 2048).
    """
    crops = layers.Input((SIZE, SIZE, 3), name="bgr")
    x = _convolve(crops, 64, 7, name="conv1_7x7_s2", strides=2)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, blocks in _BLOCKS.items():
        for block in range(1, blocks + 1):
            x = _block(x, stage, block)
    model = keras.Model(crops, x, name="vggface_resnet50")
    model.trainable = False
    return model


def set_layer_weights(model: keras.Model, weights: Mapping[str, Sequence[NDArray[np.float32]]]) -> None:
    """Give each layer its arrays from a file.

    Args:
        model: of `build_vggface`, or one made of its layers.
        weights: arrays by the file's names of the layers: a convolution's kernel; a normalisation's gamma, beta,
            mean and variance. Layers that the model has not are passed over.

    Raises:
        WeightsError: a layer's arrays are missing or of another shape.
    """
    known = {name.replace("/", "_"): arrays for name, arrays in weights.items()}
    for layer in model.layers:
        if not layer.weights:
            continue
        wanted = [tuple(variable.shape) for variable in layer.weights]
        got = [array.shape for array in known.get(layer.name, ())]
        if wanted != got:
            raise WeightsError(
                f"expected the weights of VGGFace's ResNet-50, whose layer {layer.name} has the shapes {wanted}, "
                f"got {got or 'none'}; get rcmalli_vggface_tf_notop_resnet50.h5."
            )
        layer.set_weights(known[layer.name])


def _block(x: keras.KerasTensor, stage: int, block: int) -> keras.KerasTensor:
    """Add a bottleneck to its input; the first of a stage widens it and, but for stage 2, halves its side."""
    name, width = f"conv{stage}_{block}", 32 * 2 ** (stage - 1)
    strides = 2 if block == 1 and stage > 2 else 1
    y = _convolve(x, width, 1, name=f"{name}_1x1_reduce", strides=strides)
    y = layers.Activation("relu", name=f"{name}_1x1_reduce_relu")(y)
    y = _convolve(y, width, 3, name=f"{name}_3x3")
    y = layers.Activation("relu", name=f"{name}_3x3_relu")(y)
    y = _convolve(y, 4 * width, 1, name=f"{name}_1x1_increase")
    if block == 1:
        x = _convolve(x, 4 * width, 1, name=f"{name}_1x1_proj", strides=strides)
    y = layers.Add(name=f"{name}_add")([y, x])
    return layers.Activation("relu", name=f"{name}_relu")(y)


def _convolve(x: keras.KerasTensor, filters: int, kernel: int, *, name: str, strides: int = 1) -> keras.KerasTensor:
    """Convolve without a bias, then normalise by the statistics of the training set."""
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
