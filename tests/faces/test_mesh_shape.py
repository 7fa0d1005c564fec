"""Another person's shape under one's own pose and expression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import draw_topology, head

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.mesh_shape import LIDS, LIPS, measure_difference
from faceswap_gan.faces.topology import FACE_OVAL

TOPOLOGY = draw_topology()
LOOKS = [{"yaw": yaw, "lids": 0.12} for yaw in np.linspace(-12, 12, 10)]
ALIKE = np.stack([np.arange(10)] * 2, axis=1)


def wide(mesh, *, part=1.15):
    """The same look on a face that is wider around (64, 64)."""
    points = (mesh.points - 64) * np.float32([part, 1]) + 64
    return replace(mesh, points=points.astype(np.float32))


def gaps(mesh, pairs):
    upper, lower = np.asarray(pairs).T
    return np.linalg.norm(mesh.points[upper] - mesh.points[lower], axis=1)


@pytest.fixture(scope="module")
def difference():
    first = [head(**look) for look in LOOKS]
    return measure_difference(first, [wide(mesh) for mesh in first], ALIKE, TOPOLOGY)


@pytest.mark.parametrize("look", [{}, {"yaw": 15.0}, {"mouth": 0.3}])
def test_shape_is_the_others_and_pose_ones_own(difference, look):
    mesh = head(**look)
    oval = list(FACE_OVAL)
    got, before, true = difference.apply(mesh, TOPOLOGY).points[oval], mesh.points[oval], wide(mesh).points[oval]
    assert np.abs(got - true).max() < 0.25 * np.abs(before - true).max()


@pytest.mark.parametrize("mouth", [0.0, 0.2])
def test_lips_stay_as_far_apart_as_they_are(mouth):
    """Though the other person is known with open lips only."""
    first = [head(**look) for look in LOOKS]
    second = [wide(head(**look, mouth=0.1)) for look in LOOKS]
    mesh = head(mouth=mouth)
    got = measure_difference(first, second, ALIKE, TOPOLOGY).apply(mesh, TOPOLOGY)
    assert gaps(got, LIPS) == pytest.approx(gaps(mesh, LIPS), abs=0.4)


def test_eyes_keep_their_part_of_open(difference):
    first = [head(**look) for look in LOOKS]
    large = [head(**{**look, "lids": 0.18}) for look in LOOKS]
    difference = measure_difference(first, large, ALIKE, TOPOLOGY)
    assert difference.eyes == pytest.approx(1.5, rel=0.02)
    for lids in (0.0, 0.12):
        mesh = head(lids=lids)
        got = difference.apply(mesh, TOPOLOGY)
        assert gaps(got, LIDS) == pytest.approx(1.5 * gaps(mesh, LIDS), abs=0.1)


def test_a_few_moments_are_not_enough():
    with pytest.raises(SettingsError, match="at least 8 moments"):
        measure_difference([head()], [head()], ALIKE[:1], TOPOLOGY)
