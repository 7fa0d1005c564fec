"""The classic step's loss terms: whose decoder paints what, what is compared with what, and side outputs."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from fakes import FakeNetwork
from keras import ops
from tiny import tiny_features, tiny_settings

from faceswap_gan.config import LossSettings
from faceswap_gan.nn import adversarial, losses
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import Swap
from faceswap_gan.nn.perceptual import perceptual_loss
from faceswap_gan.training.classic import ClassicStep
from faceswap_gan.training.networks import build_networks, paint
from faceswap_gan.training.schedule import Phase

SIZE, COUNT = 16, 2
RATIO, BLEND = np.float32(0.3), np.float32(0.2)
TINT = {"src": np.float32(0.3), "dst": np.float32(-0.2)}  # by which a decoder's pictures are known
WEIGHTS = LossSettings(
    adversarial=0.5, reconstruction=1.5, eyes=4.0, edge=0.3, mask_l1=0.2, mask_variation=0.7, cyclic=10.0
)


@pytest.fixture
def batch():
    """Pictures and masks of which no two are alike."""
    rng = np.random.default_rng(3)
    names = [f"{side}_{name}" for side in SIDES for name in ("warped", "target", "masks")]
    pictures = {name: rng.integers(0, 256, (COUNT, SIZE, SIZE, 3), dtype=np.uint8) for name in names}
    return pictures | {"ratio": RATIO[None], "blend": BLEND[None]}


def _tensors(batch):
    return {name: ops.convert_to_tensor(value) for name, value in batch.items()}


def _pictures(batch, name):
    return {side: batch[f"{side}_{name}"] / np.float32(127.5) - 1 for side in SIDES}


def _swap(code, side):
    """What a stand-in's decoder makes of crops, which are their own code."""
    return Swap(rgb=0.5 * code + TINT[side], mask=0.5 + 0.2 * code[..., :1] + TINT[side])


def _halves(code, side):
    return 0.5 * code[:, ::2, ::2] - TINT[side]


def _quarters(code, side):
    return 0.2 * code[:, 1::4, 1::4] - TINT[side]


def _decoder(side):
    def give(code):
        swap = _swap(code, side)
        head = ops.concatenate([swap.mask, swap.rgb], axis=-1)
        return {"head": head, "side8": _halves(code, side), "side4": _quarters(code, side)}

    return FakeNetwork(give)


def _discriminator(side):
    """A real one, as `freeze` asks for: a sum of the channels, and what tells whose it is."""
    start = {"kernel_initializer": keras.initializers.Constant(0.1 + TINT[side])}
    return keras.Sequential([keras.Input((SIZE, SIZE, 6)), keras.layers.Conv2D(1, 1, **start)])


def _build(weights=WEIGHTS, features=None):
    networks = {"encoder": FakeNetwork(lambda crops: crops, input_shape=(None, SIZE, SIZE, 3))}
    for side in SIDES:
        networks |= {f"decoder_{side}": _decoder(side), f"discriminator_{side}": _discriminator(side)}
    return ClassicStep(networks, weights, features)


def _terms(step, batch):
    return {name: float(value) for name, value in step.terms(_tensors(batch)).items()}


def _shrink(pictures, side):
    """Halve or quarter as a resize without a low-pass filter does: 2 x 2 pixels, of 4 x 4 those in the middle."""
    by = pictures.shape[1] // side
    blocks = pictures.reshape(len(pictures), side, by, side, by, 3)
    middle = slice(by // 2 - 1, by // 2 + 1)
    return blocks[:, :, middle, :, middle].mean((2, 4))


def test_a_person_is_compared_with_their_own_target_and_eyes(batch):
    warped, target = (_pictures(batch, name) for name in ("warped", "target"))
    expected = dict.fromkeys(("reconstruction", "edge", "mask"), 0.0)
    for side in SIDES:
        swap, wanted = _swap(warped[side], side), target[side]
        eyes = batch[f"{side}_masks"][..., :1] / np.float32(255)
        error = abs(swap.rgb - wanted)
        small = abs(_halves(warped[side], side) - _shrink(wanted, 8)).mean()
        small += abs(_quarters(warped[side], side) - _shrink(wanted, 4)).mean()
        expected["reconstruction"] += 1.5 * (error.mean() + small) + 4.0 * (eyes * error).mean()
        edges = 0.3 * losses.edge_loss(wanted, swap.rgb) + 4.0 * losses.edge_eyes_loss(wanted, swap.rgb, eyes)
        expected["edge"] += float(edges)
        expected["mask"] += 0.2 * swap.mask.mean() + 0.7 * float(losses.mask_variation_loss(swap.mask))
    terms = _terms(_build(), batch)
    assert {name: terms[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_a_face_is_swapped_and_swapped_back(batch):
    step, expected = _build(), 0.0
    for side, target in _pictures(batch, "target").items():
        other = SIDES[1 - SIDES.index(side)]
        there = _swap(target, other)
        back = _swap(there.rgb, side)
        expected += abs(back.rgb - target).mean() + 0.1 * abs(back.mask - there.mask).mean()
    assert _terms(step, batch)["cyclic"] == pytest.approx(10.0 * expected, rel=1e-4)


@pytest.mark.parametrize("side", SIDES)
def test_the_way_there_and_back(batch, side):
    step, other = _build(), SIDES[1 - SIDES.index(side)]
    target = _pictures(batch, "target")[side]
    step._cycle(ops.convert_to_tensor(target), side)
    (first,), (second,) = (step.networks[f"decoder_{name}"].seen for name in (other, side))
    np.testing.assert_allclose(first, target, atol=1e-6)
    np.testing.assert_allclose(second, _swap(target, other).rgb, atol=1e-6, err_msg="the colours without their mask")


@pytest.mark.parametrize("gan", ["mixup", "relativistic"])
def test_each_person_has_their_own_judge(batch, gan):
    step = _build(replace(WEIGHTS, gan=gan))
    warped, target = (_pictures(batch, name) for name in ("warped", "target"))
    generator = discriminator = 0.0
    for side in SIDES:
        swap, judge = _swap(warped[side], side), step.networks[f"discriminator_{side}"]
        seen = {"warped": warped[side], "target": target[side], "rgb": swap.rgb, "masked": swap.over(warped[side])}
        judged = adversarial.Judged(**_tensors(seen))
        generator += float(getattr(adversarial, f"{gan}_generator_loss")(judge, judged))
        ratio = (ops.convert_to_tensor(RATIO),) if gan == "mixup" else ()
        discriminator += float(getattr(adversarial, f"{gan}_discriminator_loss")(judge, judged, *ratio))
    terms = _terms(step, batch)
    assert terms["adversarial"] == pytest.approx(0.5 * generator, rel=1e-4)
    assert terms["discriminator"] == pytest.approx(discriminator, rel=1e-4)


def test_features_are_those_of_a_blend_of_colours_and_of_what_is_laid_over_the_crop(batch):
    features = tiny_features()
    step = _build(features=features)
    step.enter(Phase(perceptual=True))
    warped, target = (_pictures(batch, name) for name in ("warped", "target"))
    blends = []
    for side in SIDES:
        swap = _swap(warped[side], side)
        blends.append(BLEND * swap.rgb + (1 - BLEND) * swap.over(warped[side]))
    wanted, painted = (np.concatenate(each) for each in (list(target.values()), blends))
    expected = 2.0 * float(perceptual_loss(features, wanted, painted))
    assert _terms(step, batch)["perceptual"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("size", [128, 256])
def test_side_outputs_of_real_networks_are_compared(size):
    """What is beside the head's own loss is that of the smaller pictures, in NumPy."""
    model = replace(tiny_settings("classic").model, size=size, width=4, attention=False)
    networks = build_networks(model, rng=np.random.default_rng(1))
    rng = np.random.default_rng(3)
    names = [f"{side}_{name}" for side in SIDES for name in ("warped", "target", "masks")]
    batch = {name: rng.integers(0, 256, (1, size, size, 3), dtype=np.uint8) for name in names}
    zero = {name: 0.0 for name, default in vars(LossSettings()).items() if isinstance(default, float)}
    step = ClassicStep(networks, LossSettings(**zero | {"reconstruction": 2.0}))
    terms = _terms(step, batch | {"ratio": RATIO[None]})
    expected = 0.0
    for side in SIDES:
        warped, target = (_pictures(batch, name)[side] for name in ("warped", "target"))
        outputs = {name: ops.convert_to_numpy(each) for name, each in paint(networks, warped, side).items()}
        assert set(outputs) == {"head", *(f"side{each}" for each in (64, 128) if each < size)}
        expected += abs(outputs.pop("head")[..., 1:] - target).mean()
        for picture in outputs.values():
            expected += abs(picture - _shrink(target, picture.shape[1])).mean()
    assert terms["reconstruction"] == pytest.approx(2.0 * expected, rel=1e-4)
