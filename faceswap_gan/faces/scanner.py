"""Frames in, seen faces out: the detector, the tracker and the search for what both lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.smoothing import between
from faceswap_gan.faces.tracker import CutFinder, FaceTracker, SeenFrame, TrackedFace
from faceswap_gan.media.video import Frame

Image = npt.NDArray[np.uint8]

_LEAST_SCORE = 0.5
_LEAST_BRIDGE = 0.7


@dataclass(frozen=True)
class _Looked:
    """A frame's picture, kept until nothing more will be asked about it, and what was seen in it."""

    image: Image
    seen: SeenFrame


class Scanner:
    """Detects and follows the faces of chunk after chunk; hands a chunk out when the next one is known.

    A face that a track missed for a few frames is looked for once more where it must have been, when it is back.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._tracker = FaceTracker()
        self._cuts = CutFinder()
        self._scene = 0
        self._waiting: list[_Looked] = []

    def look(self, frames: Sequence[Frame]) -> list[SeenFrame]:
        """Take in consecutive frames.

        Args:
            frames: the next ones of the video.

        Returns:
            What was seen in the frames of the call before.
        """
        known = len(self._waiting)
        looked = self._bridge(self._waiting + self._follow(frames), known)
        self._waiting = looked[known:]
        return [one.seen for one in looked[:known]]

    def finish(self) -> list[SeenFrame]:
        """Hand out what was seen in the frames of the last call."""
        waiting, self._waiting = self._waiting, []
        return [one.seen for one in waiting]

    def _follow(self, frames: Sequence[Frame]) -> list[_Looked]:
        """Find the faces of consecutive frames and name them."""
        found = self._detector.detect([frame.image for frame in frames])
        pairs = [(frame.image, face) for frame, faces in zip(frames, found, strict=True) for face in faces]
        better = iter(self._refine(pairs))
        looked = []
        for frame, faces in zip(frames, found, strict=True):
            sure = [face for face in islice(better, len(faces)) if face.score >= _LEAST_SCORE]
            cut = self._cuts.update(frame.image)
            self._scene += cut
            tracked = self._tracker.update(sure, cut=cut, look=partial(self._ask, frame.image))
            seen = SeenFrame(frame.index, frame.pts, frame.seconds, self._scene, tracked)
            looked.append(_Looked(frame.image, seen))
        return looked

    def _bridge(self, looked: list[_Looked], known: int) -> list[_Looked]:
        """Ask about the places where a track, seen again in the newest frames, must have been."""
        asked = [
            (i, track, place)
            for track, where in _sightings(looked).items()
            for i, place in _gaps(looked, track, where, known)
        ]
        found = self._refine([(looked[i].image, place) for i, _, place in asked])
        result = list(looked)
        for (i, track, _), face in zip(asked, found, strict=True):
            if face.score >= _LEAST_BRIDGE:
                seen = result[i].seen
                faces = (*seen.faces, TrackedFace(face, track))
                result[i] = replace(result[i], seen=replace(seen, faces=faces))
        return result

    def _ask(self, image: Image, boxes: npt.NDArray[np.float32]) -> list[Face]:
        return self._detector.refine([image] * len(boxes), boxes)

    def _refine(self, pairs: Sequence[tuple[Image, Face]]) -> list[Face]:
        if not pairs:
            return []
        return self._detector.refine([image for image, _ in pairs], np.stack([face.box for _, face in pairs]))


def _sightings(looked: Sequence[_Looked]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for i, one in enumerate(looked):
        for face in one.seen.faces:
            found.setdefault(face.track, []).append(i)
    return found


def _gaps(looked: Sequence[_Looked], track: int, where: list[int], known: int) -> list[tuple[int, Face]]:
    """List the frames that a track missed and where it must have been; only gaps that end in a new frame."""
    gaps = []
    for a, b in zip(where, where[1:], strict=False):
        if b > a + 1 and b >= known:
            first, last = (looked[i].seen.faces_by_track[track] for i in (a, b))
            gaps += [(i, between(first, last, (i - a) / (b - a))) for i in range(a + 1, b)]
    return gaps
