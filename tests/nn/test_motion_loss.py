"""The motion loss scores how alike footage and swap change: 0 alike, 1 unrelated, 2 opposite."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from faceswap_gan.nn.motion import motion_loss


@pytest.fixture
def footage(rng):
    return tuple(rng.uniform(-1, 1, (3, 8, 8, 3)).astype("float32") for _ in range(2))


ONES = np.ones((3, 8, 8, 1), "float32")


def _score(footage, swap, weights=ONES):
    return float(motion_loss(footage, swap, weights))


def test_same_motion(footage):
    assert _score(footage, footage) == pytest.approx(0, abs=1e-4)


def test_another_look_that_moves_alike(footage, rng):
    look = rng.uniform(-1, 1, (3, 8, 8, 3)).astype("float32")
    assert _score(footage, tuple(look + frame for frame in footage)) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("strength", [0.2, 3.0])
def test_strength_counts(footage, strength):
    swap = tuple(strength * frame for frame in footage)
    assert _score(footage, swap) == pytest.approx(1 - 2 * strength / (1 + strength**2), abs=1e-4)


def test_a_still_scores_one(footage, rng):
    still = rng.uniform(-1, 1, (3, 8, 8, 3)).astype("float32")
    assert _score(footage, (still, still)) == pytest.approx(1, abs=1e-6)
    assert _score((still, still), footage) == pytest.approx(1, abs=1e-6)


def test_opposite_motion_scores_two(footage):
    assert _score(footage, footage[::-1]) == pytest.approx(2, abs=1e-4)


def test_unrelated_motion_scores_about_one(rng):
    first, second = (tuple(rng.normal(size=(20, 32, 32, 3)).astype("float32") for _ in "ab") for _ in "ab")
    assert _score(first, second, np.ones((20, 32, 32, 1), "float32")) == pytest.approx(1, abs=0.05)


def _grey(*values):
    """One picture of one row."""
    return np.repeat(np.array(values, "float32").reshape(1, 1, -1, 1), 3, axis=-1)


def test_by_hand():
    # changes (3, 4) and (4, 3): one minus 24 / 25; the change's mean is not taken off, or it would be 2
    weights = np.ones((1, 1, 2, 1), "float32")
    still = _grey(0, 0)
    assert _score((still, _grey(3, 4)), (still, _grey(4, 3)), weights) == pytest.approx(1 - 24 / 25, abs=1e-5)
    # weights 1 and 0.5: twice 12 + 6 over 9 + 8 + 16 + 4.5
    weights[0, 0, 1] = 0.5
    expected = 1 - 36 / 37.5
    assert _score((still, _grey(3, 4)), (still, _grey(4, 3)), weights) == pytest.approx(expected, abs=1e-5)


def test_only_the_region_counts(footage, rng):
    weights = ONES.copy()
    weights[:, :, 4:] = 0
    swap = tuple(frame.copy() for frame in footage)
    swap[1][:, :, 4:] = rng.uniform(-1, 1, (3, 8, 4, 3))
    assert _score(footage, swap) > 0.1
    assert _score(footage, swap, weights) == pytest.approx(0, abs=1e-4)


def test_luma_is_what_is_compared():
    still, red, blue = (np.zeros((1, 4, 4, 3), "float32") for _ in range(3))
    red[..., 0], blue[..., 2] = 0.5, 0.5 * 0.299 / 0.114
    weights = np.ones((1, 4, 4, 1), "float32")
    assert _score((still, red), (still, blue), weights) == pytest.approx(0, abs=1e-3)
    # green up as blue goes down by what keeps the luma is no motion
    balanced = np.broadcast_to(np.array([0.0, 0.114, -0.587], "float32"), still.shape)
    assert _score((still, red), (still, balanced), weights) == pytest.approx(1, abs=1e-3)


def test_every_pair_counts_the_same(footage):
    swap = tuple(frame.copy() for frame in footage)
    swap[1][0] = swap[0][0]  # the first pair of three stands still
    for frame in (*footage, *swap):
        frame[1] *= 100  # strong motion weighs no more than the others'
    assert _score(footage, swap) == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.parametrize(("enough", "expected"), [(0.97, 0.01), (0.9, 0.0)])
def test_enough_motion_costs_nothing(enough, expected):
    still, weights = _grey(0, 0), np.ones((1, 1, 2, 1), "float32")
    loss = motion_loss((still, _grey(3, 4)), (still, _grey(4, 3)), weights, enough=enough)  # concordance 0.96
    assert float(loss) == pytest.approx(expected, abs=1e-5)


class _Painted(keras.layers.Layer):
    """Pictures that are trained themselves."""

    def build(self, shape):
        self.pictures = self.add_weight(name="pictures", shape=(6, 8, 8, 3), initializer="random_uniform")

    def call(self, inputs):
        return self.pictures + 0.0 * inputs


def test_it_pulls_at_all_colours_alike(footage):
    def loss(footage, swap):
        return motion_loss((footage[:3], footage[3:]), (swap[:3], swap[3:]), ONES)

    frames = np.concatenate(footage)
    model = keras.Sequential([keras.Input((8, 8, 3), batch_size=6), painted := _Painted()])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss)
    before = np.array(painted.pictures)
    model.train_on_batch(frames, frames)
    moved = np.array(painted.pictures) - before
    assert np.abs(moved).max() > 1e-3
    assert np.ptp(moved, axis=-1).max() < 1e-5 * np.abs(moved).max() + 1e-7
