"""SSIM equals Wang's formula, written out window by window."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.similarity import dssim_loss, ssim_map


def _ssim(x, y, value_range):
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / 4.5)
    window /= window.sum()
    c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
    result = np.empty((x.shape[0] - 10, x.shape[1] - 10))
    for i, j in np.ndindex(*result.shape):
        a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        covariance = (window * (a - mean_a) * (b - mean_b)).sum()
        result[i, j] = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
            (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
        )
    return result


def test_ssim_map(rng):
    x, y = rng.uniform(-1, 1, (2, 2, 14, 17, 3)).astype("float32")
    y = 0.6 * x + 0.4 * y
    result = ops.convert_to_numpy(ssim_map(x, y))
    assert result.shape == (2, 4, 7, 3)
    expected = [[_ssim(x[n, ..., c], y[n, ..., c], 2.0) for c in range(3)] for n in range(2)]
    np.testing.assert_allclose(result, np.moveaxis(expected, 1, -1), atol=1e-4)


def test_by_hand():
    # flat pictures: only the luminance term is left, (2 * 0.5 + c1) / (1 + 0.25 + c1) with c1 = 0.0004
    flat = np.ones((1, 12, 12, 1), "float32")
    expected = 1.0004 / 1.2504
    np.testing.assert_allclose(ops.convert_to_numpy(ssim_map(flat, 0.5 * flat)), expected, rtol=1e-3)
    assert float(dssim_loss(flat, 0.5 * flat)) == pytest.approx((1 - expected) / 2, rel=1e-3)


def test_same_pictures_cost_nothing(rng):
    x = rng.uniform(-1, 1, (1, 16, 16, 3)).astype("float32")
    assert float(dssim_loss(x, x)) == pytest.approx(0, abs=1e-5)
    assert float(dssim_loss(ops.cast(x, "bfloat16"), ops.cast(x, "bfloat16"))) == pytest.approx(0, abs=1e-5)


def test_weights_are_those_of_the_middle_pixels(rng):
    x, y = rng.uniform(-1, 1, (2, 1, 12, 12, 3)).astype("float32")
    weights = np.zeros((1, 12, 12, 1), "float32")
    weights[0, 5, 6] = 1  # the middle of the window at row 0, column 1
    expected = 0.5 * (1 - ops.convert_to_numpy(ssim_map(x, y))[0, 0, 1]).sum() / 12
    assert float(dssim_loss(x, y, weights)) == pytest.approx(float(expected), rel=1e-4)


def test_too_small():
    with pytest.raises(SettingsError, match="at least 11 px"):
        ssim_map(np.zeros((1, 10, 12, 3)), np.zeros((1, 10, 12, 3)))
