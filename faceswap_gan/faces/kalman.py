"""Smoothing of what moves, without lag: a Kalman filter forwards and its smoother backwards.

References:
    Rauch, Tung, Striebel, "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3 (1965).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import KalmanFilter, rts_smoother

FloatArray = npt.NDArray[np.floating[Any]]


def smooth(
    seconds: FloatArray, values: FloatArray, *, noise: FloatArray, acceleration: FloatArray
) -> npt.NDArray[np.float64]:
    """Smooth coordinates that move at a nearly constant velocity.

    Every estimate uses the measurements before and after it, so a steady motion is followed without lag.

    Args:
        seconds: float (n,), rising times of the measurements.
        values: float (n, m), m coordinates in px.
        noise: float (n,), standard deviation of each measurement in px.
        acceleration: float (n,), standard deviation of the true motion's acceleration before each
            measurement in px / s².

    Returns:
        float64 (n, m) px.
    """
    if len(values) < 2:
        return np.asarray(values, np.float64)
    kf = KalmanFilter(dim_x=2, dim_z=1)
    kf.H = np.asarray([[1.0, 0.0]])
    kf.x = np.stack([values[0], np.zeros_like(values[0])]).astype(np.float64)
    span = max(float(np.ptp(values)), 1.0)
    kf.P = np.diag([noise[0] ** 2, (10 * span) ** 2])
    means, covariances, transitions, noises = [kf.x.copy()], [kf.P.copy()], [], []
    for i in range(1, len(values)):
        dt = float(seconds[i] - seconds[i - 1])
        transition = np.asarray([[1.0, dt], [0.0, 1.0]])
        process = Q_discrete_white_noise(dim=2, dt=dt, var=acceleration[i] ** 2)
        kf.predict(F=transition, Q=process)
        # All coordinates share one covariance, so the state holds them as columns.
        kf.update(values[None, i], R=np.asarray([[noise[i] ** 2]]), H=kf.H)
        means.append(kf.x.copy())
        covariances.append(kf.P.copy())
        transitions.append(transition)
        noises.append(process)
    smoothed = rts_smoother(np.stack(means), np.stack(covariances), transitions, noises)
    return np.asarray(smoothed[0][:, 0])


def accelerations(seconds: FloatArray, points: FloatArray) -> npt.NDArray[np.float64]:
    """Estimate how hard a point is accelerated at every measurement, by second differences.

    Args:
        seconds: float (n,), rising times of the measurements.
        points: float (n, 2) px.

    Returns:
        float64 (n,) px / s², the largest of each measurement and its two neighbours.
    """
    if len(points) < 3:
        return np.zeros(len(points))
    velocity = np.diff(points, axis=0) / np.diff(seconds)[:, None]
    change = np.diff(velocity, axis=0) / ((seconds[2:] - seconds[:-2]) / 2)[:, None]
    size = np.concatenate([[0.0], np.hypot(change[:, 0], change[:, 1]), [0.0]])
    padded = np.pad(size, 1)
    return np.asarray(np.max([padded[:-2], size, padded[2:]], axis=0))


def still_runs(values: FloatArray, *, tolerance: float) -> npt.NDArray[np.intp]:
    """Number the runs of measurements in which nothing moves.

    Args:
        values: float (n, m) px.
        tolerance: how far a coordinate may lie from the run's first, px.

    Returns:
        int (n,), from 0, rising by one at the start of every run.
    """
    runs = np.zeros(len(values), np.intp)
    first = 0
    for i in range(1, len(values)):
        moved = bool(np.max(np.abs(values[i] - values[first])) > tolerance)
        runs[i] = runs[i - 1] + moved
        first = i if moved else first
    return runs


def mean_by_run(values: FloatArray, runs: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Average the measurements of every run: float (n, m) to float64 (runs, m)."""
    sums = np.zeros((int(runs[-1]) + 1, values.shape[1]))
    np.add.at(sums, runs, values)
    return np.asarray(sums / np.bincount(runs)[:, None])


def causal(values: FloatArray, *, coefficient: float = 1e-3) -> npt.NDArray[np.float64]:
    """Filter coordinates as the 2018 project filtered its boxes: by what is past alone, so the result lags.

    A constant velocity a frame, process noise ``coefficient`` on place and velocity alike, measurement noise 1 px².
    As there, 200 predictions before the first correction make the filter trust that measurement, and what it
    gives is its prediction for the frame to come.

    Args:
        values: float (n, m), m coordinates in px, one row a frame.
        coefficient: 1e-3 in its converters, 3e-3 in one notebook.

    Returns:
        float64 (n, m) px; the first row is as measured.

    References:
        `shaoanlu/faceswap-GAN` v2.2, converter/video_converter.py.
    """
    kf = KalmanFilter(dim_x=2, dim_z=1)
    kf.F, kf.H = np.asarray([[1.0, 1.0], [0.0, 1.0]]), np.asarray([[1.0, 0.0]])
    kf.Q, kf.R, kf.P = coefficient * np.eye(2), np.eye(1), np.zeros((2, 2))
    kf.x = np.zeros((2, values.shape[1]))
    result = np.asarray(values, np.float64).copy()
    for _ in range(200):
        kf.predict()
    for row in result[1:]:
        # All coordinates share one covariance, so the state holds them as columns.
        kf.update(row[None].copy(), H=kf.H)
        kf.predict()
        row[:] = kf.x[0]
    return result
