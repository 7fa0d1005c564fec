"""The fast step's loss terms against NumPy: which picture each is of, where it counts, and how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeNetwork
from keras import ops

from faceswap_gan.config import LossSettings
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.similarity import dssim_loss
from faceswap_gan.training.fast import FastStep

SIZE, OWN, PAIRS = 24, 2, 3
MIDDLE = SIZE * 3 // 4  # px: what features are taken of
PERSON = np.tile(np.array([0, 1, 0], np.int32), 2)
LUMA = np.array([0.299, 0.587, 0.114])
TAUGHT = LossSettings(
    reconstruction=1.5, eyes=2.0, mouth=3.0, edge=0.5, structure=2.5, motion=0.4, lesson=0.7, mask_shape=0.6
)
ALONE = replace(TAUGHT, lesson=0.0, look=8.0)
COLOURS = replace(TAUGHT, reconstruction=1.0, edge=0.0, structure=0.0, motion=1.0, lesson=1.0)


def _bytes(rng, count, channels=3):
    return rng.integers(0, 256, (count, SIZE, SIZE, channels), dtype=np.uint8)


@pytest.fixture
def batch():
    """Pictures and masks of which no two are alike."""
    rng = np.random.default_rng(3)
    own = {f"{side}_{name}": _bytes(rng, OWN) for side in SIDES for name in ("warped", "target", "masks")}
    pairs = {f"pair_{name}": _bytes(rng, 2 * PAIRS) for name in ("crops", "pictures", "footage", "masks")}
    more = {"pair_trust": _bytes(rng, 2 * PAIRS, 1), "pair_person": PERSON, "looks": _bytes(rng, len(SIDES))}
    return own | pairs | more


def _picture(bytes_):
    return bytes_ / np.float32(127.5) - 1


def _mask(bytes_):
    return bytes_ / np.float32(255)


def _heads(footage, seed=5):
    """What a decoder paints: noise for people themselves, for pairs what moves much like the footage."""
    rng = np.random.default_rng(seed)
    rgb = rng.uniform(-1, 1, (2 * OWN + 2 * PAIRS, SIZE, SIZE, 3))
    rgb[2 * OWN :] = 0.55 * rgb[2 * OWN :] + 0.45 * _picture(footage)
    return np.concatenate([rng.uniform(0.1, 0.9, (*rgb.shape[:3], 1)), rgb], axis=-1).astype(np.float32)


def _build(weights, features=None):
    encoder = FakeNetwork(lambda crops: crops[:, :1, 0, 0], input_shape=(None, SIZE, SIZE, 3))
    return FastStep({"encoder": encoder, "decoder": FakeNetwork(None)}, weights, features)


def _terms(step, batch, heads):
    """Loss terms of a batch where the decoder paints these heads."""
    step.networks["decoder"].give = lambda _: {"head": ops.convert_to_tensor(heads)}
    terms = step.terms({name: ops.convert_to_tensor(value) for name, value in batch.items()})
    return {name: float(value) for name, value in terms.items()}


def _split(batch, heads):
    """Own targets and masks, own faces as painted, and the swaps."""
    target, masks = (np.concatenate([batch[f"{side}_{name}"] for side in SIDES]) for name in ("target", "masks"))
    return _picture(target), _mask(masks), heads[: 2 * OWN, ..., 1:], heads[2 * OWN :, ..., 1:]


def _halve(pictures):
    return np.asarray(pictures).reshape(-1, SIZE // 2, 2, SIZE // 2, 2, pictures.shape[-1]).mean((2, 4))


def _edges(pictures):
    corner = pictures[:, :-1, :-1]
    return abs(corner - pictures[:, 1:, :-1]), abs(corner - pictures[:, :-1, 1:])


def _compare(weights, target, rgb, region):
    """Reconstruction, structure and edge."""
    edges = [abs(a - b) * region[:, :-1, :-1] for a, b in zip(_edges(rgb), _edges(target), strict=True)]
    structure = dssim_loss(*(_halve(each).astype(np.float32) for each in (target, rgb, region)))
    return {
        "reconstruction": 2 * weights.reconstruction * (abs(rgb - target) * region).mean(),
        "structure": 2 * weights.structure * float(structure),
        "edge": 2 * weights.edge * sum(each.mean() for each in edges),
    }


def _moving(batch):
    """Where the eyes, the mouth and the face are in either frame of a pair."""
    return np.maximum(*np.split(_mask(batch["pair_masks"]), 2))


def _miss_motion(footage, swaps, region, enough):
    """Shortfall of the concordance of both changes, of the eyes and of the mouth."""
    wanted, painted = ((each[PAIRS:] - each[:PAIRS]) @ LUMA for each in (footage, swaps))
    loss = 0.0
    for part in (0, 1):
        common, energy = (
            (each * region[..., part]).sum((1, 2)) for each in (wanted * painted, wanted**2 + painted**2)
        )
        loss += np.maximum(enough - 2 * common / (energy + 1e-4), 0).mean()
    return loss


def _miss_features(target, rgb, trust):
    """Relative error of the middle's pixels, which are the features here."""
    rim = (SIZE - MIDDLE) // 2
    middle = slice(rim, SIZE - rim)
    wanted, error = (each[:, middle, middle] for each in (target, trust * (rgb - target)))
    usual = abs(wanted - wanted.mean((1, 2), keepdims=True)).mean((1, 2, 3))
    return (abs(error).mean((1, 2, 3)) / (usual + 1e-3)).mean()


def _pixels():
    return FakeNetwork(lambda pictures: [pictures], input_shape=(None, MIDDLE, MIDDLE, 3))


@pytest.mark.parametrize("weights", [TAUGHT, ALONE], ids=["taught", "alone"])
def test_crops_are_seen_and_each_is_painted_as_who_was_asked_for(batch, weights):
    step = _build(weights)
    _terms(step, batch, _heads(batch["pair_footage"]))
    (seen,), ((_, person),) = (step.networks[name].seen for name in ("encoder", "decoder"))
    crops = np.concatenate([batch[name] for name in ("src_warped", "dst_warped", "pair_crops")])
    np.testing.assert_allclose(seen, _picture(crops), atol=1e-6)
    assert person.tolist() == [SIDES.index("src")] * OWN + [SIDES.index("dst")] * OWN + PERSON.tolist()


def test_own_faces_are_compared_with_their_targets(batch):
    heads = _heads(batch["pair_footage"])
    terms = _terms(_build(TAUGHT), batch, heads)
    target, masks, own, _ = _split(batch, heads)
    region = 0.05 + 0.95 * masks[..., 2:3] + 2.0 * masks[..., :1] + 3.0 * masks[..., 1:2]
    for name, expected in _compare(TAUGHT, target, own, region).items():
        assert terms[name] == pytest.approx(expected, rel=1e-5), name


def test_the_mask_is_the_face(batch):
    heads = _heads(batch["pair_footage"])
    region = _mask(np.concatenate([batch[f"{each}_masks"] for each in (*SIDES, "pair")]))[..., 2:3]
    mask = heads[..., :1]
    entropy = -(region * np.log(mask) + (1 - region) * np.log(1 - mask)).mean()
    assert _terms(_build(TAUGHT), batch, heads)["mask"] == pytest.approx(0.6 * entropy, rel=1e-5)


def test_a_lesson_s_picture_is_painted_and_its_footage_s_motion_counts(batch):
    heads = _heads(batch["pair_footage"])
    terms = _terms(_build(TAUGHT, _pixels()), batch, heads)
    *_, swaps = _split(batch, heads)
    pictures, masks, trust = _picture(batch["pair_pictures"]), _mask(batch["pair_masks"]), _mask(batch["pair_trust"])
    region = trust * (1 + 2.0 * masks[..., :1] + 3.0 * masks[..., 1:2])
    lesson = sum(_compare(TAUGHT, pictures, swaps, region).values())
    assert terms["lesson"] == pytest.approx(0.7 * lesson, rel=1e-5)
    motion = _miss_motion(_picture(batch["pair_footage"]), swaps, _moving(batch), 0.95)
    assert 0.05 < motion < 1.0
    assert terms["motion"] == pytest.approx(0.4 * motion, rel=1e-4)


def test_without_a_teacher_the_crops_are_the_footage(batch):
    heads = _heads(batch["pair_crops"])
    terms = _terms(_build(ALONE), batch, heads)
    *_, swaps = _split(batch, heads)
    halves = [_halve(each) for each in (_picture(batch["pair_crops"]), swaps, _moving(batch))]
    motion = _miss_motion(*halves, 0.8)
    assert 0.05 < motion < 1.0
    assert terms["motion"] == pytest.approx(0.4 * motion, rel=1e-4)


@pytest.mark.parametrize("weights", [TAUGHT, ALONE], ids=["taught", "alone"])
def test_features_are_those_of_lessons_or_of_own_faces(batch, weights):
    heads = _heads(batch["pair_footage"])
    terms = _terms(_build(replace(weights, features=12.0), _pixels()), batch, heads)
    target, masks, own, swaps = _split(batch, heads)
    seen = (target, own, masks[..., 2:3])
    if weights is TAUGHT:
        seen = (_picture(batch["pair_pictures"]), swaps, _mask(batch["pair_trust"]))
    assert terms["perceptual"] == pytest.approx(12.0 * _miss_features(*seen), rel=1e-4)


def test_the_look_is_of_the_running_mean_swap_with_little_of_the_mouth_s_light(batch):
    step, looks, masks = _build(ALONE), _picture(batch["looks"]), _mask(batch["pair_masks"])
    means = []
    for seed in (5, 6):
        heads = _heads(batch["pair_crops"], seed)
        swaps = heads[2 * OWN :, ..., 1:]
        means.append(np.stack([swaps[person == PERSON].mean(0) for person in range(len(SIDES))]))
        error = ((means[0] if seed == 5 else 0.95 * means[0] + 0.05 * means[1]) - looks)[PERSON]
        error = error - 0.9 * masks[..., 1:2] * (error @ LUMA)[..., None]
        expected = 8.0 * (masks[..., 2:3] * 0.5 * error**2).sum(-1).mean()
        assert _terms(step, batch, heads)["look"] == pytest.approx(expected, rel=1e-4)


def _plain(batch, *, wrong=None, outside=False):
    """Grey pictures, painted as they are but where they are wrong: the left third is eyes, the middle mouth."""
    batch = {name: np.full_like(each, 128 if each.shape[-1:] == (3,) else 255) for name, each in batch.items()}
    batch["pair_person"] = PERSON
    for name in ("src_masks", "dst_masks", "pair_masks"):
        batch[name][:] = (0, 0, 0 if outside else 255)
        for part in (0, 1):
            batch[name][:, :, 8 * part : 8 * part + 8, part] = 255
    heads = np.full((2 * OWN + 2 * PAIRS, SIZE, SIZE, 4), _picture(np.float32(128)), np.float32)
    if wrong is not None:
        heads[:, :, 8 * wrong : 8 * wrong + 8, 1:] += 0.2
    return batch, heads


@pytest.mark.parametrize("term", ["reconstruction", "lesson"])
def test_an_error_costs_more_in_the_eyes_and_in_the_mouth(batch, term):
    step = _build(COLOURS)
    assert _terms(step, *_plain(batch))[term] == pytest.approx(0, abs=1e-6)
    eyes, mouth, beside = (_terms(step, *_plain(batch, wrong=wrong))[term] for wrong in range(3))
    assert beside == pytest.approx(2 * 0.2 / 3, rel=1e-4)
    assert eyes == pytest.approx((1 + COLOURS.eyes) * beside, rel=1e-4)
    assert mouth == pytest.approx((1 + COLOURS.mouth) * beside, rel=1e-4)


def test_an_error_outside_the_face_costs_a_twentieth(batch):
    step = _build(COLOURS)
    inside, outside = (_terms(step, *_plain(batch, wrong=2, outside=each)) for each in (False, True))
    assert outside["reconstruction"] == pytest.approx(0.05 * inside["reconstruction"], rel=1e-4)


@pytest.mark.parametrize(("lesson", "enough"), [(1.0, 0.95), (0.0, 0.8)])
def test_swaps_move_as_their_footage_not_against_it(batch, lesson, enough):
    step = _build(replace(COLOURS, lesson=lesson))
    batch, heads = _plain(batch)
    for name in ("pair_footage", "pair_crops"):
        batch[name][PAIRS:, :, :16] = 160
    assert _terms(step, batch, heads)["motion"] == pytest.approx(2 * enough, rel=1e-4), "a still"
    heads[2 * OWN + PAIRS :, :, :8, 1:] += 0.25
    assert _terms(step, batch, heads)["motion"] == pytest.approx(enough, rel=1e-3), "only the eyes move"
    heads[2 * OWN + PAIRS :, :, 8:16, 1:] += 0.25
    assert _terms(step, batch, heads)["motion"] == pytest.approx(0, abs=1e-3)
    first, second = np.split(heads[2 * OWN :].copy(), 2)
    heads[2 * OWN :] = np.concatenate([second, first])
    assert _terms(step, batch, heads)["motion"] == pytest.approx(2 * (1 + enough), rel=1e-3), "reversed"
