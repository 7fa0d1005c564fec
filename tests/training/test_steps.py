"""One step: what each player learns from, at which rate, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from tiny import tiny_settings

from faceswap_gan.config import LossSettings
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.lessons import footage_lessons
from faceswap_gan.training.networks import build_networks, build_painter
from faceswap_gan.training.steps import build_step, to_picture

NOTHING = LossSettings(
    **{name: 0.0 for name, default in vars(LossSettings()).items() if not isinstance(default, str)}, gan="mixup"
)


@pytest.fixture
def batch(people):
    """One batch that serves every family."""
    return BatchMaker(people, tiny_settings("fast", training={"pairs": 2})).make(0)


def _build(settings, *, plain=False, eager=True):
    """Networks and step; plain: a step moves each weight by minus its gradient; eager: one step comes sooner."""
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    step = build_step(networks, settings)
    step.compile(optimizer=keras.optimizers.SGD(1.0) if plain else step.optimizer, run_eagerly=eager)
    return networks, step


def _weights(networks, kind=""):
    """Trained variables by network and place."""
    return {
        (name, index): ops.convert_to_numpy(variable.value).copy()
        for name, network in networks.items()
        if kind in name
        for index, variable in enumerate(network.trainable_variables)
    }


def _moves(networks, step, batch):
    """How far each weight goes in one step."""
    before = _weights(networks)
    step.train_on_batch(batch)
    after = _weights(networks)
    return {key: after[key] - before[key] for key in before}


def _losses(step, batch):
    """Make a step and read the means since they were restarted."""
    step.train_on_batch(batch)
    return step.read_means()


def _classic(**losses):
    return tiny_settings("classic", **losses)


def _without(step, *names):
    """Take terms out of a step's loss."""
    terms = step.terms
    step.terms = lambda batch: {name: value for name, value in terms(batch).items() if name not in names}


@pytest.fixture(scope="module")
def players(people):
    """Moves of one plain step of everything, of the generator's terms, and of the discriminators'.

    The pull of the weights' own penalties is there in all of them; "nobody" has it alone.
    """
    batch = BatchMaker(people, tiny_settings("classic")).make(0)
    generators = ("adversarial", "reconstruction", "edge", "mask")
    absent = {"both": (), "generator": ("discriminator",), "discriminator": generators}
    moves = {}
    for player, terms in (absent | {"nobody": ("discriminator", *generators)}).items():
        networks, step = _build(_classic(adversarial=10.0), plain=True)
        _without(step, *terms)
        moves[player] = _moves(networks, step, batch)
    return moves


def _network_moves(moves, name):
    return [move for (network, _), move in moves.items() if network == name]


NAMES = ("encoder", *(f"{kind}_{side}" for kind in ("decoder", "discriminator") for side in SIDES))


@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_reaches_the_other_player(players, name):
    own, other = ("discriminator", "generator") if "discriminator" in name else ("generator", "discriminator")
    still = _network_moves(players["nobody"], name)
    pairs = zip(still, _network_moves(players[other], name), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)
    pairs = zip(still, _network_moves(players[own], name), strict=True)
    assert any(np.abs(first - second).max() > 1e-6 for first, second in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_each_player_moves_as_if_alone(players, name):
    alone = players["discriminator" if "discriminator" in name else "generator"]
    for both, single in zip(_network_moves(players["both"], name), _network_moves(alone, name), strict=True):
        np.testing.assert_allclose(both, single, atol=1e-4 * np.abs(single).max() + 1e-9)


def test_the_verdict_reaches_the_generator(players, people):
    networks, step = _build(_classic(adversarial=0.0), plain=True)
    moves = _moves(networks, step, BatchMaker(people, tiny_settings("classic")).make(0))
    for name in ("encoder", "decoder_src", "decoder_dst"):
        pairs = zip(_network_moves(players["both"], name), _network_moves(moves, name), strict=True)
        assert max(np.abs(judged - unjudged).max() for judged, unjudged in pairs) > 1e-4


def test_discriminators_have_their_own_rate(batch):
    settings = _classic()
    rates = {"generator_rate": 1e-4, "discriminator_rate": 5e-4}
    networks, step = _build(replace(settings, training=replace(settings.training, **rates)))
    moves = _moves(networks, step, batch)
    for name in NAMES:
        # Adam's first step is the rate, whatever the gradient
        largest = max(np.abs(move).max() for move in _network_moves(moves, name))
        assert largest == pytest.approx(5e-4 if "discriminator" in name else 1e-4, rel=0.01)


def test_their_rate_follows_the_schedule(batch):
    networks, step = _build(_classic())
    step.optimizer.learning_rate = 1e-6
    moves = _moves(networks, step, batch)
    assert max(np.abs(move).max() for move in _network_moves(moves, "encoder")) == pytest.approx(1e-6, rel=0.05)
    judge = max(np.abs(move).max() for move in _network_moves(moves, "discriminator_src"))
    assert judge == pytest.approx(2e-6, rel=0.05)


@pytest.mark.parametrize(
    "losses", [{"gan": "relativistic"}, {"cyclic": 10.0}, {"mask_hinge": 1.0, "mask_floor": 0.9}], ids=str
)
def test_options_change_the_step(batch, losses):
    results = {}
    for name, more in (("plain", {}), ("option", losses)):
        networks, step = _build(_classic(**more))
        before = _weights(networks)
        results[name] = _losses(step, batch)
        assert all(np.isfinite(value) for value in results[name].values())
        after = _weights(networks)
        changed = {network for network, index in before if (before[network, index] != after[network, index]).any()}
        assert changed == set(NAMES)
    expected = {"gan": {"adversarial", "discriminator"}, "cyclic": {"cyclic"}, "mask_hinge": {"mask"}}
    told = {key: value for key, value in results["option"].items() if key not in step.watched}
    differing = {key for key, value in told.items() if results["plain"].get(key) != pytest.approx(value)}
    assert differing == expected[next(iter(losses))] | {"loss"}


@pytest.mark.parametrize("family", ["classic", "fast"])
def test_terms_add_up_to_the_loss(batch, family):
    _, step = _build(tiny_settings(family))
    penalty = sum(float(each) for each in step.losses)
    result = _losses(step, batch)
    watched = {name: result.pop(name) for name in step.watched}
    assert result.pop("mask_area") == pytest.approx(
        np.mean([watched[f"mask_area_{side}"] for side in SIDES]), abs=0.05
    )
    if family == "classic":
        verdicts = [watched[f"discriminator_{side}"] for side in SIDES]
        assert sum(verdicts) == pytest.approx(result["discriminator"])
        assert verdicts[0] != verdicts[1]
    assert result.pop("loss") == pytest.approx(sum(result.values()) + penalty, rel=1e-5)
    assert len(result) > 4


def test_a_step_brings_nothing_to_the_host(batch):
    _, step = _build(tiny_settings("fast"))
    assert step.train_on_batch(batch, return_dict=True) == {}, "what Keras returns here it has waited for"
    assert set(step.read_means()) == {"loss", "mask_area", *step.means, *step.watched}


@pytest.mark.parametrize("family", ["classic", "fast"])
def test_what_is_watched_comes_last_in_a_checkpoint(family):
    """Models of before it was there lack the end alone."""
    _, step = _build(tiny_settings(family))
    last = step.state_variables[-len(step.watched_variables) :]
    assert [id(variable) for variable in last] == [id(variable) for variable in step.watched_variables]


def test_terms_are_means_since_they_were_restarted(people):
    _, step = _build(tiny_settings("fast"))
    maker = BatchMaker(people, tiny_settings("fast"))
    step.optimizer.learning_rate = 0.0
    singles = []
    for index in range(3):
        step.restart_means()
        singles.append(_losses(step, maker.make(index))["edge"])
    assert max(singles) > 1.01 * min(singles)
    step.restart_means()
    means = [_losses(step, maker.make(index))["edge"] for index in range(3)]
    assert means == pytest.approx([np.mean(singles[: index + 1]) for index in range(3)], rel=1e-4)


def _redness(networks, side, crops):
    """How much redder than blue a person is painted."""
    head = ops.convert_to_numpy(build_painter(networks, side)(to_picture(crops)))
    return (head[..., 1] - head[..., 3]).mean()


@pytest.mark.parametrize("family", ["classic", "fast"])
def test_each_person_is_learned_under_their_own_name(batch, family):
    """From the same crops, src is to be painted red and dst blue."""
    crops = batch["src_warped"]
    for side, colour in (("src", (255, 0, 0)), ("dst", (0, 0, 255))):
        batch[f"{side}_warped"] = crops
        batch[f"{side}_target"][:] = colour
        batch[f"{side}_masks"][:] = 255
    # steps so small that what both share, which is pulled both ways, does not jump
    settings = tiny_settings(family, training={"generator_rate": 1e-3, "muon": 0.0})
    small = replace(settings.model, width=4, attention=False)
    networks, step = _build(replace(settings, model=small, losses=replace(NOTHING, reconstruction=1.0)))
    before = {side: _redness(networks, side, crops) for side in SIDES}
    for _ in range(3):
        step.train_on_batch(batch)
    src, dst = (_redness(networks, side, crops) - before[side] for side in SIDES)
    assert src > dst + 0.01, (src, dst)


@pytest.mark.parametrize(("family", "steps"), [("classic", 8), ("fast", 25)])
def test_the_loss_falls(people, family, steps):
    # look and motion pull against reconstruction and have their own tests
    settings = tiny_settings(family, training={"generator_rate": 1e-3}, look=0.0, motion=0.0)
    _, step = _build(settings, eager=family == "classic")
    batch = BatchMaker(people, settings).make(0)
    history = []
    for _ in range(steps):
        step.restart_means()
        result = _losses(step, batch)
        history.append(float(result["reconstruction"]) + float(result["edge"]))
    assert np.mean(history[-3:]) < 0.85 * history[0]


def test_look_pulls_the_mean_swap_to_the_mean_face(people):
    settings = tiny_settings("fast", training={"pairs": 4, "generator_rate": 1e-3})
    batch = BatchMaker(people, settings).make(0)
    _, step = _build(replace(settings, losses=replace(NOTHING, look=1.0)), eager=False)
    distances = []
    for _ in range(25):
        step.restart_means()
        distances.append(_losses(step, batch)["look"])
    assert distances[-1] < 0.7 * distances[0]


@pytest.mark.parametrize("look", [0.0, 1.0])
def test_look_pulls_where_nothing_else_weighs(people, look):
    settings = tiny_settings("fast", training={"pairs": 4})
    networks, step = _build(replace(settings, losses=replace(NOTHING, look=look)), plain=True)
    moves = _moves(networks, step, BatchMaker(people, settings).make(0))
    assert any(move.any() for move in moves.values()) == bool(look)


def test_a_lesson_is_learned_where_it_is_trusted(people):
    settings = tiny_settings("fast", training={"pairs": 4, "generator_rate": 1e-3})
    lessons = {side: footage_lessons(people[SIDES[1 - SIDES.index(side)]]) for side in SIDES}
    batch = BatchMaker(people, settings, lessons).make(0)
    only = replace(NOTHING, lesson=1.0, reconstruction=1.0)
    _, step = _build(replace(settings, losses=only), eager=False)
    history = []
    for _ in range(25):
        step.restart_means()
        history.append(_losses(step, batch)["lesson"])
    assert "look" not in step.means
    assert history[-1] < 0.7 * history[0]
    unsure = {**batch, "pair_trust": np.zeros_like(batch["pair_trust"])}
    step.restart_means()
    assert _losses(step, unsure)["lesson"] == 0.0
