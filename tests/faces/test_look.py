"""Pose and expression as numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import draw_topology, head

from faceswap_gan.faces.look import describe_look, head_pose, head_rotation
from faceswap_gan.faces.mesh import BLENDSHAPES

TOPOLOGY = draw_topology()


@pytest.mark.parametrize("yaw", [-40, 0, 25])
def test_pose_is_measured(yaw):
    assert head_pose(head(yaw=yaw, mouth=0.1), TOPOLOGY) == pytest.approx([yaw, 0], abs=1.5)


def test_pose_without_depth_counts_as_frontal():
    assert not head_pose(replace(head(yaw=30), depth=None), TOPOLOGY).any()


def test_looks_differ_by_what_differs():
    def apart(first, second):
        return np.linalg.norm(describe_look(first, TOPOLOGY) - describe_look(second, TOPOLOGY))

    same = head(lids=0.15)
    assert apart(same, head((30.0, 40.0), scale=80.0, lids=0.15)) < 0.05
    for look in ({"yaw": 20.0}, {"mouth": 0.3}, {"lids": 0.0}):
        assert apart(same, head(**{"lids": 0.15, **look})) > 1
    smile = np.zeros(len(BLENDSHAPES), np.float32)
    neutral = replace(same, blendshapes=smile.copy())
    smile[BLENDSHAPES.index("mouthSmileLeft")] = 0.8
    assert apart(neutral, replace(same, blendshapes=smile)) > 1
    assert describe_look(same, TOPOLOGY).dtype == np.float32


def test_a_turn_is_a_rotation_about_the_vertical():
    rotation = head_rotation(head(yaw=25), TOPOLOGY)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.degrees(np.arccos(rotation[0, 0])) == pytest.approx(25, abs=2)
    assert abs(rotation[1, 1]) > 0.99
