"""Landmarks, gaze, blinks, mouth, pose, expression, jitter and flicker on drawn meshes."""

from __future__ import annotations

import numpy as np
import pytest
from meshes import draw_mesh, turn

from faceswap_gan.faces import topology
from faceswap_gan.metrics import bootstrap as boot
from faceswap_gan.metrics.expression import expression_error
from faceswap_gan.metrics.eyes import eye_offset, gaze, gaze_error, opening, shut
from faceswap_gan.metrics.jitter import acceleration, flicker
from faceswap_gan.metrics.pose import pose_error, rotation
from faceswap_gan.metrics.scores import CONTOUR, EYES, MOUTH
from faceswap_gan.metrics.shape import eye_span, landmark_error, mouth_opening

REST = draw_mesh()[None]


def test_landmark_error_is_in_eye_spans():
    assert eye_span(REST) == pytest.approx([100])
    moved = REST.copy()
    moved[:, list(MOUTH)] += [3, 4]
    assert landmark_error(moved, REST, MOUTH) == pytest.approx([5.0], abs=1e-4)
    assert landmark_error(moved, REST, EYES) == pytest.approx([0])
    assert landmark_error(REST, REST, CONTOUR) == pytest.approx([0])
    assert landmark_error(moved * 2, REST * 2, MOUTH) == pytest.approx([5.0], abs=1e-4), "size does not matter"


def test_eye_offset_is_in_eye_distances_and_blind_to_lids():
    between = np.linalg.norm(np.diff(_eye_middles(REST), axis=0))
    assert eye_offset(REST + [3, 4], REST) == pytest.approx([500 / between], rel=1e-5)
    assert eye_offset(2 * REST + [6, 8], 2 * REST) == pytest.approx([500 / between], rel=1e-5)
    assert eye_offset(draw_mesh(lids=0.1)[None], REST) == pytest.approx([0], abs=1e-3)


def _eye_middles(points):
    return points[0, [list(topology.LEFT_EYE_CORNERS), list(topology.RIGHT_EYE_CORNERS)]].mean(axis=1)


def test_gaze_in_eye_widths():
    aside = draw_mesh(gaze=(0.1, -0.05))[None]
    assert gaze(aside) == pytest.approx(np.asarray([[[0.1, -0.05]] * 2]), abs=1e-5)
    assert gaze_error(aside, REST) == pytest.approx([100 * np.hypot(0.1, 0.05)], abs=1e-3)
    tilted = (aside - 200) @ turn(20, axis=2)[:2, :2].T + 200
    assert gaze(tilted) == pytest.approx(gaze(aside), abs=1e-5), "a tilted head looks the same way"


def test_no_gaze_behind_shut_lids():
    video = np.stack([draw_mesh(lids=0.3)] * 4 + [draw_mesh(lids=0.05)])
    assert np.isnan(gaze_error(video, video)).tolist() == [False] * 4 + [True]


def test_blinks_are_found_by_the_videos_own_opening():
    for usual in (0.2, 0.4):
        video = np.stack([draw_mesh(lids=usual * part) for part in (1, 1, 0.9, 0.3, 1, 1)])
        assert opening(video)[0] == pytest.approx(usual, abs=1e-5)
        assert shut(video).tolist() == [False, False, False, True, False, False]
    assert not shut(np.full((3, 478, 2), np.nan)).any()


def test_mouth_correlates():
    gaps = np.abs(np.sin(np.arange(60) / 5)) * 0.3
    video = np.stack([draw_mesh(mouth=gap) for gap in gaps])
    half = np.stack([draw_mesh(mouth=gap / 2, scale=70) for gap in gaps])
    assert mouth_opening(video) == pytest.approx(gaps, abs=1e-5)
    columns = boot.correlation_of(mouth_opening(half), mouth_opening(video))
    assert boot.correlation(np.nansum(columns, axis=0)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pose_is_the_angle_between(axis):
    head = np.random.default_rng(0).normal(size=(468, 3))
    still = head * [1, -1, -1]
    turned = still @ turn(12, axis).T * 7 + 100
    found = rotation(turned[:, :2].astype(np.float32), turned[:, 2].astype(np.float32), head)
    assert found == pytest.approx(turn(12, axis), abs=1e-4)
    assert pose_error(found[None], np.eye(3)[None]) == pytest.approx([12], abs=0.01)
    assert pose_error(found[None], found[None]) == [0]


def test_a_lost_face_has_no_pose():
    lost = rotation(np.full((478, 2), np.nan), np.zeros(478), np.zeros((468, 3)))
    assert np.isnan(pose_error(lost[None], np.eye(3)[None])).all()


def test_expression_is_the_mean_difference():
    rest, jaw = np.zeros((1, 52)), np.zeros((1, 52))
    jaw[0, 25] = 0.52
    assert expression_error(jaw, rest) == pytest.approx([0.01])
    assert np.isnan(expression_error(jaw, np.full((1, 52), np.nan))).all()


def test_even_motion_has_no_acceleration_and_trembling_has():
    frames = np.arange(20)
    even = REST + np.arange(20)[:, None, None] * 1.5
    assert np.nanmax(acceleration(even, frames)) == pytest.approx(0, abs=1e-4)
    trembling = even + np.where(np.arange(20) % 2, 1.0, -1.0)[:, None, None] * [0.5, 0]
    assert acceleration(trembling, frames)[1:-1] == pytest.approx(2.0, abs=1e-3)  # |0.5 + 2 * 0.5 + 0.5| of 100 px
    gap = np.r_[np.arange(10), np.arange(30, 40)]
    assert np.isnan(acceleration(trembling, gap)[[0, 9, 10, 19]]).all()


def test_flicker_sees_change_not_offset():
    footage = np.random.default_rng(0).normal(size=(10, 3))
    frames = np.arange(10)
    assert np.nanmax(flicker(footage + [5, 0, 0], footage, frames)) == pytest.approx(0, abs=1e-12)
    flickering = footage + np.where(frames % 2, 1.0, -1.0)[:, None] * [0, 3, 4]
    assert flicker(flickering, footage, frames)[1:] == pytest.approx(10.0)
