"""Colour matching: only the painted region counts, and nothing flickers."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.conversion.color import LEVELS, SteadyColor, match
from faceswap_gan.errors import SettingsError

SIZE = 48


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def weight():
    weight = np.zeros((SIZE, SIZE), np.float32)
    weight[10:40, 10:40] = 1
    return weight


def _faces(rng, mean, spread):
    return np.clip(rng.normal(mean, spread, (SIZE, SIZE, 3)), 0, 255).astype(np.float32)


@pytest.mark.parametrize("method", ["mean_std", "histogram"])
def test_painted_region_takes_on_mean_and_deviation(rng, weight, method):
    painted, target = _faces(rng, (90, 100, 110), 20), _faces(rng, (150, 120, 100), 22)
    result = match(painted, target, weight, method=method).apply(painted)
    inside = weight > 0
    assert result[inside].mean(axis=0) == pytest.approx(target[inside].mean(axis=0), abs=2)
    assert result[inside].std(axis=0) == pytest.approx(target[inside].std(axis=0), rel=0.03)


@pytest.mark.parametrize(("spread", "most"), [(60, 1.18), (5, 0.85)])
def test_contrast_is_the_painted_persons_own_within_bounds(rng, weight, spread, most):
    painted, target = _faces(rng, 120, 20), _faces(rng, 120, spread)
    result = match(painted, target, weight, method="mean_std").apply(painted)
    gain = result[weight > 0].std() / painted[weight > 0].std()
    assert gain == pytest.approx(most, abs=0.02)


@pytest.mark.parametrize("method", ["mean_std", "histogram"])
def test_what_lies_outside_the_weight_has_no_say(rng, weight, method):
    painted, target = _faces(rng, 90, 20), _faces(rng, 150, 28)
    noisy = [image.copy() for image in (painted, target)]
    for image in noisy:
        image[weight == 0] = rng.uniform(0, 255, (int((weight == 0).sum()), 3))
    before, after = (match(*pair, weight, method=method).curves for pair in ((painted, target), noisy))
    assert np.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize("method", ["mean_std", "histogram"])
def test_equal_colours_stay(rng, weight, method):
    face = _faces(rng, 120, 25)
    assert np.abs(match(face, face, weight, method=method).apply(face) - face).max() < 1


def test_histogram_follows_the_shape_of_the_distribution(rng, weight):
    painted = rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    target = (255 * rng.beta(2, 5, (SIZE, SIZE, 3))).astype(np.float32)
    result = match(painted, target, weight, method="histogram").apply(painted)[weight > 0]
    for share in (10, 50, 90):
        assert np.percentile(result, share) == pytest.approx(np.percentile(target[weight > 0], share), abs=4)


@pytest.mark.parametrize("method", ["mean_std", "histogram", "none"])
def test_unpainted_or_flat_faces_change_nothing_wildly(rng, weight, method):
    face = _faces(rng, 120, 25)
    nothing = match(face, _faces(rng, 30, 5), np.zeros_like(weight), method=method)
    assert np.allclose(nothing.curves, LEVELS)
    flat = np.full_like(face, 80)
    result = match(flat, flat + 10, weight, method=method).apply(flat)
    assert np.isfinite(result).all()
    assert 78 <= result.mean() <= 94


def test_unknown_method_is_a_clear_error(rng, weight):
    face = _faces(rng, 120, 25)
    with pytest.raises(SettingsError, match="mean_std"):
        match(face, face, weight, method="adain")


class TestSteadyColor:
    def _map(self, rng, weight, mean, level=120.0):
        target = np.full((SIZE, SIZE, 3), level, np.float32)
        return match(_faces(rng, mean, 20), target, weight, method="mean_std")

    def test_noise_is_damped(self, rng, weight):
        steady = SteadyColor()
        raw, smooth = [], []
        for i in range(50):
            found = self._map(rng, weight, 100 + rng.normal(0, 6))
            raw.append(found.curves[0, 128])
            smooth.append(steady.update(found, i / 30).curves[0, 128])
        assert np.abs(np.diff(smooth[5:])).mean() < 0.2 * np.abs(np.diff(raw[5:])).mean()

    def test_a_lasting_change_is_followed(self, rng, weight):
        steady = SteadyColor()
        steady.update(self._map(rng, weight, 80), 0.0)
        for i in range(1, 61):
            last = steady.update(self._map(rng, weight, 110), i / 30)
        assert last.curves[0, 128] == pytest.approx(self._map(rng, weight, 110).curves[0, 128], abs=4)

    def test_speed_does_not_depend_on_the_frame_rate(self, rng, weight):
        first, second = self._map(rng, weight, 80), self._map(rng, weight, 110)
        ends = []
        for rate in (15, 60):
            steady = SteadyColor()
            steady.update(first, 0.0)
            for i in range(1, rate // 3 + 1):
                last = steady.update(second, i / rate)
            ends.append(last.curves[0, 128])
        assert ends[0] == pytest.approx(ends[1], abs=0.5)

    def test_a_cut_or_a_long_absence_starts_anew(self, rng, weight):
        steady = SteadyColor()
        steady.update(self._map(rng, weight, 80), 0.0)
        jumped = self._map(rng, weight, 110, level=190.0)
        assert np.array_equal(steady.update(jumped, 0.03).curves, jumped.curves)
        late = self._map(rng, weight, 60, level=190.0)
        assert np.array_equal(steady.update(late, 9.0).curves, late.curves)
