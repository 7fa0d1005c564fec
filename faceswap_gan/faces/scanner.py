"""Frames in, seen faces out: the detector, the tracker and the search for what both lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.key_search import KeySearch, refine_faces
from faceswap_gan.faces.smoothing import between
from faceswap_gan.faces.tracker import CutFinder, FaceTracker, SeenFrame, TrackedFace, is_taken
from faceswap_gan.faces.turned import is_reversed
from faceswap_gan.media.video import Frame

Image = npt.NDArray[np.uint8]

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
        self._search = KeySearch(detector)
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
        last_seen = self._tracker.last_seen
        looked = self._follow(frames)
        known = len(self._waiting)
        looked = self._bridge(self._waiting + looked, known, last_seen)
        self._waiting = looked[known:]
        return [one.seen for one in looked[:known]]

    def finish(self) -> list[SeenFrame]:
        """Hand out what was seen in the frames of the last call."""
        waiting, self._waiting = self._waiting, []
        return [one.seen for one in waiting]

    def state(self) -> dict[str, Any]:
        """Give all that the next call of `look` depends on as plain values, for `restore`.

        What waits to be handed out is not part of it: a scanner that goes on from here takes it for handed out.
        """
        return {
            "scene": self._scene,
            "next_deep": self._search.next_deep,
            "tracker": self._tracker.state(),
            "thumbnail": self._cuts.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was asked for; frames later than that give what they would have given then.

        Raises:
            KeyError: a part is missing.
            TypeError: a part is of another kind.
            ValueError: a part has another size.
        """
        self._tracker.restore(state["tracker"])
        self._cuts.restore(state["thumbnail"])
        self._scene = int(state["scene"])
        due = state["next_deep"]
        self._search.next_deep = None if due is None else float(due)
        self._waiting = []

    def _follow(self, frames: Sequence[Frame]) -> list[_Looked]:
        """Find the faces of consecutive frames and name them."""
        cuts = [self._cuts.update(frame.image) for frame in frames]
        found = self._search.find(frames, cuts, self._tracker.present)
        looked = []
        for frame, cut, faces in zip(frames, cuts, found, strict=True):
            self._scene += cut
            tracked = self._tracker.update(faces, cut=cut, look=partial(self._ask, frame.image))
            seen = SeenFrame(frame.index, frame.pts, frame.seconds, self._scene, tracked)
            looked.append(_Looked(frame.image, seen))
        return looked

    def _bridge(self, looked: list[_Looked], known: int, last_seen: Mapping[int, tuple[int, Face]]) -> list[_Looked]:
        """Ask about the places where a track, seen again in the newest frames, must have been."""
        places = _missed_places(looked, known, last_seen)
        result = list(looked)
        # Old and new frames one after the other: a scan that goes on from a file asks about the new ones only, and
        # a network's last digits may depend on what else it is asked at once.
        for part in ([p for p in places if p[0] < known], [p for p in places if p[0] >= known]):
            found = refine_faces(self._detector, [(looked[i].image, place) for i, _, place in part])
            for (i, track, place), face in zip(part, found, strict=True):
                seen = result[i].seen
                if _is_own(face, place, seen):
                    faces = (*seen.faces, TrackedFace(face, track))
                    result[i] = replace(result[i], seen=replace(seen, faces=faces))
        return result

    def _ask(self, image: Image, boxes: npt.NDArray[np.float32]) -> list[Face]:
        return self._detector.refine([image] * len(boxes), boxes)


def _is_own(face: Face, place: Face, seen: SeenFrame) -> bool:
    """Tell whether an answer about a place is surely the face that must have been there.

    A head that hides another is a sure face where the hidden one must be, and an upside-down one is read as upright.
    """
    is_other = is_taken(face, seen.faces_by_track.values()) or is_reversed(face, place)
    return face.score >= _LEAST_BRIDGE and not is_other


def _missed_places(
    looked: Sequence[_Looked], known: int, last_seen: Mapping[int, tuple[int, Face]]
) -> list[tuple[int, int, Face]]:
    """List what each track that is back missed: position, track, and the face as it must have been there.

    It rests on when a track was seen last, not on what was found in its gaps since: else a scan that goes on from
    a file would ask about other places than one that was never stopped.
    """
    last = {track: (known - 1 - missed, face) for track, (missed, face) in last_seen.items()}
    places = []
    for b in range(known, len(looked)):
        for track, face in looked[b].seen.faces_by_track.items():
            a, before = last.get(track, (b - 1, face))
            places += [(i, track, between(before, face, (i - a) / (b - a))) for i in range(max(a + 1, 0), b)]
            last[track] = (b, face)
    return places
