"""The v2.2 model's phases: where they begin, what they change in a step, and the decoders' one change of places."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from tiny import tiny_features, tiny_settings

from faceswap_gan.config import PRESETS
from faceswap_gan.errors import SettingsError
from faceswap_gan.training.adam import clip_by_player
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.schedule import Phase, find_phase, learning_rate
from faceswap_gan.training.steps import build_step

# share of the run: perceptual loss, floor of the mask (0: the mask is kept small), factor of the rate, swapped
COMMON = {0.0: (False, 0.0, 1.0, False), 0.2: (True, 0.0, 1.0, False), 0.3: (True, 0.5, 1.0, False)}
COMMON |= {0.4: (True, 0.2, 1.0, False)}
LAST = {0.8: (True, 0.1, 0.3, True), 0.9: (True, 0.0, 0.1, True)}
TABLES = {
    "classic-128": COMMON | {0.5: (True, 0.4, 1.0, False), 2 / 3: (True, 0.0, 0.3, False)} | LAST,
    "classic-lite-64": COMMON | {0.5: (True, 0.4, 0.3, False), 2 / 3: (True, 0.5, 1.0, True)} | LAST,
}
CONSTANT = tiny_settings("classic", perceptual="vggface", training={"schedule": "constant"})


def _training(settings, **changes):
    return replace(settings, training=replace(settings.training, **changes))


@pytest.mark.parametrize("preset", TABLES)
def test_phases_are_those_of_the_ancestor(preset):
    settings = PRESETS[preset]
    ends = [*TABLES[preset], 1.0][1:]
    for (start, row), end in zip(TABLES[preset].items(), ends, strict=True):
        for progress in (start, (start + end) / 2.0, end - 1e-9):
            phase = find_phase(_training(settings, swap_decoders=True), progress)
            assert (phase.perceptual, phase.mask_floor, phase.rate, phase.swapped) == row
            assert not find_phase(settings, progress).swapped, "decoders change places only where that is asked for"
            rate = learning_rate(settings.training, step=7, progress=progress)
            assert rate == pytest.approx(1e-4 * row[2])
    assert find_phase(settings, 1.0).rate == 0.1


def test_a_border_is_reached_by_counting_steps():
    floors = [find_phase(PRESETS["classic-64"], step / 10).mask_floor for step in (2, 3, 4, 5, 7)]
    assert floors == [0, 0.5, 0.2, 0.4, 0]


def test_other_schedules_have_one_phase():
    settings = tiny_settings("classic", mask_floor=0.7)
    assert find_phase(settings, 0.1) == find_phase(settings, 0.95) == Phase(mask_floor=0.7)


@pytest.fixture
def batch(people):
    return BatchMaker(people, CONSTANT).make(0)


def _build(settings, *, eager=True):
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    step = build_step(networks, settings, features=tiny_features())
    step.run_eagerly = eager
    return networks, step


def _train(step, batch):
    step.restart_means()
    step.train_on_batch(batch)
    return step.read_means()


@pytest.mark.slow
def test_a_new_phase_needs_no_new_function(batch):
    _, step = _build(CONSTANT, eager=False)
    traced, terms = [], step.terms
    step.terms = lambda each: traced.append(None) or terms(each)
    step.optimizer.learning_rate = 0.0
    masks, counts = [], []
    for progress in (0.0, 0.1, 0.25, 0.35, 0.45, 0.55, 0.95):
        phase = find_phase(_training(CONSTANT, schedule="classic"), progress)
        step.enter(phase)
        losses = _train(step, batch)
        assert (losses["perceptual"] > 0.0) == phase.perceptual
        masks.append(losses["mask"])
        counts.append(len(traced))
    if keras.backend.backend() != "torch":  # where nothing is compiled
        assert len(set(counts)) == 1, "every phase is one and the same compiled step"
    assert masks[0] == pytest.approx(masks[1]) == pytest.approx(masks[2]) == pytest.approx(masks[6])
    assert masks[2] != pytest.approx(masks[3])
    assert masks[4] < masks[5] < masks[3], "a higher floor costs more"


def test_the_perceptual_loss_moves_the_generator_alone(batch):
    moves = {}
    for on in (False, True):
        networks, step = _build(CONSTANT)
        step.enter(Phase(perceptual=on))
        _train(step, batch)
        moves[on] = {name: network.get_weights() for name, network in networks.items()}
    for name in moves[True]:
        same = all(np.array_equal(*pair) for pair in zip(moves[False][name], moves[True][name], strict=True))
        assert same == ("discriminator" in name)
    kept = zip(step.features.get_weights(), tiny_features().get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in kept)


def test_features_and_settings_must_agree():
    networks = build_networks(CONSTANT.model)
    with pytest.raises(SettingsError, match="perceptual is vggface, got none"):
        build_step(networks, CONSTANT)
    with pytest.raises(SettingsError, match="perceptual is none, got some"):
        build_step(networks, tiny_settings("classic"), features=tiny_features())


def _numbers(networks, step):
    """Every network's weights, their moving averages and their moments in the optimizer."""
    adam, found = step.optimizer, {name: list(network.get_weights()) for name, network in networks.items()}
    with step.averaged():
        for name, network in networks.items():
            found[name] += network.get_weights()
    for name, network in networks.items():
        places = [adam._get_variable_index(each) for each in network.trainable_variables]
        for moments in (adam._momentums, adam._velocities):
            found[name] += [ops.convert_to_numpy(moments[place].value).copy() for place in places]
    return found


def _equal(first, second):
    return all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


def test_decoders_change_places_once_with_all_that_is_theirs(batch):
    networks, step = _build(_training(CONSTANT, ema=0.9))
    _train(step, batch)
    before = _numbers(networks, step)
    assert not _equal(before["decoder_src"], before["decoder_dst"])
    step.enter(Phase(0.8, swapped=True))
    after = _numbers(networks, step)
    partners = {"decoder_src": "decoder_dst", "decoder_dst": "decoder_src"}
    assert all(_equal(values, before[partners.get(name, name)]) for name, values in after.items())
    step.enter(Phase(0.9, swapped=True))
    step.enter(Phase(0.5))  # more minutes are asked for: the share of the run that is done falls
    step.enter(Phase(0.8, swapped=True))
    again = _numbers(networks, step)
    assert all(_equal(values, after[name]) for name, values in again.items())


def test_each_player_has_its_own_norm():
    gradients = [np.full((3, 4), 2.0, np.float32), None, np.full(9, 1.0, np.float32), np.full(4, 0.1, np.float32)]
    tensors = [None if each is None else ops.convert_to_tensor(each) for each in gradients]
    first, nothing, second, other = clip_by_player(tensors, {3}, 1.5)
    assert nothing is None
    length = np.sqrt(12 * 4.0 + 9.0)
    np.testing.assert_allclose(ops.convert_to_numpy(first), 2.0 * 1.5 / length, rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(second), 1.5 / length, rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(other), 0.1, rtol=1e-6)


def _gradient_lengths(batch, norm):
    """Norm of the generator's and of the discriminators' gradient, by Adam's first moments of a first step."""
    networks, step = _build(_training(CONSTANT, clip_norm=norm))
    _train(step, batch)
    lengths = []
    for judges in (False, True):
        variables = [v for n in networks if ("discriminator" in n) == judges for v in networks[n].trainable_variables]
        moments = [step.optimizer._momentums[step.optimizer._get_variable_index(each)] for each in variables]
        squares = [np.sum(np.square(ops.convert_to_numpy(each.value), dtype=np.float64)) for each in moments]
        lengths.append(2.0 * np.sqrt(sum(squares)))  # beta_1 is 0.5
    return lengths


def test_long_gradients_are_shortened(batch):
    assert min(_gradient_lengths(batch, 0.0)) > 0.01
    assert _gradient_lengths(batch, 1e-3) == pytest.approx([1e-3, 1e-3], rel=1e-3)
