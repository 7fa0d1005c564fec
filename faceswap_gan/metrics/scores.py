"""Per-frame measurements to figures: the list of all metrics, with what each means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces import topology
from faceswap_gan.metrics import bootstrap as boot
from faceswap_gan.metrics.appearance import RINGS, colour_distance
from faceswap_gan.metrics.bootstrap import Score, Statistic
from faceswap_gan.metrics.expression import expression_error
from faceswap_gan.metrics.eyes import eye_offset, gaze_error, opening, shut
from faceswap_gan.metrics.identity import People, cosines, nearer, transfer
from faceswap_gan.metrics.jitter import acceleration, flicker
from faceswap_gan.metrics.measured import Measured
from faceswap_gan.metrics.pose import pose_error
from faceswap_gan.metrics.shape import landmark_error, mouth_opening

Floats = NDArray[np.floating]
Columns = NDArray[np.float64]

EYES = (*topology.LEFT_EYE, *topology.RIGHT_EYE)
MOUTH = (*topology.LIPS_OUTER, *topology.LIPS_INNER)
CONTOUR = topology.FACE_OVAL


@dataclass(frozen=True)
class Judged:
    """One video and what it is judged by, frame by frame.

    Attributes:
        own: its measurements.
        footage: those of the footage whose motion it should have, the same frames.
        people: src and dst as the recogniser knows them.
        truth: measurements of the true swap, the same frames; None where it is unknown.
    """

    own: Measured
    footage: Measured
    people: People
    truth: Measured | None = None

    @property
    def due(self) -> NDArray[np.bool_]:
        """Frames to be judged, bool (n,): the footage shows a face between the video's first and last frame.

        A video may be an extract of the footage; a frame that it drops in between is a failure.
        """
        rows = np.flatnonzero(self.own.shown)
        spanned = np.zeros(len(self.own.shown), np.bool_)
        if rows.size:
            spanned[rows[0] : rows[-1] + 1] = True
        return np.asarray(self.footage.found & spanned)


@dataclass(frozen=True)
class Metric:
    """A figure of a video.

    Attributes:
        name: key in the JSON.
        title: in tables.
        unit: of the value; empty for a pure number.
        best: the value a perfect swap has.
        digits: behind the point.
        meaning: one sentence.
        columns: per-frame numbers whose sums make the figure.
        statistic: makes it.
        series: the same frame by frame, for plots, or None.
        bad: which end of the series is bad; None if there is no such end.
    """

    name: str
    title: str
    unit: str
    best: str
    digits: int
    meaning: str
    columns: Callable[[Judged], Columns]
    statistic: Statistic = boot.mean
    series: Callable[[Judged], Floats] | None = None
    bad: Literal["high", "low"] | None = None


def score_all(judged: Judged, *, block: int, rng: np.random.Generator) -> dict[str, Score]:
    """Compute every metric of one video.

    Args:
        judged: the video.
        block: frames a block of the bootstrap.
        rng: source of the bootstrap's randomness.

    Returns:
        By name, in the order of `METRICS`; value NaN where a metric is not defined.
    """
    return {m.name: boot.bootstrap(m.columns(judged), m.statistic, block=block, rng=rng) for m in METRICS}


def _mean(
    name: str, title: str, series: Callable[[Judged], Floats], *, unit: str = "", best: str = "0", digits: int = 2,
    meaning: str, bad: Literal["high", "low"] | None = "high",
) -> Metric:  # fmt: skip
    return Metric(name, title, unit, best, digits, meaning, lambda j: boot.mean_of(series(j)), boot.mean, series, bad)


def _transfer(judged: Judged) -> Floats:
    return transfer(judged.own.embeddings, judged.people, shown=judged.due)


def _nearer(judged: Judged) -> Floats:
    return nearer(judged.own.embeddings, judged.people, shown=judged.due)


def _to(side: Literal["src", "dst"]) -> Callable[[Judged], Floats]:
    return lambda judged: cosines(judged.own.embeddings, getattr(judged.people, side))


def _to_truth(judged: Judged) -> Floats:
    if judged.truth is None:
        return np.full(len(judged.own), np.nan)
    return np.asarray(np.sum(judged.own.embeddings.astype(np.float64) * judged.truth.embeddings, axis=1))


def _missed(judged: Judged) -> Floats:
    return np.where(judged.due, (~judged.own.found).astype(np.float64), np.nan)


def _landmarks(part: tuple[int, ...]) -> Callable[[Judged], Floats]:
    return lambda judged: landmark_error(judged.own.points, judged.footage.points, part)


def _eye_offset(judged: Judged) -> Floats:
    return eye_offset(judged.own.points, judged.footage.points)


def _gaze(judged: Judged) -> Floats:
    return gaze_error(judged.own.points, judged.footage.points)


def _pose(judged: Judged) -> Floats:
    return pose_error(judged.own.rotations, judged.footage.rotations)


def _expression(judged: Judged) -> Floats:
    return expression_error(judged.own.blendshapes, judged.footage.blendshapes)


def _blinks(judged: Judged) -> Columns:
    both = judged.own.found & judged.footage.found
    return boot.f1_of(shut(judged.own.points), shut(judged.footage.points), both)


def _mouths(judged: Judged) -> Columns:
    return boot.correlation_of(mouth_opening(judged.own.points), mouth_opening(judged.footage.points))


def _jitter(judged: Judged) -> Columns:
    videos = (judged.own, judged.footage)
    return np.stack([acceleration(v.points, v.frames) for v in videos], axis=1).astype(np.float64)


def _flicker(judged: Judged) -> Floats:
    return flicker(judged.own.colours, judged.footage.colours, judged.own.frames)


def _colour(judged: Judged) -> Floats:
    return colour_distance(judged.own.colours, judged.footage.colours)


def _sharpness(judged: Judged) -> Columns:
    return np.stack([judged.own.sharpness, judged.footage.sharpness], axis=1)


def _edges(judged: Judged) -> Columns:
    return np.concatenate([judged.own.edges, judged.footage.edges], axis=1)


def _per_frame(columns: Callable[[Judged], Columns], statistic: Statistic) -> Callable[[Judged], Floats]:
    return lambda judged: statistic(columns(judged))


METRICS: tuple[Metric, ...] = (
    _mean("transfer", "identity transfer", _transfer, best="1", bad="low",
          meaning="Whose face: 0 is dst's own, 1 is as like src as src's frames are to each other. A frame without "
          "the face it should have counts 0."),
    _mean("cos_src", "cosine to src", _to("src"), best="high", bad=None, meaning="Mean cosine to src's frames."),
    _mean("cos_dst", "cosine to dst", _to("dst"), best="low", bad=None, meaning="Mean cosine to dst's frames."),
    _mean("nearer", "nearer to src", _nearer, best="1", bad=None,
          meaning="Share of frames nearer to src than to dst; a frame without a face is not."),
    _mean("failures", "no face found", _missed, bad=None,
          meaning="Share of frames in which the footage shows a face and the video does not."),
    _mean("landmarks_eyes", "landmarks, eyes", _landmarks(EYES), unit="%",
          meaning="Mean distance of the eyes' outlines from the footage's, in per cent of the distance between the "
          "outer corners of the eyes."),
    _mean("landmarks_mouth", "landmarks, mouth", _landmarks(MOUTH), unit="%", meaning="The same of the lips."),
    _mean("landmarks_contour", "landmarks, contour", _landmarks(CONTOUR), unit="%",
          meaning="The same of the face's outline, which moves by right where a method transfers the head's shape."),
    _mean("eye_offset", "eyes' offset", _eye_offset, unit="%",
          meaning="Distance of the eyes' middles from the footage's, in per cent of the distance between the eyes."),
    _mean("gaze", "gaze error", _gaze, unit="%",
          meaning="Distance of the irises from their place between the eye's corners, in per cent of the eye's "
          "width; frames with the footage's eyes shut left out."),
    Metric("blinks", "blink agreement", "", "1", 2,
           "F1 of the frames with shut eyes: open less than 60 % of the video's own median. 1 if nobody blinks.",
           _blinks, boot.f1),
    Metric("mouth_correlation", "mouth opening", "", "1", 2,
           "Correlation over time of the gap between the lips with the footage's.", _mouths, boot.correlation),
    _mean("pose", "head pose error", _pose, unit="°", meaning="Angle between the heads' orientations."),
    _mean("expression", "expression error", _expression, digits=3,
          meaning="Mean difference of 52 blendshape strengths in [0, 1]."),
    Metric("jitter", "jitter ratio", "", "1", 2,
           "Acceleration of all landmarks from frame to frame over the footage's: above 1 trembles, below 1 is "
           "smoothed or still.", _jitter, boot.ratio, _per_frame(_jitter, boot.ratio)),
    _mean("flicker", "flicker", _flicker,
          meaning="Change from frame to frame of the face's colour offset from the footage, CIELAB."),
    _mean("outside", "change outside", lambda j: j.own.outside,
          meaning="Mean change outside the face, grey levels of 255; encoding again costs about 1."),
    Metric("boundary", "boundary gradient", "", "1", 2,
           f"Largest ratio to the footage of the change of luma across {len(RINGS)} rings about the face's edge: "
           "above 1 there is a seam.", _edges, boot.worst_ratio, _per_frame(_edges, boot.worst_ratio), "high"),
    _mean("colour", "colour distance", _colour,
          meaning="Distance of the face's mean colour from the footage's, CIELAB; 2.3 is just noticeable."),
    Metric("sharpness", "sharpness ratio", "", "1", 2,
           "Mean Laplacian inside the face over the footage's: below 1 is blurred.", _sharpness, boot.ratio,
           _per_frame(_sharpness, boot.ratio)),
    _mean("cos_truth", "cosine to truth", _to_truth, best="1", bad=None,
          meaning="Mean cosine of each frame's face to the true swap's."),
    _mean("psnr", "PSNR", lambda j: j.own.psnr, unit="dB", best="high", digits=1, bad=None,
          meaning="Inside the face, against the truth."),
    _mean("ssim", "SSIM", lambda j: j.own.ssim, best="1", digits=3, bad=None,
          meaning="Inside the face, against the truth."),
)  # fmt: skip
"""All metrics in the order of the table."""

BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def curves(judged: Judged) -> dict[str, Floats]:
    """Per-frame curves for plots: mouth and eyes as such, beside all metrics' series.

    Args:
        judged: the video.

    Returns:
        float (n,) each: `mouth` and `eyes` (openings), and every metric's series by its name.
    """
    own = {"mouth": mouth_opening(judged.own.points), "eyes": opening(judged.own.points)}
    return own | {metric.name: metric.series(judged) for metric in METRICS if metric.series is not None}
