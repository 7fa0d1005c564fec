"""The hash of a trained model: what paints the same has the same one, what may not has another."""

from __future__ import annotations

import shutil

import numpy as np
from tiny import tiny_settings

from faceswap_gan.training.checkpoint import State, load_swap, save_checkpoint, write_settings
from faceswap_gan.training.networks import build_networks


def _hash(model):
    return load_swap(model, face="src").sha256


def test_every_weight_and_every_setting_counts_and_the_place_does_not(tmp_path):
    settings = tiny_settings("fast")
    model, networks = tmp_path / "model", build_networks(settings.model, rng=np.random.default_rng(1))
    write_settings(model, settings)
    save_checkpoint(model, networks, [], State(1))
    first = _hash(model)
    assert _hash(shutil.copytree(model, tmp_path / "copy")) == first

    found = [first]
    for step, name in enumerate(("encoder", "decoder"), start=2):
        weights = networks[name].get_weights()
        weights[0].flat[0] += 1e-3
        networks[name].set_weights(weights)
        save_checkpoint(model, networks, [], State(step))
        found.append(_hash(model))

    write_settings(tmp_path / "copy", tiny_settings("fast", edge=0.125))
    found.append(_hash(tmp_path / "copy"))
    assert len(set(found)) == 4
