"""Who of those seen in a video is meant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.scan import FaceScan

Who = Literal["largest", "all"]

People = dict[int, tuple[int | None, ...]]
"""Frame number to the track in each place, None where it is empty; a track keeps its place while it lasts."""

_LEAST_HITS = 3


@dataclass(frozen=True)
class TrackSummary:
    """What is known of a track.

    Attributes:
        track: its number.
        scene: the scene that it lives in.
        frames: how many frames show it.
        first: number of the first of these frames.
        last: number of the last.
        seconds: from the first to the last, s.
        width: median width of the face, px.
        score: mean score.
        strength: how long, sure and large it is seen; the strongest is the person.
    """

    track: int
    scene: int
    frames: int
    first: int
    last: int
    seconds: tuple[float, float]
    width: float
    score: float
    strength: float


def summarize_tracks(scan: FaceScan) -> tuple[TrackSummary, ...]:
    """Describe who is in a video, the strongest first; what flickers up for a moment is left out.

    Args:
        scan: as measured or smoothed.
    """
    lengths = np.bincount([frame.scene for frame in scan.frames], minlength=1)
    tracks = []
    for track, where in scan.sightings.items():
        frames = [scan.frames[i] for i in where]
        faces = [frame.faces_by_track[track] for frame in frames]
        # A face lasts, unless its scene doesn't either.
        if len(where) < min(_LEAST_HITS, (int(lengths[frames[0].scene]) + 1) // 2):
            continue
        summary = TrackSummary(
            track=track,
            scene=frames[0].scene,
            frames=len(where),
            first=frames[0].index,
            last=frames[-1].index,
            seconds=(frames[0].seconds, frames[-1].seconds),
            width=float(np.median([face.width for face in faces])),
            score=float(np.mean([face.score for face in faces])),
            strength=float(sum(face.score**4 * max(face.width, 0.0) ** 0.5 for face in faces)),
        )
        tracks.append(summary)
    return tuple(sorted(tracks, key=lambda each: -each.strength))


def choose_people(
    scan: FaceScan,
    *,
    who: Who = "largest",
    track: Collection[int] | int | None = None,
    max_faces: int | None = None,
) -> People:
    """Decide who is followed in every frame.

    The strongest track, seen longest, surest and largest, gets a place for as long as it lasts; weaker ones get
    what places are left. So a hand that looks like a larger face for a moment changes nothing.

    Args:
        scan: as measured or smoothed.
        who: ``largest`` fills one place, ``all`` as many as are needed.
        track: take these tracks only, as the tracks verb numbers them or as `find_people` has found them.
        max_faces: places; None: 1 for ``largest``, else as many as are needed.

    Returns:
        For every frame of the scan the track in each place.

    Raises:
        SettingsError: ``max_faces`` is not positive, or a track is not in the video, or for a moment only.
    """
    if max_faces is not None and max_faces < 1:
        raise SettingsError(f"max_faces must be at least 1. Received: {max_faces}.")
    wanted = {track} if isinstance(track, int) else None if track is None else set(track)
    if wanted is not None:
        _check_tracks(wanted, scan)
    if max_faces is None and who == "largest" and wanted is None:
        max_faces = 1
    places: list[dict[int, int]] = []
    for summary in summarize_tracks(scan):
        if wanted is None or summary.track in wanted:
            _seat(summary, scan, places, max_faces)
    return {frame.index: tuple(place.get(i) for place in places) for i, frame in enumerate(scan.frames)}


def _seat(summary: TrackSummary, scan: FaceScan, places: list[dict[int, int]], most: int | None) -> None:
    """Give a track the place that is free longest, where it is free."""
    first, last = scan.positions[summary.first], scan.positions[summary.last]
    life = range(first, last + 1)
    free = [sum(i not in place for i in life) for place in places]
    if (not free or max(free) < len(life)) and (most is None or len(places) < most):
        places.append({})
        free.append(len(life))
    best = places[int(np.argmax(free))]
    for i in life:
        best.setdefault(i, summary.track)


def _check_tracks(wanted: set[int], scan: FaceScan) -> None:
    """Refuse numbers that no person has: of no track, or of what flickers up for a moment and is left out."""
    known = [summary.track for summary in summarize_tracks(scan)]
    unknown = wanted.difference(known)
    if unknown:
        raise SettingsError(
            f"expected --track to be one of {_listed(known)}, got {_listed(sorted(unknown))}; "
            "the tracks verb shows who is who."
        )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:20])) + (", ..." if len(numbers) > 20 else "") or "none"
