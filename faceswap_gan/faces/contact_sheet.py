"""Who is in a video, as one picture: a row a track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.alignment import align
from faceswap_gan.faces.people import TrackSummary, summarize_tracks
from faceswap_gan.faces.quality import estimate_yaw
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.video import Frame

Image = npt.NDArray[np.uint8]

SIDE = 112
"""Side of a face on the sheet, px."""

_FACES = 6  # of a track
_LABEL = 250  # px for the words left of a row
_GAP = 6  # px
_PAPER, _INK, _GREY = 250, 20, 110
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def choose_faces(scan: FaceScan, tracks: Sequence[TrackSummary]) -> dict[int, tuple[int, ...]]:
    """Choose the best faces of each track: sure, frontal and spread over its time.

    Returns:
        Track number to frame numbers, rising.
    """
    return {summary.track: _best(scan, summary.track) for summary in tracks}


def cut_faces(frames: Iterable[Frame], scan: FaceScan, chosen: dict[int, tuple[int, ...]]) -> dict[int, list[Image]]:
    """Cut the chosen faces out of a video; reads no further than the last of them.

    Args:
        frames: of the scanned video, in order.
        scan: smoothed.
        chosen: from `choose_faces`.

    Returns:
        Track number to its crops, RGB uint8 (SIDE, SIDE, 3).
    """
    wanted: dict[int, list[int]] = {}
    for track, indices in chosen.items():
        for index in indices:
            wanted.setdefault(index, []).append(track)
    crops: dict[int, list[Image]] = {track: [] for track in chosen}
    last = max(wanted, default=-1)
    for frame in frames if wanted else ():
        for track in wanted.get(frame.index, ()):
            seen = scan.frames[scan.positions[frame.index]]
            crops[track].append(align(seen.faces_by_track[track].landmarks, size=SIDE).crop(frame.image))
        if frame.index >= last:
            break
    return crops


def draw_sheet(tracks: Sequence[TrackSummary], crops: dict[int, list[Image]]) -> Image:
    """Lay the faces out.

    Args:
        tracks: one row each, in this order.
        crops: from `cut_faces`.

    Returns:
        RGB uint8 (H, W, 3).
    """
    width = _LABEL + _FACES * (SIDE + _GAP) + _GAP
    sheet = np.full((len(tracks) * (SIDE + _GAP) + _GAP, width, 3), _PAPER, np.uint8)
    for row, summary in enumerate(tracks):
        top = _GAP + row * (SIDE + _GAP)
        _write(sheet, f"track {summary.track}", (14, top + 38), 0.9, _INK)
        for line, text in enumerate(describe_track(summary)):
            _write(sheet, text, (14, top + 66 + 22 * line), 0.5, _GREY)
        for column, crop in enumerate(crops.get(summary.track, [])[:_FACES]):
            left = _LABEL + column * (SIDE + _GAP)
            sheet[top : top + SIDE, left : left + SIDE] = crop
    return sheet


def describe_track(summary: TrackSummary) -> tuple[str, str]:
    """Say in two lines when a track is seen, how often and how large."""
    first, last = summary.seconds
    return (
        f"{first:.1f} - {last:.1f} s, scene {summary.scene}",
        f"{summary.frames} frames, {summary.width:.0f} px wide",
    )


def list_tracks(scan: FaceScan, most: int) -> tuple[TrackSummary, ...]:
    """List the strongest tracks of a video in the order of their appearance."""
    return tuple(sorted(summarize_tracks(scan)[:most], key=lambda each: (each.first, each.track)))


def _best(scan: FaceScan, track: int) -> tuple[int, ...]:
    where = scan.sightings[track]
    faces = [scan.frames[i].faces_by_track[track] for i in where]
    yaw = np.abs(estimate_yaw(np.stack([face.landmarks for face in faces])))
    merit = np.asarray([face.score for face in faces]) - yaw / 90
    parts = np.array_split(np.arange(len(where)), min(_FACES, len(where)))
    return tuple(scan.frames[where[part[np.argmax(merit[part])]]].index for part in parts)


def _write(sheet: Image, text: str, at: tuple[int, int], scale: float, level: int) -> None:
    cv2.putText(sheet, text, at, _FONT, scale, (level, level, level), 2 if scale > 0.7 else 1, cv2.LINE_AA)
