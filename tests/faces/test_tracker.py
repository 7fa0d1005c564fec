"""Tests of faceswap_gan.faces.tracker and kalman."""

import numpy as np
import pytest

from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.kalman import accelerations, mean_by_run, smooth, still_runs
from faceswap_gan.faces.tracker import CutFinder, FaceTracker


def face(x, y=100.0, width=60.0, score=0.99):
    box = np.asarray([x, y, x + width, y + 1.3 * width], np.float32)
    parts = np.asarray([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return Face(box, (box[:2] + parts * width * [1, 1.3]).astype(np.float32), score)


def tracks(found):
    return [t.track for t in found]


def test_two_people_keep_their_numbers_whatever_the_order():
    tracker = FaceTracker()
    assert tracks(tracker.update([face(0), face(200)])) == [0, 1]
    found = tracker.update([face(205), face(6)])
    assert {t.track: round(float(t.face.box[0])) for t in found} == {0: 6, 1: 205}


def test_a_larger_face_elsewhere_is_somebody_else():
    tracker = FaceTracker()
    tracker.update([face(0)])
    assert sorted(tracks(tracker.update([face(2), face(300, width=200)]))) == [0, 1]
    assert tracks(tracker.update([face(0, y=90, width=140)])) == [2]  # same place, other size


def test_gap_is_tolerated_until_patience_ends():
    tracker = FaceTracker(patience=3)
    tracker.update([face(0)])
    for _ in range(3):
        assert tracker.update([]) == ()
    assert tracks(tracker.update([face(4)])) == [0]
    for _ in range(4):
        tracker.update([])
    assert tracks(tracker.update([face(4)])) == [1]


def test_cut_ends_all_tracks():
    tracker = FaceTracker()
    tracker.update([face(0)])
    assert tracks(tracker.update([face(0)], cut=True)) == [1]


def test_fast_head_is_followed():
    tracker = FaceTracker()
    for i in range(10):
        assert tracks(tracker.update([face(i * 25.0)])) == [0]


def test_look_fills_in_for_the_detector_and_is_judged():
    tracker = FaceTracker()
    for _ in range(3):
        tracker.update([face(0)])
    assert tracks(tracker.update([], look=lambda boxes: [face(float(boxes[0, 0]), score=0.8)])) == [0]
    assert tracker.update([], look=lambda boxes: [face(float(boxes[0, 0]), score=0.2)]) == ()
    assert tracker.update([], look=lambda boxes: [face(500, score=0.9)]) == ()


def test_cut_finder():
    rng = np.random.default_rng(0)
    finder = CutFinder()
    scene_1 = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    scene_2 = np.kron(rng.integers(0, 60, (8, 8, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    frames = [scene_1, np.roll(scene_1, 4, axis=1), scene_2, np.roll(scene_2, 4, axis=0), 0 * scene_2]
    assert [finder.update(frame) for frame in frames] == [False, False, True, False, True]


def test_smooth_removes_jitter_without_lag():
    rng = np.random.default_rng(0)
    seconds = np.arange(60) / 30
    true = np.stack([100 + 120 * seconds, 50 + 20 * np.sin(6 * seconds)], axis=1)
    noisy = true + rng.normal(0, 0.5, true.shape)
    smoothed = smooth(seconds, noisy, noise=np.full(60, 0.5), acceleration=np.full(60, 1000.0))

    def jitter(values):
        return np.std(np.diff(values, 2, axis=0) - np.diff(true, 2, axis=0))

    assert jitter(smoothed) < 0.5 * jitter(noisy)
    assert np.abs(np.mean((smoothed - true)[5:-5, 0])) < 0.15  # px behind a motion of 4 px a frame


def test_smooth_takes_uneven_times_and_short_tracks():
    seconds = np.asarray([0, 0.03, 0.1, 0.11, 0.2])
    values = (10 * seconds)[:, None]
    args = {"noise": np.full(5, 0.1), "acceleration": np.full(5, 1.0)}
    np.testing.assert_allclose(smooth(seconds, values, **args), values, atol=0.05)
    one = smooth(seconds[:1], values[:1], noise=np.ones(1), acceleration=np.ones(1))
    assert one == pytest.approx(values[:1])


def test_accelerations_by_hand():
    seconds = np.arange(5) / 10
    points = np.stack([5 * seconds**2, 0 * seconds], axis=1)
    np.testing.assert_allclose(accelerations(seconds, points), 10)
    assert accelerations(seconds[:2], points[:2]).tolist() == [0, 0]


def test_runs_of_still_pictures():
    values = np.asarray([[0.0], [0.1], [5], [5.1], [5.2], [9]])
    runs = still_runs(values, tolerance=0.15)
    assert runs.tolist() == [0, 0, 1, 1, 2, 3]
    np.testing.assert_allclose(mean_by_run(values, runs)[:, 0], [0.05, 5.05, 5.2, 9])
