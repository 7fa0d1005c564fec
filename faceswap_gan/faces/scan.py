"""What a first pass over a video has seen: every frame's faces, by track and scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.scanner import Scanner
from faceswap_gan.faces.tracker import SeenFrame
from faceswap_gan.media.video import Frame

__all__ = ["FaceScan", "SeenFrame", "scan_faces"]


@dataclass(frozen=True)
class FaceScan:
    """The faces of a video, or of a part of it.

    Attributes:
        frames: what was seen in each frame looked at, in order.
    """

    frames: tuple[SeenFrame, ...]

    def at(self, index: int) -> SeenFrame | None:
        """Look up a frame by its number in the video; None where the scan did not look."""
        position = self.positions.get(index)
        return None if position is None else self.frames[position]

    @cached_property
    def positions(self) -> dict[int, int]:
        """Frame number to position in ``frames``."""
        return {frame.index: position for position, frame in enumerate(self.frames)}

    @cached_property
    def sightings(self) -> dict[int, tuple[int, ...]]:
        """Track number to the positions in ``frames`` at which it was seen, rising."""
        found: dict[int, list[int]] = {}
        for position, frame in enumerate(self.frames):
            for face in frame.faces:
                found.setdefault(face.track, []).append(position)
        return {track: tuple(positions) for track, positions in found.items()}


BATCH = 16
"""Frames to look at together: a search of a whole frame serves so many."""


def scan_faces(frames: Iterable[Frame], detector: FaceDetector, *, batch: int = BATCH) -> FaceScan:
    """Find and follow the faces of a video: the first of two passes.

    Args:
        frames: of one video, in order; their pictures are let go after two batches.
        detector: finds the faces of a frame.
        batch: frames to look at together.

    Returns:
        What was seen, as measured: `smooth_scan` makes it steady.

    Raises:
        SettingsError: ``batch`` is not positive.
    """
    if batch < 1:
        raise SettingsError(f"batch must be at least 1. Received: {batch}.")
    scanner = Scanner(detector)
    source = iter(frames)
    seen: list[SeenFrame] = []
    while chunk := list(islice(source, batch)):
        seen += scanner.look(chunk)
    return FaceScan((*seen, *scanner.finish()))
