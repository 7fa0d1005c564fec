"""Adversarial losses equal the v2.2 formulas, written out in NumPy, for a discriminator of two lines."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from faceswap_gan.nn import adversarial
from faceswap_gan.nn.adversarial import Judged


def _discriminate(pairs):
    # neither linear nor blind to the warped crop, so that mixing and pairing both matter
    logits = 3.0 * pairs[..., 0:1] * pairs[..., 1:2] - 2.0 * pairs[..., 2:3] * pairs[..., 3:4] + pairs[..., 5:6]
    return logits[:, ::2, ::2]


@pytest.fixture
def judged(rng):
    return Judged(*(rng.uniform(-1, 1, (3, 4, 4, 3)).astype("float32") for _ in range(4)))


def _logits(judged):
    pictures = (judged.target, judged.masked, judged.rgb)
    return [_discriminate(np.concatenate([each, judged.warped], -1)) for each in pictures]


def _constant(target, masked, rgb):
    """A batch of one-pixel pictures for a discriminator that returns their red."""
    pictures = (0.0, target, rgb, masked)
    return Judged(*(np.full((1, 1, 1, 3), value, "float32") for value in pictures))


def _red(pairs):
    return pairs[..., 0:1]


def test_mixup_discriminator(judged):
    ratio = np.float32(0.3)
    expected = 0.0
    for painted in (judged.masked, judged.rgb):
        real = np.concatenate([judged.target, judged.warped], -1)
        fake = np.concatenate([painted, judged.warped], -1)
        expected += ((_discriminate(ratio * real + (1 - ratio) * fake) - ratio) ** 2).mean()
    loss = adversarial.mixup_discriminator_loss(_discriminate, judged, ratio)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_mixup_generator(judged):
    _, p, q = _logits(judged)
    loss = adversarial.mixup_generator_loss(_discriminate, judged)
    assert float(loss) == pytest.approx(float(((p - 1) ** 2).mean() + ((q - 1) ** 2).mean()), rel=1e-5)


def test_relativistic(judged):
    r, p, q = _logits(judged)
    mean_r, mean_q = r.mean(0, keepdims=True), q.mean(0, keepdims=True)
    players = {
        adversarial.relativistic_discriminator_loss: 0.5 * ((r - 1) ** 2).mean()
        + 0.5 * (p**2).mean()
        + 0.5 * ((r - mean_q - 1) ** 2).mean()
        + 0.5 * ((q - mean_r) ** 2).mean(),
        adversarial.relativistic_generator_loss: ((p - 1) ** 2).mean()
        + 0.5 * ((r - mean_q) ** 2).mean()
        + 0.5 * ((q - mean_r - 1) ** 2).mean(),
    }
    for loss, expected in players.items():
        assert float(loss(_discriminate, judged)) == pytest.approx(float(expected), rel=1e-5)


def test_relativistic_means_are_over_the_batch_alone(judged):
    r, _, q = _logits(judged)
    assert r.mean(0).std() > 0.1  # else the mean over everything would pass the test above
    assert q.mean(0).std() > 0.1


def test_by_hand():
    judged = _constant(target=1.0, masked=0.5, rgb=0.0)
    # mixtures at one half: 0.75 and 0.5, both to be judged 0.5
    assert float(adversarial.mixup_discriminator_loss(_red, judged, 0.5)) == pytest.approx(0.0625)
    assert float(adversarial.mixup_generator_loss(_red, judged)) == pytest.approx(0.25 + 1.0)
    # r = 1, p = 0.5, q = 0
    discriminator = 0.5 * (0 + 0.25 + 0 + 1)
    assert float(adversarial.relativistic_discriminator_loss(_red, judged)) == pytest.approx(discriminator)
    assert float(adversarial.relativistic_generator_loss(_red, judged)) == pytest.approx(0.25 + 0.5 * (1 + 4))


def test_bfloat16_comes_in_and_float32_goes_out(judged):
    narrow = Judged(
        *(ops.cast(each, "bfloat16") for each in (judged.warped, judged.target, judged.rgb, judged.masked))
    )
    for loss in (adversarial.mixup_generator_loss, adversarial.relativistic_generator_loss):
        result = loss(_discriminate, narrow)
        assert "float32" in str(result.dtype)
        assert float(result) == pytest.approx(float(loss(_discriminate, judged)), rel=0.05)
