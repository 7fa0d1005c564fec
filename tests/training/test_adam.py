"""Adam for two players: the update itself, the same on every backend."""

import keras
import numpy as np
import pytest

from faceswap_gan.training.adam import PlayersAdam


def _variables(rng):
    return [keras.Variable(rng.normal(size=shape).astype(np.float32)) for shape in ((3, 4), (5,), (2, 2, 1))]


def _run(optimizer, variables, gradients):
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(each) for each in step], variables)
    return [keras.ops.convert_to_numpy(each.value) for each in [*variables, *optimizer.variables[2:]]]


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_an_update_is_adams(ratio):
    gradients = [[np.random.default_rng(7 + i).normal(size=s).astype(np.float32) for s in ((3, 4), (5,), (2, 2, 1))]
                 for i in range(5)]  # fmt: skip
    mine, theirs = (_variables(np.random.default_rng(1)) for _ in range(2))
    got = _run(PlayersAdam(1e-2, other=mine, ratio=ratio, beta_1=0.5, beta_2=0.99), mine, gradients)
    expected = _run(keras.optimizers.Adam(ratio * 1e-2, beta_1=0.5, beta_2=0.99), theirs, gradients)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert np.abs(got[0] - keras.ops.convert_to_numpy(_variables(np.random.default_rng(1))[0])).min() > 1e-3
