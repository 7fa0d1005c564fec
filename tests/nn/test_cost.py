"""Operations and values of a network, against counts by hand and the v2.2 model's published figure."""

from __future__ import annotations

import math

import keras
import pytest
from keras import layers

from faceswap_gan.config import PRESETS
from faceswap_gan.nn.attention import SelfAttention
from faceswap_gan.nn.cost import count_flops, count_values
from faceswap_gan.nn.fast import PersonMaps
from faceswap_gan.nn.normalization import HybridNormalization, InstanceNormalization
from faceswap_gan.training.networks import outline_networks


def test_by_hand():
    image = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(image)
    x = SelfAttention(squeeze=2)(x)
    x = layers.Flatten()(x)
    network = keras.Model(image, layers.Dense(5)(x))
    convolution = 2 * 4 * 4 * (3 * 3 * 3 * 4)
    projections = 2 * 16 * (4 * 2 + 4 * 2 + 4 * 4)
    products = 2 * 16 * 16 * (2 + 4)
    assert count_flops(network) == convolution + projections + products + 2 * 64 * 5
    assert count_values(network) == 8 * 8 * 3 + 64 + (64 + 2 * 16 * 16) + 64 + 5


@pytest.fixture(scope="module")
def classic():
    return outline_networks(PRESETS["classic-64"].model)


def test_the_v2_2_generator_takes_6_71_gflop(classic):
    assert sum(count_flops(classic[name]) for name in ("encoder", "decoder_src")) / 1e9 == pytest.approx(
        6.71, abs=0.01
    )


def _products(layer):
    """Operations of a layer's matrix products, by what the layer says of itself; None where it has none."""
    if isinstance(layer, layers.Conv2D):
        return 2 * math.prod(layer.output.shape[1:]) * math.prod(layer.kernel_size) * layer.input.shape[-1]
    if isinstance(layer, layers.Dense):
        return 2 * layer.input.shape[-1] * layer.units
    if isinstance(layer, SelfAttention):
        _, height, width, channels = layer.input.shape
        units = layer.key.units + layer.query.units + layer.value.units
        return 2 * height * width * (channels * units + height * width * (layer.key.units + layer.value.units))
    if isinstance(layer, HybridNormalization):
        _, height, width, _ = layer.input.shape
        return 2 * height * width * (layer.filters // 2) ** 2
    return None


@pytest.mark.parametrize("preset", ["fast", "classic-64", "classic-lite-64"])
def test_every_kernel_is_counted(preset):
    known = {"kernel", "bias", "gamma", "beta", "scale", "shift"}  # of layers whose cost is counted or left out
    uncounted = (PersonMaps, InstanceNormalization)  # their weights scale and shift, no more
    for name, network in outline_networks(PRESETS[preset].model).items():
        assert {weight.name for weight in network.weights} <= known
        products = {layer: _products(layer) for layer in network.layers}
        assert all(count or not layer.weights or isinstance(layer, uncounted) for layer, count in products.items())
        assert count_flops(network) == sum(count or 0 for count in products.values()), name
