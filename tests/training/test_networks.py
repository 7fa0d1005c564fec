"""Which networks a family has, how they start, and the painter that conversion uses."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops
from tiny import SIDE, tiny_settings

from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.networks import build_networks, build_painter

FAST, CLASSIC = (tiny_settings(family).model for family in ("fast", "classic"))


def _build(settings, seed=1, **more):
    return build_networks(settings, rng=np.random.default_rng(seed), **more)


def _weights(networks):
    return {(name, i): w for name, network in networks.items() for i, w in enumerate(network.get_weights())}


def test_a_family_has_its_networks():
    assert list(_build(FAST)) == ["encoder", "decoder"]
    classic = _build(CLASSIC)
    assert set(classic) == {"encoder", *(f"{kind}_{side}" for kind in ("decoder", "discriminator") for side in SIDES)}
    assert all(network.name == name for name, network in classic.items())


def test_same_rng_same_weights():
    first, same, other = (_weights(_build(FAST, seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(first[key], same[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


def test_precision_is_of_these_layers_alone():
    before = keras.config.dtype_policy()
    narrow = _build(FAST, precision="bfloat16")["encoder"]
    assert keras.config.dtype_policy() == before
    assert narrow.get_layer("conv1").compute_dtype == "bfloat16"
    assert narrow.get_layer("conv1").variable_dtype == "float32"
    assert _build(FAST)["encoder"].get_layer("conv1").compute_dtype == "float32"


@pytest.mark.parametrize("settings", [FAST, CLASSIC], ids=["fast", "classic"])
def test_a_painter_paints_one_person_with_the_networks_own_weights(settings, rng):
    networks = _build(settings)
    crops = ops.convert_to_tensor(rng.uniform(-1, 1, (2, SIDE, SIDE, 3)).astype("float32"))
    for network in networks.values():
        network.set_weights([w + rng.normal(0, 0.05, w.shape).astype("float32") for w in network.get_weights()])
    heads = {side: ops.convert_to_numpy(build_painter(networks, side)(crops)) for side in SIDES}
    assert heads["src"].shape == (2, SIDE, SIDE, 4)
    assert np.abs(heads["src"] - heads["dst"]).max() > 0.01
    for side in SIDES:  # TensorFlow fuses layers where it traces what is not trained
        traced = build_painter(networks, side).predict_on_batch(crops)
        np.testing.assert_allclose(traced, heads[side], atol=1e-4)
    code = networks["encoder"](crops)
    for person, side in enumerate(SIDES):
        if settings is FAST:
            wanted = networks["decoder"]([code, ops.full((2,), person, "int32")])
        else:
            wanted = networks[f"decoder_{side}"](code)
        np.testing.assert_allclose(heads[side], ops.convert_to_numpy(wanted["head"]), atol=1e-5)


@pytest.fixture
def rng():
    return np.random.default_rng(7)
