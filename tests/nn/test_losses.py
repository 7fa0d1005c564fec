"""Losses equal their formulas, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from faceswap_gan.nn import losses


def _picture(rng, side=8, channels=3):
    return rng.uniform(-1, 1, (2, side, side, channels)).astype("float32")


def _check(loss, expected, rel=1e-5):
    assert tuple(loss.shape) == ()
    assert float(loss) == pytest.approx(float(expected), rel=rel)


def _edges(z):
    return abs(z[:, :-1, :-1] - z[:, 1:, :-1]), abs(z[:, :-1, :-1] - z[:, :-1, 1:])


def test_reconstruction(rng):
    y, b = _picture(rng), _picture(rng)
    _check(losses.reconstruction_loss(y, b), abs(b - y).mean())
    _check(losses.reconstruction_loss(np.zeros((1, 2, 2, 3)), np.full((1, 2, 2, 3), -0.5)), 0.5)


def test_eyes(rng):
    y, b, m = _picture(rng), _picture(rng), abs(_picture(rng, channels=1))
    _check(losses.eyes_loss(y, b, m), abs(m * (b - y)).mean())
    one_of_four = np.array([1, 0, 0, 0], "float32").reshape(1, 2, 2, 1)
    _check(losses.eyes_loss(np.zeros((1, 2, 2, 3)), np.ones((1, 2, 2, 3)), one_of_four), 0.25)


def test_sides(rng):
    y, half, quarter = _picture(rng), _picture(rng, 4), _picture(rng, 2)
    # half-pixel centred: halving is the mean of 2 x 2 pixels, quartering that of the middle 2 x 2 of 4 x 4
    small = y.reshape(2, 4, 2, 4, 2, 3).mean((2, 4))
    tiny = y.reshape(2, 2, 4, 2, 4, 3)[:, :, 1:3, :, 1:3].mean((2, 4))
    expected = abs(half - small).mean() + abs(quarter - tiny).mean()
    _check(losses.sides_loss(y, [half, quarter]), expected)
    _check(losses.sides_loss(y, []), 0)


def test_edge(rng):
    y, b = _picture(rng), _picture(rng)
    expected = sum(abs(p - w).mean() for p, w in zip(_edges(b), _edges(y), strict=True))
    _check(losses.edge_loss(y, b), expected)
    # one pixel, one row, one column: |1 - 0| down and |1 - 0.5| across, against a flat target
    painted = np.array([[1, 0.5], [0, 0]], "float32").reshape(1, 2, 2, 1)
    _check(losses.edge_loss(np.zeros((1, 2, 2, 1)), painted), 1.5)


def test_edge_eyes(rng):
    y, b, m = _picture(rng), _picture(rng), abs(_picture(rng, channels=1))
    positions = (np.arange(7) + 0.5) * 8 / 7 - 0.5
    low = np.floor(positions).astype(int)
    share = (positions - low)[:, None, None].astype("float32")
    rows = m[:, low] * (1 - share) + m[:, low + 1] * share
    columns = rows.transpose(0, 2, 1, 3)
    weights = (columns[:, low] * (1 - share) + columns[:, low + 1] * share).transpose(0, 2, 1, 3)
    expected = sum(abs(weights * abs(p - w)).mean() for p, w in zip(_edges(b), _edges(y), strict=True))
    _check(losses.edge_eyes_loss(y, b, m), expected, rel=1e-4)
    _check(losses.edge_eyes_loss(y, b, np.ones_like(m)), float(losses.edge_loss(y, b)))


def test_mask_losses(rng):
    mask = abs(_picture(rng, channels=1))
    _check(losses.mask_l1_loss(mask), mask.mean())
    _check(losses.mask_hinge_loss(mask, 0.4), np.maximum(0, 0.4 - mask).mean())
    _check(losses.mask_variation_loss(mask), sum(each.mean() for each in _edges(mask)))
    by_hand = np.array([[0.25, 1], [0.5, 0]], "float32").reshape(1, 2, 2, 1)
    _check(losses.mask_l1_loss(by_hand), 0.4375)
    _check(losses.mask_hinge_loss(by_hand, 0.5), 0.1875)
    _check(losses.mask_variation_loss(by_hand), 1.0)


def test_cyclic(rng):
    y, b, first, second = _picture(rng), _picture(rng), _picture(rng, channels=1), _picture(rng, channels=1)
    loss = losses.cyclic_loss(y, b, first_mask=first, second_mask=second)
    _check(loss, abs(b - y).mean() + 0.1 * abs(second - first).mean())
    one = np.ones((1, 2, 2, 1), "float32")
    _check(losses.cyclic_loss(one, 0.5 * one, first_mask=0 * one, second_mask=one), 0.6)


def test_bfloat16_comes_in_and_float32_goes_out(rng):
    y, b = (ops.cast(_picture(rng), "bfloat16") for _ in range(2))
    m = ops.abs(ops.cast(_picture(rng, channels=1), "bfloat16"))
    results = [
        losses.reconstruction_loss(y, b),
        losses.eyes_loss(y, b, m),
        losses.sides_loss(y, [ops.cast(_picture(rng, 4), "bfloat16")]),
        losses.edge_loss(y, b),
        losses.edge_eyes_loss(y, b, m),
        losses.mask_l1_loss(m),
        losses.mask_hinge_loss(m, 0.5),
        losses.mask_variation_loss(m),
        losses.cyclic_loss(y, b, first_mask=m, second_mask=m),
    ]
    assert all("float32" in str(each.dtype) for each in results)
    exact = abs(ops.convert_to_numpy(ops.cast(b, "float32")) - ops.convert_to_numpy(ops.cast(y, "float32")))
    _check(results[0], exact.mean())
