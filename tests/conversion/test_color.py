"""Colour matching: only the painted region counts, and nothing flickers."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from faceswap_gan.conversion.color import SteadyColor, match
from faceswap_gan.errors import SettingsError

SIZE = 48
METHODS = ("mean_std", "mean_std_xyz", "histogram", "lab", "sot")


def _grey(found, level=128):
    """What a level of grey becomes in the first channel."""
    return found.apply(np.full((1, 1, 3), level, np.float32))[0, 0, 0]


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


@pytest.mark.parametrize("method", METHODS)
def test_painted_region_takes_on_mean_and_deviation(rng, weight, method):
    painted, target = _faces(rng, (90, 100, 110), 20), _faces(rng, (150, 120, 100), 22)
    result = match(painted, target, weight, method=method).apply(painted)
    inside = weight > 0
    assert result[inside].mean(axis=0) == pytest.approx(target[inside].mean(axis=0), abs=2)
    if method != "lab":  # its deviations are those of another space, held to in a test of its own
        tolerance = {"sot": 0.15, "mean_std_xyz": 0.06}.get(method, 0.03)
        assert result[inside].std(axis=0) == pytest.approx(target[inside].std(axis=0), rel=tolerance)


@pytest.mark.parametrize("method", ["mean_std", "mean_std_xyz", "lab"])
@pytest.mark.parametrize("whose", ["painted", "target", "both"])
def test_a_beard_does_not_colour_the_others_skin(rng, weight, method, whose):
    faces = {"painted": _faces(rng, (180, 120, 90), 4), "target": _faces(rng, (220, 170, 150), 4)}
    for name, face in faces.items():
        if whose in (name, "both"):
            face[28:] = _faces(rng, (60, 42, 30), 4)[28:]
    result = match(faces["painted"], faces["target"], weight, method=method).apply(faces["painted"])
    skin = np.s_[10:26, 10:40]
    assert result[skin].mean(axis=(0, 1)) == pytest.approx(faces["target"][skin].mean(axis=(0, 1)), abs=3)


def test_little_skin_changes_nothing_at_once(rng, weight):
    """Hair that comes to cover the face by and by moves the colours by and by."""
    painted, target = _faces(rng, (180, 120, 90), 4), _faces(rng, (220, 170, 150), 4)
    greys = []
    for rows in range(31):  # all of the face in the end
        hairy = target.copy()
        hairy[10 : 10 + rows] = 40
        greys.append(_grey(match(painted, hairy, weight, method="mean_std")))
    assert np.ptp(greys) > 80
    assert np.abs(np.diff(greys)).max() < 30  # a switch would jump by 100
    assert np.diff(greys[3:]).max() < 1.5  # and never back; a strand of one or two rows counts as skin


@pytest.mark.parametrize(("method", "code"), [("mean_std_xyz", cv2.COLOR_RGB2XYZ), ("lab", cv2.COLOR_RGB2Lab)])
def test_other_spaces_match_mean_and_deviation_there(rng, weight, method, code):
    painted, target = _faces(rng, (110, 100, 90), 12), _faces(rng, (140, 120, 105), 12.5)
    result = match(painted, target, weight, method=method).apply(painted)
    got, wanted = (cv2.cvtColor(image / np.float32(255), code)[weight > 0] for image in (result, target))
    spread = wanted.std(axis=0)
    assert (np.abs(got.mean(axis=0) - wanted.mean(axis=0)) < 0.05 * spread).all()
    assert got.std(axis=0) == pytest.approx(spread, rel=0.08)


def test_transport_matches_how_channels_go_together(rng, weight):
    """Two faces of equal channels, but red and green together in one, against each other in the other."""
    z, own, blue = rng.normal(size=(3, SIZE, SIZE))
    painted, target = (
        np.stack([120 + 25 * z, 120 + 25 * (part * z + 0.8 * own), 120 + 10 * blue], axis=-1).astype(np.float32)
        for part in (0.6, -0.6)
    )
    inside = weight > 0
    red_and_green = {}
    for method in ("histogram", "sot"):
        result = match(painted, target, weight, method=method).apply(painted)[inside]
        red_and_green[method] = np.corrcoef(result.T)[0, 1]
    assert red_and_green["histogram"] > 0.5
    assert red_and_green["sot"] < -0.45


@pytest.mark.parametrize(("spread", "most"), [(60, 1.05), (5, 0.95)])
def test_contrast_is_the_painted_persons_own_within_bounds(rng, weight, spread, most):
    painted, target = _faces(rng, 120, 20), _faces(rng, 120, spread)
    result = match(painted, target, weight, method="mean_std").apply(painted)
    gain = result[weight > 0].std() / painted[weight > 0].std()
    assert gain == pytest.approx(most, abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_what_lies_outside_the_weight_has_no_say(rng, weight, method):
    painted, target = _faces(rng, 90, 20), _faces(rng, 150, 28)
    noisy = [image.copy() for image in (painted, target)]
    for image in noisy:
        image[weight == 0] = rng.uniform(0, 255, (int((weight == 0).sum()), 3))
    before, after = (match(*pair, weight, method=method).table for pair in ((painted, target), noisy))
    assert np.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_equal_colours_stay(rng, weight, method):
    face = _faces(rng, 120, 25)
    assert np.abs(match(face, face, weight, method=method).apply(face) - face).max() < 1


def test_histogram_follows_the_shape_of_the_distribution(rng, weight):
    painted = rng.uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    target = (255 * rng.beta(2, 5, (SIZE, SIZE, 3))).astype(np.float32)
    result = match(painted, target, weight, method="histogram").apply(painted)[weight > 0]
    for share in (10, 50, 90):
        assert np.percentile(result, share) == pytest.approx(np.percentile(target[weight > 0], share), abs=4)


@pytest.mark.parametrize("method", [*METHODS, "none"])
def test_unpainted_or_flat_faces_change_nothing_wildly(rng, weight, method):
    face = _faces(rng, 120, 25)
    nothing = match(face, _faces(rng, 30, 5), np.zeros_like(weight), method=method)
    assert np.allclose(nothing.apply(face), face, atol=0.6)  # CIELAB there and back
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
            raw.append(_grey(found))
            smooth.append(_grey(steady.update(found, i / 30)))
        assert np.abs(np.diff(smooth[5:])).mean() < 0.2 * np.abs(np.diff(raw[5:])).mean()

    def test_a_lasting_change_is_followed(self, rng, weight):
        steady = SteadyColor()
        steady.update(self._map(rng, weight, 80), 0.0)
        for i in range(1, 61):
            last = steady.update(self._map(rng, weight, 110), i / 30)
        assert _grey(last) == pytest.approx(_grey(self._map(rng, weight, 110)), abs=4)

    def test_speed_does_not_depend_on_the_frame_rate(self, rng, weight):
        first, second = self._map(rng, weight, 80), self._map(rng, weight, 110)
        ends = []
        for rate in (15, 60):
            steady = SteadyColor()
            steady.update(first, 0.0)
            for i in range(1, rate // 3 + 1):
                last = steady.update(second, i / rate)
            ends.append(_grey(last))
        assert ends[0] == pytest.approx(ends[1], abs=0.5)

    def test_a_cut_or_a_long_absence_starts_anew(self, rng, weight):
        steady = SteadyColor()
        steady.update(self._map(rng, weight, 80), 0.0)
        jumped = self._map(rng, weight, 110, level=190.0)
        assert np.array_equal(steady.update(jumped, 0.03).table, jumped.table)
        late = self._map(rng, weight, 60, level=190.0)
        assert np.array_equal(steady.update(late, 9.0).table, late.table)

    @pytest.mark.parametrize("method", METHODS)
    def test_a_restored_one_goes_on_bit_for_bit(self, rng, weight, method):
        maps = [match(_faces(rng, 100 + i, 20), _faces(rng, 120, 20), weight, method=method) for i in range(6)]
        whole, first, second = SteadyColor(), SteadyColor(), SteadyColor()
        wanted = [whole.update(found, i / 30).table for i, found in enumerate(maps)]
        for i in range(3):
            first.update(maps[i], i / 30)
        second.restore(json.loads(json.dumps(first.state())))
        for i in range(3, 6):
            assert np.array_equal(second.update(maps[i], i / 30).table, wanted[i])
