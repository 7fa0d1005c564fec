"""Which tracks of a video show the person of a reference picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import NoFaceError, WeightsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.people import TrackSummary, summarize_tracks
from faceswap_gan.faces.recognizer import Recognizer, recognition_crop
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.images import read_image
from faceswap_gan.media.video import Frame
from faceswap_gan.media.weights import find_weights

Embedding = npt.NDArray[np.float32]

LEAST_LIKENESS = 0.35
"""Cosine of two embeddings from which on they are taken for one person."""

_LOOKS = 5  # faces of a track that are compared
_EARLY = 60  # frames after a track's first in which they are taken, so that the video need not be read to its end
_SMALLEST = 40  # px: smallest face to look for in a reference picture, whatever the videos' is


class Embeds(Protocol):
    """What gives an embedding of a crop, as `Recognizer`."""

    def embed(self, crop: npt.NDArray[np.uint8]) -> Embedding:
        """Embed one face: RGB uint8 (112, 112, 3) to float32 (D,) of length 1."""


def open_recognizer(path: Path | None, *, weights_dir: Path | None = None) -> Recognizer:
    """Open the recogniser that tells people apart.

    Args:
        path: ONNX network; None: the known one, as `find_weights` finds it.
        weights_dir: folder that is looked into first.

    Raises:
        WeightsError: there is none on this machine and none can be fetched.
        ModelError: the file is no such network.
    """
    try:
        return Recognizer(path if path is not None else find_weights("sface", folder=weights_dir))
    except WeightsError as error:
        raise WeightsError(
            f"--reference needs a network that tells people apart: {error} Or choose the person with --track; "
            "the tracks verb shows who is who."
        ) from error


def find_reference(picture: Path, detector: FaceDetector) -> npt.NDArray[np.uint8]:
    """Cut the largest face out of a reference picture, as a recogniser takes it: RGB uint8 (112, 112, 3).

    Raises:
        NoFaceError: it shows none.
        MediaError: it cannot be read.
    """
    image = read_image(picture)
    faces = detector.detect([image], min_size=min(detector.min_size, _SMALLEST))[0]
    if not faces:
        raise NoFaceError(f"expected a face in the reference picture {picture}, got none; give another picture.")
    return recognition_crop(image, max(faces, key=lambda each: each.width).landmarks)


def embed_picture(picture: Path, detector: FaceDetector, recognizer: Embeds) -> Embedding:
    """Embed the largest face of a reference picture.

    Raises:
        NoFaceError: it shows none.
        MediaError: it cannot be read.
    """
    return recognizer.embed(find_reference(picture, detector))


def embed_tracks(frames: Iterable[Frame], scan: FaceScan, recognizer: Embeds) -> dict[int, Embedding]:
    """Embed everybody in a video.

    Args:
        frames: of the scanned video, in order; read no further than needed.
        scan: as measured.
        recognizer: tells people apart.

    Returns:
        Track number to the mean embedding of a few of its surest faces, float32 (D,) of length 1.
    """
    wanted = _choose_looks(scan)
    rows: dict[int, list[Embedding]] = {}
    left = sorted(wanted)
    for frame in frames if left else ():
        for track in wanted.get(frame.index, ()):
            face = scan.frames[scan.positions[frame.index]].faces_by_track[track]
            crop = recognition_crop(frame.image, face.landmarks)
            rows.setdefault(track, []).append(recognizer.embed(crop))
        if frame.index >= left[-1]:
            break
    means = {track: np.mean(embeddings, axis=0) for track, embeddings in rows.items()}
    return {track: np.asarray(m / max(float(np.linalg.norm(m)), 1e-12), np.float32) for track, m in means.items()}


def match_people(
    embeddings: Mapping[int, Embedding],
    references: Mapping[str, Embedding],
    scan: FaceScan,
    *,
    least: float = LEAST_LIKENESS,
) -> dict[str, dict[int, float]]:
    """Find each reference's tracks: those that look like it, like no other reference more, and not two at once.

    Args:
        embeddings: from `embed_tracks`.
        references: name to embedding.
        scan: as measured.
        least: likeness, a cosine, from which on two are one person.

    Returns:
        For every reference its tracks and how like it each is.
    """
    summaries = {summary.track: summary for summary in summarize_tracks(scan)}
    likeness = {
        (name, track): float(reference @ embedding)
        for name, reference in references.items()
        for track, embedding in embeddings.items()
        if track in summaries
    }
    found: dict[str, dict[int, float]] = {name: {} for name in references}
    for (name, track), value in sorted(likeness.items(), key=lambda entry: -entry[1]):
        taken = any(track in tracks for tracks in found.values())
        twice = any(_overlap(summaries[track], summaries[other]) for other in found[name])
        if value >= least and not taken and not twice:
            found[name][track] = value
    return found


def _choose_looks(scan: FaceScan) -> dict[int, list[int]]:
    """Choose the frames in which each track is looked at: frame number to tracks."""
    wanted: dict[int, list[int]] = {}
    for summary in summarize_tracks(scan):
        where = scan.sightings[summary.track]
        early = [i for i in where if i < where[0] + _EARLY]
        # One of each part of the time: neighbours look alike.
        for part in np.array_split(np.asarray(early), min(_LOOKS, len(early))):
            best = max(part.tolist(), key=lambda i: scan.frames[i].faces_by_track[summary.track].score)
            wanted.setdefault(scan.frames[best].index, []).append(summary.track)
    return wanted


def _overlap(first: TrackSummary, second: TrackSummary) -> bool:
    return first.first <= second.last and second.first <= first.last
