"""Blocks and custom layers compute what their formulas say."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.attention import SelfAttention
from faceswap_gan.nn.blocks import Style, conv_block, critic_block, res_block, upscale_nearest
from faceswap_gan.nn.normalization import HybridNormalization, InstanceNormalization, build_normalization
from faceswap_gan.nn.shuffle import ICNR, PixelShuffle, ReflectPad


def _apply(layer, data):
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(data)))


def test_pixel_shuffle_by_hand():
    data = np.arange(4, dtype="float32").reshape(1, 1, 1, 4)
    np.testing.assert_array_equal(_apply(PixelShuffle(), data)[0, :, :, 0], [[0, 1], [2, 3]])


def test_pixel_shuffle_is_depth_to_space(rng):
    data = rng.normal(size=(2, 3, 5, 12)).astype("float32")
    expected = np.zeros((2, 6, 10, 3), "float32")
    for y in range(2):
        for x in range(2):
            expected[:, y::2, x::2] = data[..., (y * 2 + x) * 3 :][..., :3]
    np.testing.assert_array_equal(_apply(PixelShuffle(), data), expected)


def test_pixel_shuffle_needs_four_channels():
    with pytest.raises(SettingsError, match="multiple of 4"):
        PixelShuffle()(keras.Input((4, 4, 6)))


def test_icnr_starts_without_checkerboard():
    kernel = ops.convert_to_numpy(ICNR(seed=3)((3, 3, 5, 32)))
    assert kernel.shape == (3, 3, 5, 32)
    assert kernel.std() == pytest.approx(0.02, rel=0.1)
    for part in range(1, 4):
        np.testing.assert_array_equal(kernel[..., :8], kernel[..., part * 8 : part * 8 + 8])
    shuffled = _apply(PixelShuffle(), kernel.reshape(9, 1, 5, 32))
    np.testing.assert_array_equal(shuffled[:, ::2, ::2], shuffled[:, 1::2, 1::2])


def test_reflect_pad(rng):
    data = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    expected = np.pad(data, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(_apply(ReflectPad(), data), expected)


def test_instance_normalization_by_hand():
    # mean 2, deviation 2 over all of height, width and channels
    data = np.array([0, 4, 0, 4], "float32").reshape(1, 1, 2, 2)
    np.testing.assert_allclose(
        np.ravel(_apply(InstanceNormalization(), data)), np.array([-2, 2, -2, 2]) / 2.001, rtol=1e-5
    )


def test_instance_normalization_of_a_constant_is_zero():
    assert not _apply(InstanceNormalization(), np.full((1, 4, 4, 2), 3.0, "float32")).any()


def test_hybrid_normalization(rng):
    # a pixel-shuffle block with 4 filters: 16 channels, of which 2 are convolved and 14 normalised
    layer = HybridNormalization(4)
    data = rng.normal(size=(2, 3, 3, 16)).astype("float32")
    result = _apply(layer, data)
    kernel = ops.convert_to_numpy(layer.convolution.kernel.value)[0, 0]
    np.testing.assert_allclose(result[..., :2], data[..., :2] @ kernel, atol=1e-5)
    rest = data[..., 2:]
    mean, deviation = (f(rest, axis=(1, 2, 3), keepdims=True) for f in (np.mean, np.std))
    np.testing.assert_allclose(result[..., 2:], (rest - mean) / (deviation + 1e-3), atol=1e-5)


def test_hybrid_normalization_needs_even_filters():
    with pytest.raises(SettingsError, match="even"):
        HybridNormalization(5)


@pytest.mark.parametrize(("norm", "groups"), [("groupnorm", 16), ("layernorm", 32)])
def test_group_norms(norm, groups, rng):
    layer = build_normalization(norm, filters=32, initializer="zeros", regularizer=None, name="n")
    data = rng.normal(size=(2, 4, 4, 32)).astype("float32")
    split = data.reshape(2, 16, groups, 32 // groups)
    mean, variance = (f(split, axis=(1, 3), keepdims=True) for f in (np.mean, np.var))
    expected = ((split - mean) / np.sqrt(variance + 1e-6)).reshape(data.shape)
    np.testing.assert_allclose(_apply(layer, data), expected, atol=1e-4)


def test_self_attention_starts_as_identity(rng):
    data = rng.normal(size=(2, 4, 4, 16)).astype("float32")
    np.testing.assert_array_equal(_apply(SelfAttention(), data), data)


def test_self_attention(rng):
    layer = SelfAttention()
    data = rng.normal(size=(2, 4, 3, 16)).astype("float32")
    layer.build(data.shape)
    layer.gamma.assign(np.array([0.5], "float32"))
    flat = data.reshape(2, 12, 16).astype("float64")
    key, query, value = (
        flat @ ops.convert_to_numpy(part.kernel.value) for part in (layer.key, layer.query, layer.value)
    )
    scores = np.exp(query @ key.transpose(0, 2, 1))
    gathered = scores / scores.sum(-1, keepdims=True) @ value
    np.testing.assert_allclose(_apply(layer, data), data + 0.5 * gathered.reshape(data.shape), atol=1e-4)


def test_blocks_activate_before_they_normalise():
    inputs = keras.Input((8, 8, 4))
    for block, relu in ((conv_block, "relu"), (critic_block, "leaky")):
        model = keras.Model(inputs, block(inputs, 6, style=Style("instancenorm"), name="b"))
        assert [layer.name for layer in model.layers[1:]] == ["b_conv", "b_relu", "b_norm"], relu
        assert model.output_shape == (None, 4, 4, 6)


def test_res_block(rng):
    inputs = keras.Input((4, 4, 6))
    model = keras.Model(inputs, res_block(inputs, 6, style=Style("instancenorm"), name="r"))
    model.set_weights([np.zeros_like(each) for each in model.get_weights()])
    data = rng.normal(size=(1, 4, 4, 6)).astype("float32")
    np.testing.assert_allclose(_apply(model, data), np.where(data > 0, data, 0.2 * data), atol=1e-6)


def test_upscale_nearest_keeps_a_constant():
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, upscale_nearest(inputs, 1, style=Style("none"), name="u"))
    model.set_weights([np.full((3, 3, 2, 1), 0.5), np.array([-10.0])])
    result = _apply(model, np.ones((1, 4, 4, 2), "float32"))
    # nine taps of two channels at one half, less ten: negative, so it shows that nothing clips it
    np.testing.assert_allclose(result, np.full((1, 8, 8, 1), -1.0), atol=1e-5)


@pytest.mark.parametrize("layer", [InstanceNormalization(), HybridNormalization(8), SelfAttention(squeeze=4)])
def test_layers_in_bfloat16(layer, rng):
    again = type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})
    data = rng.normal(size=(2, 4, 4, 16)).astype("float32")
    result = again(ops.cast(data, "bfloat16"))
    assert keras.backend.standardize_dtype(result.dtype) == "bfloat16"
    assert np.isfinite(ops.convert_to_numpy(ops.cast(result, "float32"))).all()
