"""A warm start: what comes from the other model, what starts anew, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from keras import ops
from tiny import tiny_settings, write_faces

from faceswap_gan import train
from faceswap_gan.errors import ModelError
from faceswap_gan.nn.fast import SIDES, PersonMaps
from faceswap_gan.training import settle
from faceswap_gan.training.checkpoint import (
    State,
    checkpoint_folder,
    find_checkpoint,
    save_checkpoint,
    write_settings,
)
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step
from faceswap_gan.training.warm_start import find_start, take_over


def _random_networks(settings, seed):
    """Networks whose weights are all random, each person's maps too."""
    rng = np.random.default_rng(seed)
    networks = build_networks(settings.model, rng=rng)
    for network in networks.values():
        network.set_weights([w + rng.normal(0, 0.1, w.shape).astype(w.dtype) for w in network.get_weights()])
    return networks


def _write_model(folder, settings, *, step=7):
    """Write a model that claims to have made some steps; returns its networks."""
    networks = _random_networks(settings, 3)
    write_settings(folder, settings)
    save_checkpoint(folder, networks, build_step(networks, settings).state_variables, State(step=step))
    return networks


def _paths(network):
    return {
        variable.path: np.asarray(value)
        for variable, value in zip(network.weights, network.get_weights(), strict=True)
    }


@pytest.mark.parametrize("family", ["fast", "classic"])
def test_what_is_shared_is_taken_over(tmp_path, family, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    settings = tiny_settings(family)
    other = _write_model(tmp_path / "other", settings)
    networks, fresh = (build_networks(settings.model, rng=np.random.default_rng(4)) for _ in range(2))
    start = find_start(tmp_path / "other", settings.model)
    assert start.state.step == 7
    take_over(start, networks)
    shared = {"fast": ["encoder", "decoder"], "classic": ["encoder"]}[family]
    maps = 0
    for name, network in networks.items():
        wanted = _paths((other if name in shared else fresh)[name])
        for path, weight in _paths(network).items():
            if "/person" in f"/{path}":
                maps += 1
                np.testing.assert_array_equal(weight, float(path.endswith("scale")), path)
            else:
                np.testing.assert_array_equal(weight, wanted[path], path)
    assert maps == {"fast": 8, "classic": 0}[family]  # at 8, 16, 32 and 64 px, the picture
    assert f"taken over from {start.folder}: {' and '.join(shared)}; new: " in caplog.text


def test_a_new_persons_maps_leave_features_alone():
    features = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype(np.float32)
    layer = PersonMaps()
    layer([features, np.array([0, 1])])
    layer.set_weights([np.full_like(each, 3.0) for each in layer.get_weights()])
    layer.reset()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer([features, np.array([0, 1])])), features)


def test_averaged_weights_are_taken_as_by_convert(tmp_path):
    settings = tiny_settings("fast", training={"ema": 0.9})
    networks = _random_networks(settings, 3)
    averages = networks["encoder"].get_weights()
    step = build_step(networks, settings)  # its averages begin with the weights, which go on
    networks["encoder"].set_weights([each + 1.0 for each in averages])
    write_settings(tmp_path, settings)
    with step.averaged():
        save_checkpoint(tmp_path, networks, step.state_variables, State(step=2))
    new = build_networks(settings.model)
    take_over(find_start(tmp_path, settings.model), new)
    for got, average in zip(new["encoder"].get_weights(), averages, strict=True):
        np.testing.assert_array_equal(got, average)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "classic"}, "a model with family fast, as the new one has"),
        ({"size": 128}, "with size 128; train the new one with --preset fast"),
        ({"width": 4, "latent": 8}, "with width 4, latent 8;"),
    ],
)
def test_other_networks_are_refused(tmp_path, change, words):
    settings = tiny_settings("fast")
    write_settings(tmp_path, replace(settings, model=replace(settings.model, **change)))
    with pytest.raises(ModelError) as error:
        find_start(tmp_path, settings.model)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_trained_model_is_refused(tmp_path):
    settings = tiny_settings("fast")
    with pytest.raises(ModelError, match="expected a model folder with config.toml, got .*nowhere"):
        find_start(tmp_path / "nowhere", settings.model)
    _write_model(tmp_path, settings, step=0)
    with pytest.raises(ModelError, match="expected a trained model in"):
        find_start(tmp_path, settings.model)


def test_a_damaged_model_is_refused(tmp_path):
    settings = tiny_settings("fast")
    networks = _write_model(tmp_path, settings)
    start = find_start(tmp_path, settings.model)
    (start.folder / "decoder.weights.h5").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"decoder\.weights\.h5"):
        take_over(start, networks)


def test_a_refused_start_leaves_no_model(tmp_path):
    _write_model(tmp_path / "other", tiny_settings("classic"))
    with pytest.raises(ModelError, match="--from"):
        train.run(tmp_path, tmp_path, model=tmp_path / "new", from_model=tmp_path / "other", preset="fast", steps=1)
    assert not (tmp_path / "new").exists()


def test_the_verb_starts_warm_and_goes_on_from_its_own(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    settings = tiny_settings("fast", training={"batch": 1, "pairs": 1})
    monkeypatch.setattr(settle, "find_preset", lambda name: settings)
    faces = [write_faces(tmp_path / f"face_{side}", side) for side in SIDES]
    other, model = tmp_path / "other", tmp_path / "new"
    wanted = _write_model(other, settings)["encoder"].get_weights()
    train.run(*faces, model=model, from_model=other, preset="fast", steps=1)
    start = checkpoint_folder(model, 0)
    encoder = build_networks(settings.model)["encoder"]
    encoder.load_weights(start / "encoder.weights.h5")
    for got, weight in zip(encoder.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(got, weight)
    assert find_checkpoint(model).state.step == 1
    fits = []
    monkeypatch.setattr("faceswap_gan.training.material.read_material", lambda *_: None)
    monkeypatch.setattr(train, "_fit", lambda *rest: fits.append((rest[4], rest[-1])))
    train.run(*faces, model=model, from_model=tmp_path / "gone", steps=2)
    train.run(*faces, model=model, steps=2)
    assert fits == [(find_checkpoint(model), None)] * 2
    assert f"--from {tmp_path / 'gone'} is not used: the model goes on from its own checkpoint" in caplog.text
