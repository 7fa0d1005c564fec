"""The moving average of the weights: what it is, and who holds it when."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import tiny_settings

from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step


def _weights(networks):
    return {
        (name, index): weight
        for name, network in networks.items()
        for index, weight in enumerate(network.get_weights())
    }


@pytest.mark.parametrize("family", ["fast", "classic"])
def test_the_average_follows_the_weights(people, family):
    settings = tiny_settings(family, training={"batch": 1, "ema": 0.3, "generator_rate": 1e-2})
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    step = build_step(networks, settings)
    step.run_eagerly = True
    maker, expected = BatchMaker(people, settings), _weights(networks)
    for number in range(4):
        before, decay = _weights(networks), min(0.3, (1 + number) / (10 + number))
        expected = {key: decay * expected[key] + (1 - decay) * before[key] for key in before}
        step.train_on_batch(maker.make(number))
    weights = _weights(networks)
    with step.averaged():
        averages = _weights(networks)
    for key, weight in weights.items():
        np.testing.assert_array_equal(_weights(networks)[key], weight, "the weights come back")
        judge = "discriminator" in key[0]
        np.testing.assert_allclose(averages[key], weight if judge else expected[key], rtol=1e-4, atol=1e-6)
    assert any((averages[key] != weights[key]).any() for key in weights)


def test_without_average_nothing_is_exchanged(people):
    settings = tiny_settings("fast")
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    step, before = build_step(networks, settings), _weights(networks)
    with step.averaged():
        assert all((before[key] == weight).all() for key, weight in _weights(networks).items())
    assert len(step.state_variables) < len(
        build_step(networks, tiny_settings("fast", training={"ema": 0.9})).state_variables
    )
