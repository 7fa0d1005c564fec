"""The generator has the v2.2 model's shapes, names and, to the unit, its number of parameters."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import ops

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.discriminator import build_discriminator
from faceswap_gan.nn.generator import Swap, build_decoder, build_encoder, split_head, split_outputs

# capacity, norm, size, encoder, decoder, discriminator
COUNTS = [
    ("standard", "instancenorm", 64, 59_130_506, 6_300_924, 747_845),
    ("standard", "instancenorm", 128, 68_567_692, 6_490_305, 1_878_664),
    ("standard", "instancenorm", 256, 78_004_878, 6_679_686, 3_009_483),
    ("standard", "none", 64, 59_130_498, 6_300_918, 747_841),
    ("standard", "hybrid", 64, 59_541_258, 6_322_652, 768_517),
    ("lite", "hybrid", 64, 10_119_690, 420_948, 768_517),
    ("lite", "hybrid", 128, 19_115_660, 442_089, 1_915_848),
    ("lite", "hybrid", 256, 19_721_998, 463_230, 3_063_179),
    ("lite", "instancenorm", 64, 10_065_994, 415_460, 747_845),
]
NORMS = ["instancenorm", "batchnorm", "layernorm", "groupnorm", "none", "hybrid"]


def _generator(**settings):
    encoder = build_encoder(**settings)
    return encoder, build_decoder(encoder.output_shape[1:], **settings)


@pytest.mark.parametrize(("capacity", "norm", "size", "encoded", "decoded", "judged"), COUNTS)
def test_parameters(capacity, norm, size, encoded, decoded, judged):
    encoder, decoder = _generator(size=size, capacity=capacity, norm=norm)
    assert encoder.count_params() == encoded
    assert decoder.count_params() == decoded
    assert build_discriminator(size=size, norm=norm).count_params() == judged


def test_parameters_without_attention():
    encoder, decoder = _generator(size=64, attention=False)
    counts = [encoder.count_params(), decoder.count_params()]
    assert counts == [58_719_944, 6_311_946]
    assert build_discriminator(size=64, attention=False).count_params() == 665_604


@pytest.mark.parametrize("capacity", ["standard", "lite"])
@pytest.mark.parametrize(("size", "sides"), [(64, []), (128, [64]), (256, [64, 128])])
def test_outputs(size, sides, capacity):
    encoder, decoder = _generator(size=size, capacity=capacity, width=8, norm="none")
    outputs = decoder(encoder(np.zeros((2, size, size, 3), "float32")))
    swap, painted = split_outputs(outputs)
    assert [tuple(picture.shape) for picture in painted] == [(2, side, side, 3) for side in sides]
    assert tuple(swap.rgb.shape) == (2, size, size, 3)
    assert tuple(swap.mask.shape) == (2, size, size, 1)
    assert encoder.output_shape == (None, 8, 8, 64 if capacity == "standard" else 32)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("capacity", ["standard", "lite"])
def test_ranges_for_every_norm(norm, capacity, rng):
    encoder, decoder = _generator(size=64, capacity=capacity, norm=norm, width=32, rng=rng)
    crops = rng.uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
    swap = split_head(decoder(encoder(crops))["head"])
    rgb, mask = ops.convert_to_numpy(swap.rgb), ops.convert_to_numpy(swap.mask)
    assert rgb.shape == (2, 64, 64, 3)
    assert mask.shape == (2, 64, 64, 1)
    assert np.abs(rgb).max() <= 1
    assert rgb.min() < 0
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask.std() > 0


def test_same_rng_same_weights_and_other_decoder_other_weights():
    def weights():
        rng = np.random.default_rng(5)
        models = [build_decoder((8, 8, 64), size=64, width=8, rng=rng) for _ in range(2)]
        return [ops.convert_to_numpy(model.get_layer("rgb").kernel.value) for model in models]

    first, second = weights(), weights()
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], first[1])


def test_swap_over():
    swap = Swap(rgb=np.full((1, 1, 3), 0.5), mask=np.full((1, 1, 1), 0.25))
    np.testing.assert_allclose(swap.over(np.full((1, 1, 3), -0.5)), -0.25)


def test_head_is_mask_then_rgb():
    swap = split_head(np.arange(4.0).reshape(1, 1, 1, 4))
    np.testing.assert_array_equal(np.ravel(swap.mask), [0])
    np.testing.assert_array_equal(np.ravel(swap.rgb), [1, 2, 3])


def test_layers_are_named():
    encoder, decoder = _generator(size=128, width=16)
    names = {layer.name for layer in encoder.layers}
    assert {"stem_conv", "down4_conv", "attention2", "attention3", "dense1", "up1_shuffle"} <= names
    assert {"side64", "mask", "rgb", "head"} <= {layer.name for layer in decoder.layers}


def test_regularised_layers():
    # the first convolution, the dense bottleneck and the heads are free; blocks and attention are not
    encoder, decoder = _generator(size=64, width=16, norm="hybrid")
    for model in (encoder, decoder):
        losses = sum(float(each) for each in model.losses)
        kernels = [
            weight
            for weight in model.trainable_weights
            if weight.path.endswith("kernel")
            and not {"stem_conv", "dense1", "dense2", "mask", "rgb"} & set(weight.path.split("/"))
        ]
        expected = 1e-4 * sum(float(ops.sum(ops.square(kernel))) for kernel in kernels)
        assert losses == pytest.approx(expected, rel=1e-4)


def test_models_are_rebuilt_from_their_config():
    encoder, decoder = _generator(size=64, width=16, norm="hybrid")
    crops = np.zeros((1, 64, 64, 3), "float32") + 0.3
    for model, data in ((encoder, crops), (decoder, encoder(crops))):
        config = json.loads(json.dumps(model.get_config()))
        again = keras.Model.from_config(config)
        again.set_weights(model.get_weights())
        first, second = (keras.tree.flatten(each(data))[-1] for each in (model, again))
        np.testing.assert_allclose(ops.convert_to_numpy(first), ops.convert_to_numpy(second), atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"size": 96}, {"size": 64, "capacity": "huge"}, {"size": 64, "norm": "spectral"}]
)
def test_unknown_settings(settings):
    with pytest.raises(SettingsError, match="must be one of"):
        build_encoder(**settings)
