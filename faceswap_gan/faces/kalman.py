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
    seconds: FloatArray, values: FloatArray, *, noise: FloatArray, acceleration: float
) -> npt.NDArray[np.float64]:
    """Smooth coordinates that move at a nearly constant velocity.

    Every estimate uses the measurements before and after it, so a steady motion is followed without lag.

    Args:
        seconds: float (n,), rising times of the measurements.
        values: float (n, m), m coordinates in px.
        noise: float (n,), standard deviation of each measurement in px.
        acceleration: standard deviation of the true motion's acceleration in px / s².

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
        process = Q_discrete_white_noise(dim=2, dt=dt, var=acceleration**2)
        kf.predict(F=transition, Q=process)
        # All coordinates share one covariance, so the state holds them as columns.
        kf.update(values[None, i], R=np.asarray([[noise[i] ** 2]]), H=kf.H)
        means.append(kf.x.copy())
        covariances.append(kf.P.copy())
        transitions.append(transition)
        noises.append(process)
    smoothed = rts_smoother(np.stack(means), np.stack(covariances), transitions, noises)
    return np.asarray(smoothed[0][:, 0])


def spikes(values: FloatArray) -> npt.NDArray[np.float64]:
    """Measure how far each row lies from the middle of its neighbours.

    Args:
        values: float (n, m) px, read as m / 2 points (x, y).

    Returns:
        float64 (n,) px, the median over the points; 0 at both ends.
    """
    away = np.zeros(len(values))
    if len(values) > 2:
        middle = (values[:-2] + values[2:]) / 2
        points = (values[1:-1] - middle).reshape(len(values) - 2, -1, 2)
        away[1:-1] = np.median(np.hypot(points[..., 0], points[..., 1]), axis=1)
    return away
