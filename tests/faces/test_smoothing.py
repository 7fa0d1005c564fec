"""Tests of faceswap_gan.faces.smoothing: how steady, and how late."""

from itertools import islice

import numpy as np
import pytest

from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.smoothing import MOVING_AVERAGE, smooth_track


def shaking(count=200, noise=0.5):
    """A head that nods and sways, the truth and what a detector says: faces by position, and the true x."""
    rng = np.random.default_rng(3)
    t = np.arange(count) / 25
    x = 300 + 40 * np.sin(2 * np.pi * 0.7 * t)
    points = np.asarray([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
    faces = {}
    for i in range(count):
        landmarks = points + [x[i], 0] + rng.normal(0, noise, (5, 2))
        box = np.asarray([x[i], 0, x[i] + 100, 130]) + rng.normal(0, noise, 4)
        faces[i] = Face(box.astype(np.float32), landmarks.astype(np.float32), 0.99)
    return faces, t, x


def eye(faces):
    return np.asarray([face.landmarks[0, 0] for face in faces.values()], float)


def jitter(x):
    return np.abs(np.diff(x, 2)).mean()


def lag(x, truth):
    """Frames by which x follows the truth: the peak of their motions' cross-correlation."""
    a, b = np.diff(x), np.diff(truth)
    shifts = range(-8, 9)
    return max(shifts, key=lambda k: np.corrcoef(a[8 + k : len(a) - 8 + k], b[8:-8])[0, 1])


def test_both_ways_is_steady_and_in_time():
    faces, seconds, truth = shaking()
    steady = eye(smooth_track(faces, seconds, "rts"))
    assert jitter(steady - truth) < 0.5 * jitter(eye(faces) - truth)
    assert lag(steady, truth) == 0
    assert np.abs(steady - 30 - truth).mean() < np.abs(eye(faces) - 30 - truth).mean()


@pytest.mark.parametrize("method", ["kalman", "moving-average"])
def test_the_ancestors_filters_are_steady_and_late(method):
    faces, seconds, truth = shaking()
    steady = eye(smooth_track(faces, seconds, method))
    assert jitter(steady - truth) < 0.5 * jitter(eye(faces) - truth)
    assert lag(steady, truth) > 0


def test_the_moving_average_has_the_ancestors_coefficient():
    faces, seconds, _ = shaking(3)
    x, steady = eye(faces), eye(smooth_track(faces, seconds, "moving-average"))
    assert steady[1] == pytest.approx(MOVING_AVERAGE * x[0] + (1 - MOVING_AVERAGE) * x[1], abs=1e-3)


def test_the_kalman_filter_is_opencvs_as_the_ancestor_set_it():
    """The same numbers as cv2.KalmanFilter with the settings of video_converter.py."""
    import cv2

    faces, seconds, _ = shaking(60)
    kf = cv2.KalmanFilter(4, 2)
    kf.measurementMatrix = np.eye(2, 4, dtype=np.float32)
    kf.transitionMatrix = (np.eye(4) + np.eye(4, k=2)).astype(np.float32)
    kf.processNoiseCov = (1e-3 * np.eye(4)).astype(np.float32)
    kf.measurementNoiseCov = np.eye(2, dtype=np.float32)
    for _ in range(200):
        kf.predict()
    rows = [face.landmarks[0] for face in faces.values()]
    expected = [rows[0]]
    for row in rows[1:]:
        kf.correct(row.reshape(2, 1))
        expected.append(kf.predict()[:2, 0])
    ours = [face.landmarks[0] for face in smooth_track(faces, seconds, "kalman").values()]
    assert np.abs(np.asarray(ours) - np.asarray(expected)).max() < 0.05


def test_none_changes_nothing():
    faces, seconds, _ = shaking(20)
    assert np.array_equal(eye(smooth_track(faces, seconds, "none")), eye(faces))


def test_a_real_head_is_steadier_than_its_detector_and_in_time(facedata):
    """Half of what the detector's own answers tremble, frame by frame, and the same moment."""
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.scan import scan_faces
    from faceswap_gan.faces.smoothing import smooth_scan
    from faceswap_gan.media.video import read_frames

    detector = FaceDetector(min_size=100)
    frames = list(islice(read_frames(facedata / "videos" / "p2_man_sar15x16.mp4", from_index=60), 40))
    raw = np.stack([faces[0].landmarks for faces in detector.detect([frame.image for frame in frames])])
    steady = smooth_scan(scan_faces(frames, detector))
    points = np.stack([frame.faces[0].face.landmarks for frame in steady.frames])
    tremble = [np.linalg.norm(np.diff(x.astype(float), 2, axis=0), axis=-1).mean() for x in (raw, points)]
    assert tremble[1] < 0.5 * tremble[0]
    assert lag(points.mean(axis=1)[:, 0], raw.mean(axis=1)[:, 0]) == 0
