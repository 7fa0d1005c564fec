"""Steady faces: a track's boxes and landmarks smoothed over all of its frames.

References:
    The causal filters and their coefficients are those of the 2018 project, `shaoanlu/faceswap-GAN` v2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.kalman import accelerations, causal, mean_by_run, smooth, still_runs
from faceswap_gan.faces.tracker import TrackedFace

if TYPE_CHECKING:
    from faceswap_gan.faces.scan import FaceScan

Smoothing = Literal["rts", "kalman", "moving-average", "none"]
Rows = npt.NDArray[np.float32]

MOVING_AVERAGE = 0.65
"""Share of the mean so far in the next one, as the 2018 project has it."""

# Measured on talking heads, in widths of the face: refined landmarks jitter by about half a percent, heads
# rarely accelerate more than this, and pictures that a video shows twice move less than this.
_NOISE = 0.005
_ACCELERATION = 10.0
_STILL = 0.002


def smooth_scan(scan: FaceScan, method: Smoothing = "rts") -> FaceScan:
    """Smooth every track over all its frames, and fill its gaps.

    A track never crosses a cut, so nothing is smoothed over one.

    Args:
        scan: as measured.
        method: ``rts`` looks forwards and backwards and does not lag; ``kalman`` and ``moving-average`` are the
            2018 project's causal filters, which do; ``none`` leaves what was measured.

    Returns:
        The same frames with steady faces; a face in a gap, which nobody saw, has the score 0.
    """
    faces: list[list[TrackedFace]] = [[] for _ in scan.frames]
    for track, where in scan.sightings.items():
        seen = {i: scan.frames[i].faces_by_track[track] for i in where}
        seconds = np.asarray([scan.frames[i].seconds for i in range(where[0], where[-1] + 1)])
        smoothed = smooth_track(_fill(seen), seconds, method)
        for i, face in smoothed.items():
            faces[i].append(TrackedFace(face, track))
    frames = [replace(frame, faces=tuple(now)) for frame, now in zip(scan.frames, faces, strict=True)]
    return replace(scan, frames=tuple(frames))


def smooth_track(
    faces: dict[int, Face], seconds: npt.NDArray[np.float64], method: Smoothing = "rts"
) -> dict[int, Face]:
    """Smooth the faces of one track.

    Args:
        faces: position to face, rising.
        seconds: float64 (n,), the rising times of these n faces, s.
        method: as `smooth_scan`.

    Returns:
        Position to face.
    """
    values = np.stack([np.concatenate([face.box, face.landmarks.ravel()]) for face in faces.values()])
    scores = np.asarray([face.score for face in faces.values()])
    rows = _METHODS[method](seconds, values, scores)
    return {
        i: Face(row[:4], row[4:].reshape(5, 2), face.score)
        for (i, face), row in zip(faces.items(), rows, strict=True)
    }


def between(first: Face, second: Face, part: float) -> Face:
    """Interpolate two faces; its score is 0: nobody saw it."""
    box = first.box * (1 - part) + second.box * part
    landmarks = first.landmarks * (1 - part) + second.landmarks * part
    return Face(box.astype(np.float32), landmarks.astype(np.float32), 0.0)


def _fill(faces: dict[int, Face]) -> dict[int, Face]:
    where = sorted(faces)
    filled = dict(faces)
    for a, b in zip(where, where[1:], strict=False):
        filled |= {i: between(faces[a], faces[b], (i - a) / (b - a)) for i in range(a + 1, b)}
    return dict(sorted(filled.items()))


def _rts(seconds: npt.NDArray[np.float64], values: Rows, scores: npt.NDArray[np.float64]) -> Rows:
    """Smooth rows of box and landmarks both ways, trusting doubtful faces less."""
    width = float(np.median(values[:, 2] - values[:, 0]))
    # A video may show pictures twice; smoothed apart, each would miss its own picture by half a step.
    runs = still_runs(values[:, 4:], tolerance=_STILL * width)
    times, rows, trust = (mean_by_run(x, runs) for x in (seconds[:, None], values, scores[:, None]))
    centre = rows[:, 4:].reshape(len(rows), -1, 2).mean(axis=1)
    # A head that shakes moves all points at once, by far more than noise moves their mean: follow it.
    acceleration = np.maximum(_ACCELERATION * width, 2 * accelerations(times[:, 0], centre))
    noise = _NOISE * width * (1 + 10 * (1 - trust[:, 0]))
    return smooth(times[:, 0], rows, noise=noise, acceleration=acceleration).astype(np.float32)[runs]


def _kalman(seconds: npt.NDArray[np.float64], values: Rows, scores: npt.NDArray[np.float64]) -> Rows:
    return causal(values).astype(np.float32)


def _moving_average(seconds: npt.NDArray[np.float64], values: Rows, scores: npt.NDArray[np.float64]) -> Rows:
    rows = values.astype(np.float64)
    for i in range(1, len(rows)):
        rows[i] = MOVING_AVERAGE * rows[i - 1] + (1 - MOVING_AVERAGE) * rows[i]
    return rows.astype(np.float32)


def _none(seconds: npt.NDArray[np.float64], values: Rows, scores: npt.NDArray[np.float64]) -> Rows:
    return values


_METHODS: dict[str, Callable[[npt.NDArray[np.float64], Rows, npt.NDArray[np.float64]], Rows]] = {
    "rts": _rts,
    "kalman": _kalman,
    "moving-average": _moving_average,
    "none": _none,
}
