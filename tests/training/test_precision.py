"""Arithmetic of the layers: what stays float32, that it learns, and that float16's loss scale survives a resume."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from keras.layers import InputLayer
from tiny import tiny_settings

from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.checkpoint import State, load_networks, load_variables, save_checkpoint
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step

NARROW = ("bfloat16", "float16")
HEADS = {"fast": {"mask", "rgb", "head"}, "classic": {"mask", "rgb", "head", "logits"}}


def _build(family, precision, seed=1):
    settings = tiny_settings(family, training={"precision": precision, "generator_rate": 1e-3})
    networks = build_networks(settings.model, precision=precision, rng=np.random.default_rng(seed))
    return settings, networks, build_step(networks, settings)


@pytest.mark.parametrize("precision", NARROW)
@pytest.mark.parametrize("family", ["classic", "fast"])
def test_weights_and_outputs_stay_float32(family, precision):
    _, networks, _ = _build(family, precision)
    layers = [layer for network in networks.values() for layer in network.layers]
    wide = {layer.name for layer in layers if layer.compute_dtype != precision and not isinstance(layer, InputLayer)}
    assert wide == HEADS[family]
    assert {v.dtype for network in networks.values() for v in network.trainable_variables} == {"float32"}
    painted = [output for name in networks if "decoder" in name for output in networks[name].outputs]
    judged = [output for name in networks if "discriminator" in name for output in networks[name].outputs]
    assert {output.dtype for output in (*painted, *judged)} == {"float32"}


@pytest.mark.parametrize("precision", NARROW)
@pytest.mark.parametrize("family", ["classic", "fast"])
def test_losses_agree_with_float32(people, family, precision):
    losses = {}
    for each in ("float32", precision):
        settings, _, step = _build(family, each)
        step.run_eagerly = True
        step.train_on_batch(BatchMaker(people, settings).make(0))
        losses[each] = step.read_means()
    assert losses[precision] == pytest.approx(losses["float32"], rel=0.05, abs=0.01)


def test_an_overflow_skips_the_update_and_halves_the_scale(people):
    settings, networks, step = _build("fast", "float16")
    batch = BatchMaker(people, settings).make(0)
    step.optimizer.dynamic_scale.assign(2.0**120)
    before = networks["encoder"].get_weights()
    step.train_on_batch(batch)
    assert float(step.optimizer.dynamic_scale.value) == 2.0**119
    for first, second in zip(before, networks["encoder"].get_weights(), strict=True):
        np.testing.assert_array_equal(second, first)
    step.optimizer.dynamic_scale.assign(2.0**10)
    step.train_on_batch(batch)
    assert any((a != b).any() for a, b in zip(before, networks["encoder"].get_weights(), strict=True))


def test_float16_resumes_with_its_loss_scale(people, tmp_path):
    settings, networks, step = _build("fast", "float16")
    maker = BatchMaker(people, settings)
    step.optimizer.dynamic_scale.assign(2.0**9)
    for index in range(2):
        step.train_on_batch(maker.make(index))
    checkpoint = save_checkpoint(tmp_path, networks, step.state_variables, State(2, 1.0))
    _, others, other = _build("fast", "float16", seed=2)
    load_networks(checkpoint, others)
    load_variables(checkpoint, other.state_variables)
    assert float(other.optimizer.dynamic_scale.value) == 2.0**9
    for each in (step, other):
        each.restart_means()
        each.train_on_batch(maker.make(2))
    assert other.read_means() == pytest.approx(step.read_means(), rel=1e-3)
    assert int(ops.convert_to_numpy(other.optimizer.iterations.value)) == 3
