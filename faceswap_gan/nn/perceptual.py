"""Perceptual loss: faces compared by the features of a recogniser that is not trained."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from faceswap_gan.nn import vggface
from faceswap_gan.nn.losses import resize
from faceswap_gan.nn.normalization import standardize

WEIGHTS = (0.1, 0.3, 0.1, 0.01)
"""Weights of the four features, finest first: v2.2's."""

_LEAST = 1e-3  # deviation of a feature of an even picture
_MEAN_BGR = (91.4953, 103.8827, 131.0912)  # of VGGFace2, 0 to 255


def build_features(*, before_activation: bool) -> keras.Model:
    """Build VGGFace's ResNet-50, its weights at random, as an extractor of the four features that v2.2 compares.

    Args:
        before_activation: take them before the activations, as v2.2's Colab notebooks do.

    Returns:
        Model, not trainable, from BGR float (N, 224, 224, 3) as `to_vggface` makes it to a list of four features
        (N, h, w, C), finest first. `nn.vggface.set_layer_weights` gives it the published weights; its batch
        normalisations use their statistics in training, too.
    """
    network = vggface.build_vggface()
    taps = vggface.TAPS_BEFORE_ACTIVATION if before_activation else vggface.TAPS
    features = keras.Model(network.input, [network.get_layer(tap).output for tap in taps], name="vggface_features")
    features.trainable = False
    return features


def to_vggface(pictures: keras.KerasTensor) -> keras.KerasTensor:
    """Resize RGB pictures in [-1, 1] to 224 px and turn them into BGR, 0 to 255, less VGGFace2's mean colour."""
    bgr = ops.flip(resize(pictures, (vggface.SIZE, vggface.SIZE)), axis=-1)
    return (bgr + 1.0) * 127.5 - ops.convert_to_tensor(np.asarray(_MEAN_BGR, np.float32))


def perceptual_loss(
    features: keras.Model, target: keras.KerasTensor, painted: keras.KerasTensor
) -> keras.KerasTensor:
    """Compare features: the sum over taps k of w_k mean (N(F_k(painted)) - N(F_k(target)))^2.

    N takes from each sample's feature its mean over height, width and channels and divides it by their deviation
    plus 0.001.

    Args:
        features: Extractor of `build_features`.
        target: What the decoder must reproduce, RGB float (N, S, S, 3) in [-1, 1].
        painted: What it painted, of the same shape.

    Returns:
        Scalar float32.

    References:
        Johnson, Alahi and Fei-Fei (2016), Perceptual losses for real-time style transfer, eq. 2.
    """
    wanted, got = (features(to_vggface(each), training=False) for each in (target, painted))
    errors = [
        weight * ops.mean(ops.square(standardize(b) - standardize(a)))
        for weight, a, b in zip(WEIGHTS, wanted, got, strict=True)
    ]
    return sum(errors, start=ops.zeros((), "float32"))


def feature_loss(features: keras.Model, target: keras.KerasTensor, painted: keras.KerasTensor) -> keras.KerasTensor:
    """Compare features by their relative error: the mean over taps k of |F_k(painted) - F_k(target)| / d_k.

    d_k is the mean deviation of the target's feature from its mean over height and width, so that all taps, and faces
    in any light, count alike.

    Args:
        features: Extractor that is not trained, from pictures to a list of features (N, h, w, C).
        target: What the decoder must reproduce, RGB float (N, H, W, 3) in [-1, 1].
        painted: What it painted, of the same shape.

    Returns:
        Scalar float32: 0 where all features are the same, about 1 where only their means are.

    References:
        Johnson, Alahi and Fei-Fei (2016), Perceptual losses for real-time style transfer, eq. 2.
    """
    seen = features(ops.concatenate([target, painted]), training=False)
    errors = []
    for feature in seen:
        wanted, got = ops.split(ops.cast(feature, "float32"), 2)
        wanted = ops.stop_gradient(wanted)
        usual = ops.mean(ops.abs(wanted - ops.mean(wanted, axis=(1, 2), keepdims=True)), axis=(1, 2, 3))
        errors.append(ops.mean(ops.mean(ops.abs(got - wanted), axis=(1, 2, 3)) / (usual + _LEAST)))
    return sum(errors) / len(errors)
