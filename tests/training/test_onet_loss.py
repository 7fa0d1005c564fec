"""The fast presets' perceptual loss, by the features of MTCNN's O-Net."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny import SIDE, tiny_settings

from faceswap_gan.config import PRESETS, LossSettings
from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.lessons import footage_lessons
from faceswap_gan.training.networks import build_networks, build_perceptual
from faceswap_gan.training.perceptual import find_vggface, read_features
from faceswap_gan.training.steps import build_step

ZERO = {name: 0.0 for name, default in vars(LossSettings()).items() if not isinstance(default, str)}
SETTINGS = tiny_settings("fast", training={"pairs": 4, "generator_rate": 1e-3})
ONLY = replace(SETTINGS, losses=LossSettings(**ZERO | {"features": 1.0}, perceptual="onet"))


@pytest.fixture(scope="module")
def features():
    return read_features(ONLY, None)


def _build(settings, features, *, eager=False):
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    step = build_step(networks, settings, features=features)
    step.run_eagerly = eager
    return networks, step


def _fit(step, batch, steps):
    history = []
    for _ in range(steps):
        step.restart_means()
        step.train_on_batch(batch)
        history.append(step.read_means()["perceptual"])
    return history


def test_a_person_s_own_features_are_learned(people, features):
    kept = features.get_weights()
    networks, step = _build(ONLY, features)
    before = {name: network.get_weights() for name, network in networks.items()}
    history = _fit(step, BatchMaker(people, ONLY).make(0), 25)
    assert history[-1] < 0.8 * history[0]
    for name, network in networks.items():
        assert not all(np.array_equal(*pair) for pair in zip(before[name], network.get_weights(), strict=True)), name
    assert all(np.array_equal(*pair) for pair in zip(kept, features.get_weights(), strict=True))
    variables = {id(variable) for variable in step.state_variables}
    assert not variables & {id(variable) for variable in features.variables}, "no checkpoint holds published weights"


def test_a_lesson_s_features_count_where_it_is_trusted(people, features):
    taught = replace(ONLY, losses=replace(ONLY.losses, lesson=1.0))
    lessons = {side: footage_lessons(people[SIDES[1 - SIDES.index(side)]]) for side in SIDES}
    batch = BatchMaker(people, taught, lessons).make(0)
    _, step = _build(taught, features, eager=True)
    step.optimizer.learning_rate = 0.0
    sure, unsure, beside = (np.full_like(batch["pair_trust"], value) for value in (255, 0, 0))
    beside[:, : SIDE // 8] = 255
    (all_of_it,), (nothing,), (rim,) = (
        _fit(step, {**batch, "pair_trust": trust}, 1) for trust in (sure, unsure, beside)
    )
    assert all_of_it > 0.3
    assert nothing == rim == 0.0


def test_the_fast_presets_have_it_and_the_classic_ones_refuse_it():
    for name in ("fast", "quality"):
        losses = PRESETS[name].losses
        assert losses.perceptual == "onet"
        assert losses.features > 0
        assert find_vggface(PRESETS[name], None) is None
        side = PRESETS[name].model.size * 3 // 4
        assert build_perceptual(PRESETS[name]).input_shape == (None, side, side, 3)
    classic = PRESETS["classic-64"]
    with pytest.raises(SettingsError, match="expected --perceptual none or vggface with the preset classic-64"):
        find_vggface(replace(classic, losses=replace(classic.losses, perceptual="onet")), None)
