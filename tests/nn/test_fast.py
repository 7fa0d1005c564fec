"""The fast networks: shapes, ranges, whose face is painted, and that their randomness is the caller's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from faceswap_gan.config import PRESETS
from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.fast import SIDES, PersonMaps, Unfold, build_fast_decoder, build_fast_encoder
from faceswap_gan.training.networks import outline_networks

SMALL = {"width": 8, "latent": 16}


def _build(size=64, seed=1, **more):
    rng = np.random.default_rng(seed)
    return [build(**{"size": size, **SMALL, **more}, rng=rng) for build in (build_fast_encoder, build_fast_decoder)]


def _head(networks, crops, person):
    code = networks[0](crops)
    return ops.convert_to_numpy(networks[1]([code, ops.convert_to_tensor(person, "int32")])["head"])


def _shake(network, rng):
    """Move every weight, so that no two people are painted alike."""
    network.set_weights([w + rng.normal(0, 0.05, w.shape).astype("float32") for w in network.get_weights()])


@pytest.mark.parametrize("size", [64, 128, 256])
def test_shapes_and_ranges(size, rng):
    networks = _build(size)
    crops = rng.uniform(-1, 1, (2, size, size, 3)).astype("float32")
    _shake(networks[1], rng)
    assert networks[0](crops).shape == (2, SMALL["latent"])
    head = _head(networks, 100 * crops, [0, 1])
    assert head.shape == (2, size, size, 4)
    assert head.dtype == np.float32
    mask, rgb = head[..., :1], head[..., 1:]
    assert 0 <= mask.min() < 0.5 < mask.max() <= 1
    assert -1 <= rgb.min() < 0 < rgb.max() <= 1


def test_other_sizes_are_refused():
    with pytest.raises(SettingsError, match="got 96"):
        _build(96)


def test_a_person_is_painted_by_their_own_maps(rng):
    networks = _build()
    crops = np.repeat(rng.uniform(-1, 1, (1, 64, 64, 3)).astype("float32"), 2, axis=0)
    src, dst = _head(networks, crops, [0, 1])
    np.testing.assert_allclose(src, dst, atol=1e-5)  # untrained, both are painted alike
    for layer in networks[1].layers:
        if isinstance(layer, PersonMaps):
            scale, shift = (ops.convert_to_numpy(each).copy() for each in (layer.scale, layer.shift))
            shift[SIDES.index("dst")] += 0.3
            layer.set_weights([scale, shift])
    after = _head(networks, crops, [0, 1])
    np.testing.assert_allclose(after[0], src, atol=1e-5)
    assert np.abs(after[1] - dst).mean() > 0.01
    swapped = _head(networks, crops, [1, 0])
    np.testing.assert_allclose(swapped, after[::-1], atol=1e-5)


def test_person_maps_by_hand():
    layer = PersonMaps(people=3)
    features = np.array([[1.0, 2.0], [3.0, 4.0]], "float32").reshape(1, 2, 2, 1)
    batch = np.concatenate([features] * 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer([batch, np.array([0, 1, 2])])), batch)
    scale = np.array([1.0, 10.0, 0.0], "float32").reshape(3, 1, 1, 1) * np.ones((3, 2, 2, 1), "float32")
    shift = np.zeros((3, 2, 2, 1), "float32")
    shift[2, 0, 1] = 5.0
    layer.set_weights([scale, shift])
    first, second = ops.convert_to_numpy(layer([batch[:2], np.array([2, 1])]))
    np.testing.assert_array_equal(first[..., 0], [[0, 5], [0, 0]])
    np.testing.assert_array_equal(second[..., 0], [[10, 20], [30, 40]])


def test_unfold_by_hand():
    # rows 0 1 2 3 / 4 5 6 7: the left block holds 0 1 4 5
    image = np.arange(8, dtype="float32").reshape(1, 2, 4, 1)
    assert ops.convert_to_numpy(Unfold(2)(image)).tolist() == [[[[0, 1, 4, 5], [2, 3, 6, 7]]]]


@pytest.mark.parametrize("size", [64, 128])
def test_traced_networks_paint_as_untraced_ones(size, rng):
    # TensorFlow 2.21 fuses some layers wrongly when it traces a network that is not trained
    networks = _build(size)
    for network in networks:
        _shake(network, rng)
    crops = rng.uniform(-1, 1, (2, size, size, 3)).astype("float32")
    code = networks[0](crops)
    np.testing.assert_allclose(networks[0].predict_on_batch(crops), ops.convert_to_numpy(code), rtol=1e-3, atol=1e-3)
    person = ops.convert_to_tensor([0, 1], "int32")
    traced = networks[1].predict_on_batch([code, person])["head"]
    np.testing.assert_allclose(traced, _head(networks, crops, [0, 1]), atol=1e-4)


def test_layers_keep_their_arguments():
    for layer in (PersonMaps(people=5, name="maps"), Unfold(4, name="fold")):
        twin = type(layer).from_config(layer.get_config())
        assert twin.get_config() == layer.get_config()
    assert PersonMaps.from_config(PersonMaps(people=5).get_config()).people == 5
    assert Unfold.from_config(Unfold(4).get_config()).block == 4


def test_networks_are_rebuilt_from_their_config(rng):
    networks = _build(128)
    twins = [keras.Model.from_config(each.get_config()) for each in networks]
    for twin, network in zip(twins, networks, strict=True):
        _shake(network, rng)
        twin.set_weights(network.get_weights())
    crops = rng.uniform(-1, 1, (2, 128, 128, 3)).astype("float32")
    np.testing.assert_allclose(_head(twins, crops, [0, 1]), _head(networks, crops, [0, 1]), atol=1e-6)


def test_same_rng_same_weights():
    first, same, other = ([w for network in _build(seed=s) for w in network.get_weights()] for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_no_two_layers_start_alike():
    kernels = [w for network in _build() for w in network.get_weights() if w.ndim > 1 and w.std() > 0]
    for index, first in enumerate(kernels):
        for second in kernels[index + 1 :]:
            assert first.shape != second.shape or not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("size", "finest", "sides"),
    [
        (64, 32, [8, 16, 32]),
        (64, 64, [8, 16, 32, 64]),
        (128, 64, [8, 16, 32, 64]),
        (128, 128, [8, 16, 32, 64, 128]),
        (256, 128, [8, 16, 32, 64, 128]),
        (256, 256, [8, 16, 32, 64, 128, 256]),
    ],
)
def test_a_person_has_maps_up_to_the_finest(size, finest, sides):
    with keras.StatelessScope(initialize_variables=False):
        decoder = build_fast_decoder(size=size, **SMALL, finest_maps=finest, rng=np.random.default_rng(1))
    maps = {layer.name: layer.scale.shape for layer in decoder.layers if isinstance(layer, PersonMaps)}
    assert list(maps) == [f"person{side}" for side in sides]
    assert all(shape[:3] == (len(SIDES), side, side) for side, shape in zip(sides, maps.values(), strict=True))
    assert size > finest or maps[f"person{size}"][3] == 4, "the picture's own are of mask and colours"


@pytest.mark.parametrize(("preset", "count"), [("fast", 6_413_880), ("quality", 38_052_976)])
def test_the_presets_have_their_number_of_weights(preset, count):
    networks = outline_networks(PRESETS[preset].model)
    assert sum(network.count_params() for network in networks.values()) == count
    maps = [layer.name for layer in networks["decoder"].layers if isinstance(layer, PersonMaps)]
    assert maps == [f"person{2**power}" for power in range(3, 8 if preset == "fast" else 9)]
