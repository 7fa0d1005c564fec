"""Muon: kernels of convolutions by orthogonal steps, everything else by Adam."""

import keras
import numpy as np
import pytest
from tiny import tiny_settings

from faceswap_gan.config import find_preset
from faceswap_gan.training.adam import PlayersAdam
from faceswap_gan.training.muon import Muon, is_matrix, orthogonalize
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step


def _variables(rng):
    shapes = {"kernel": (3, 3, 2, 5), "bias": (5,), "dense": (4, 6)}
    return [
        keras.Variable(rng.normal(size=shape).astype(np.float32), name="kernel" if name == "dense" else name)
        for name, shape in shapes.items()
    ]


def _gradients(steps):
    rng = np.random.default_rng(3)
    return [
        [rng.normal(size=shape).astype(np.float32) for shape in ((3, 3, 2, 5), (5,), (4, 6))] for _ in range(steps)
    ]


def _run(optimizer, variables, gradients):
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(each) for each in step], variables)
    return [keras.ops.convert_to_numpy(each.value) for each in variables]


def _newton_schulz(matrix):
    """The rounds as Jordan et al. write them, on the matrix itself."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / np.linalg.norm(x)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (12, 12)])
def test_orthogonal_steps_turn_every_direction_alike(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    spread = (u * np.geomspace(1.0, 0.03, min(shape))) @ v  # singular values a factor of 30 apart
    got = keras.ops.convert_to_numpy(orthogonalize(keras.ops.convert_to_tensor(spread.astype(np.float32))))
    np.testing.assert_allclose(got, _newton_schulz(spread), atol=2e-4)
    turned = u.T @ got @ v.T  # its own directions stay
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-3)
    assert np.diag(turned).min() > 0.6
    assert np.diag(turned).max() < 1.25


def test_kernels_move_by_muon_and_the_rest_by_adam():
    gradients = _gradients(4)
    mine, theirs = (_variables(np.random.default_rng(1)) for _ in range(2))
    start = keras.ops.convert_to_numpy(mine[0].value)
    moved = _run(Muon(1e-2, kernels=mine, boost=3.0, other=[], ratio=1.0, beta_1=0.5, beta_2=0.99), mine, gradients)
    plain = _run(PlayersAdam(1e-2, other=[], ratio=1.0, beta_1=0.5, beta_2=0.99), theirs, gradients)
    for a, b in zip(moved[1:], plain[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    mean, expected = np.zeros_like(start), start.astype(np.float64)
    for gradient, *_ in gradients:
        mean = 0.9 * mean + 0.1 * gradient
        matrix = (0.9 * mean + 0.1 * gradient).reshape(-1, 5)
        expected = expected - 3.0 * 1e-2 * 0.2 * 18**0.5 * _newton_schulz(matrix).reshape(start.shape)
    np.testing.assert_allclose(moved[0], expected, atol=1e-4)
    assert np.abs(moved[0] - plain[0]).max() > 1e-2


def test_convolutions_are_matrices_and_nothing_else():
    networks = build_networks(find_preset("fast").model, rng=np.random.default_rng(0))
    chosen = {v.path for network in networks.values() for v in network.trainable_variables if is_matrix(v)}
    assert any("res8_conv1" in path for path in chosen)
    assert not any(part in path for path in chosen for part in ("bias", "scale", "shift", "expand", "code"))


def test_all_inner_convolutions_move_by_muon_but_not_the_one_that_paints():
    settings = tiny_settings("fast", training={"muon": 5.0})
    networks = build_networks(settings.model, rng=np.random.default_rng(0))
    step = build_step(networks, settings)
    moved = {step.trainable_variables[i].path for i in step.optimizer._kernel_indices}
    fit = {v.path for network in networks.values() for v in network.trainable_variables if is_matrix(v)}
    assert "paint/kernel" in fit
    assert {"conv1/kernel", "res8_conv1/kernel", "up32/kernel"} < moved
    assert fit - moved == {"paint/kernel"}
