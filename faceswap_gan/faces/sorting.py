"""Faces that are not wanted, and the list that says which and why."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.people import summarize_tracks
from faceswap_gan.faces.quality import estimate_yaw, measure_sharpness
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.faces.selection import Selection
from faceswap_gan.media.images import write_whole

REJECTED = "rejected.csv"
"""The list in a face folder."""


@dataclass(frozen=True)
class Reject:
    """A face that was sorted out.

    Attributes:
        frame: number of the frame.
        track: number of the track.
        reason: ``identity``, ``track`` and ``place``: another person, by what the choice rests on; ``passing``: seen
            for a moment only; ``unseen``: known from its track alone; ``size``, ``pose``, ``blur``.
        value: what was measured: width in px, yaw in degrees, sharpness in parts of its track's median, else the
            detector's score.
    """

    frame: int
    track: int
    reason: str
    value: float


@dataclass(frozen=True)
class Limits:
    """What a face must keep to be taken.

    Attributes:
        min_width: px of the frame.
        max_yaw: degrees that a head may be turned; 90 takes all.
        min_sharpness: in parts of the median of the same track; 0 takes all.

    Raises:
        SettingsError: a limit out of its range; a sharpness above the median could leave no face at all.
    """

    min_width: int = 0
    max_yaw: float = 90.0
    min_sharpness: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of its range, and what is no number."""
        if self.min_width < 0:
            raise SettingsError(f"expected --min-width of at least 0, got {self.min_width}.")
        if not 0 <= self.max_yaw <= 90:
            raise SettingsError(f"expected --max-yaw from 0 to 90, got {self.max_yaw:g}.")
        if not 0 <= self.min_sharpness <= 1:
            raise SettingsError(f"expected --min-sharpness from 0 to 1, got {self.min_sharpness:g}.")

    def judge(self, crop: FaceCrop) -> Reject | None:
        """Say what is wrong with a crop that has a face; None: nothing, or only how sharp it is."""
        face = crop.face
        if face is None or face.score <= 0:
            # A face that only its track knows of is good enough to swap, not to learn from.
            return Reject(crop.frame, crop.track, "unseen", 0.0)
        if face.width < self.min_width:
            return Reject(crop.frame, crop.track, "size", face.width)
        yaw = float(np.abs(estimate_yaw(face.landmarks[None])[0]))
        return Reject(crop.frame, crop.track, "pose", yaw) if yaw > self.max_yaw else None


class BlurFinder:
    """Remembers how sharp each face is and tells, when all are known, which are blurred."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}

    def look(self, crop: FaceCrop) -> None:
        """Take in a crop."""
        grey = np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_RGB2GRAY), np.uint8)
        self._seen[crop.name] = (crop.frame, crop.track, measure_sharpness(grey))

    def find(self, least: float) -> dict[str, Reject]:
        """Find the blurred faces: file name to what was measured.

        Args:
            least: sharpness in parts of the median of the same track's faces: different people may share a place.
        """
        by_track: dict[int, list[float]] = {}
        for _, track, sharpness in self._seen.values():
            by_track.setdefault(track, []).append(sharpness)
        medians = {track: max(float(np.median(own)), 1e-9) for track, own in by_track.items()}
        shares = {name: (frame, track, s / medians[track]) for name, (frame, track, s) in self._seen.items()}
        return {name: Reject(f, t, "blur", share) for name, (f, t, share) in shares.items() if share < least}


def list_others(scan: FaceScan, selection: Selection, *, every: int = 1) -> list[Reject]:
    """List the faces of the people who were not chosen, and what flickered up, in one frame of so many."""
    lasting = {summary.track for summary in summarize_tracks(scan)}
    return [
        Reject(frame.index, each.track, selection.why if each.track in lasting else "passing", each.face.score)
        for frame in scan.frames
        for each in frame.faces
        if frame.index % every == 0 and each.track not in selection.people[frame.index]
    ]


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write the list; remove an old one where there is nothing to list.

    Raises:
        MediaError: the disk does not take it.
    """
    if not rejects:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("frame", "track", "reason", "value"))
    rows = sorted(rejects, key=lambda each: (each.frame, each.track))
    table.writerows((each.frame, each.track, each.reason, f"{each.value:.3f}") for each in rows)
    write_whole(path, text.getvalue().encode())


def count_reasons(rejects: Sequence[Reject]) -> str:
    """Say how many were sorted out for what: ``12 blur, 3 pose``."""
    return ", ".join(f"{count} {reason}" for reason, count in Counter(each.reason for each in rejects).most_common())
