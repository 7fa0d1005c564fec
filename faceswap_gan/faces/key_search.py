"""Full searches in key frames, and in the frames between them a look where each face must be.

Searching a whole frame costs far more than asking about a place: O-Net answers for a place in a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.boxes import suppress
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.smoothing import between
from faceswap_gan.faces.tracker import match_faces
from faceswap_gan.faces.turned import is_reversed, look_turned, needs_second_look
from faceswap_gan.media.video import Frame

Image = npt.NDArray[np.uint8]

_SURE = 0.5  # least score of a face that a full search found, when it is looked at closely
_STAYED = 0.9  # part of its score that a face must keep between two key frames; else the frame is searched
_MOVED = 0.1  # part of the width by which a place may be off without being looked at again
_SAME = 0.4  # overlap of two answers that mean one face
_ROOM = 0.4  # faces this part of the smallest known one are still looked for in every search


@dataclass(frozen=True)
class _Place:
    """Where a face is expected: which frame, the face as it should look there, and the least score to accept."""

    frame: int
    face: Face
    least: float


class KeySearch:
    """Finds the faces of a video chunk by chunk.

    Key frames are the video's first, the last of every chunk, both sides of a cut, and one at least every
    ``interval``. The smallest face that most of them look for follows from the faces known; one every ``deep``
    seconds, and the first after a cut, looks for all that the detector is set to.

    Args:
        detector: searches frames and judges places.
        interval: longest time between two searches, s.
        deep: longest time between two searches for the smallest faces, s.
    """

    def __init__(self, detector: FaceDetector, *, interval: float = 0.5, deep: float = 1.0) -> None:
        self._detector = detector
        self._interval, self._deep = interval, deep
        self.next_deep: float | None = None
        """When the next deep search is due, s; None before the first. All that `find` remembers."""

    def find(self, frames: Sequence[Frame], cuts: Sequence[bool], present: Sequence[Face]) -> list[list[Face]]:
        """Find the faces of consecutive frames.

        Args:
            frames: the next ones of the video.
            cuts: whether each starts another scene.
            present: where the faces of the frame before should be in the first of these.

        Returns:
            One list of faces a frame.
        """
        images = [frame.image for frame in frames]
        keys = _choose_keys(frames, cuts, self._interval)
        if self.next_deep is None and keys[0]:
            keys.insert(0, 0)
        deep = [k for k in keys if self._is_due(frames[k].seconds, restart=cuts[k] or not present)]
        found = self._search(images, deep, None)
        known = [face for faces in (*found.values(), present) for face in faces]
        least = self._least(known)
        found |= self._search(images, [k for k in keys if k not in found], least)
        places = _expect(found, cuts, present)
        seen, doubtful = self._look(images, places)
        found |= self._search(images, doubtful, least)
        return [_merge(found.get(i, []) + seen.get(i, [])) for i in range(len(frames))]

    def _least(self, known: Sequence[Face]) -> int | None:
        """Say how small a face is worth looking for, px; None: the detector's own smallest.

        Doubling it from step to step keeps the picture sizes that the networks see few.
        """
        wanted = _ROOM * min((face.width for face in known), default=0.0)
        steps = int(np.log2(max(wanted / self._detector.min_size, 1.0)))
        return self._detector.min_size * 2**steps if steps else None

    def _is_due(self, seconds: float, *, restart: bool) -> bool:
        """Tell whether a search shall be deep; a scene whose faces are not known starts with one."""
        due = restart or self.next_deep is None or seconds >= self.next_deep or seconds < self.next_deep - self._deep
        if due:
            self.next_deep = seconds + self._deep
        return due

    def _search(self, images: Sequence[Image], at: Sequence[int], least: int | None) -> dict[int, list[Face]]:
        """Search whole frames, and look closely at what is found."""
        if not at:
            return {}
        found = self._detector.detect([images[i] for i in at], min_size=least)
        pairs = [(images[i], face) for i, faces in zip(at, found, strict=True) for face in faces]
        better = refine_faces(self._detector, pairs)
        faces = iter(self._check_turned(image, face) for (image, _), face in zip(pairs, better, strict=True))
        return {
            i: [face for face in islice(faces, len(now)) if face.score >= _SURE]
            for i, now in zip(at, found, strict=True)
        }

    def _check_turned(self, image: Image, face: Face) -> Face:
        """Replace a doubtful face by what it is with the picture upside down, where it is surer so."""
        turned = look_turned(self._detector, image, face) if needs_second_look(face) else None
        return face if turned is None else turned

    def _look(self, images: Sequence[Image], places: Sequence[_Place]) -> tuple[dict[int, list[Face]], list[int]]:
        """Look where faces are expected.

        Returns:
            The faces by frame, and the frames in which an expected face is not surely there, or not the same way up:
            asked about its place, the detector reads an upside-down face as an upright one.
        """
        faces = refine_faces(self._detector, [(images[p.frame], p.face) for p in places])
        # An answer far from where it was asked for is asked for again from there.
        again = [i for i, (p, face) in enumerate(zip(places, faces, strict=True)) if _has_moved(p.face, face)]
        pairs = [(images[places[i].frame], faces[i]) for i in again]
        for i, face in zip(again, refine_faces(self._detector, pairs), strict=True):
            faces[i] = face
        sure: dict[int, list[Face]] = {}
        doubtful = set()
        for place, face in zip(places, faces, strict=True):
            if face.score >= place.least and not is_reversed(face, place.face):
                sure.setdefault(place.frame, []).append(face)
            else:
                doubtful.add(place.frame)
        return sure, sorted(doubtful)


def refine_faces(detector: FaceDetector, pairs: Sequence[tuple[Image, Face]]) -> list[Face]:
    """Ask a detector about one place a picture; see `FaceDetector.refine`."""
    if not pairs:
        return []
    return detector.refine([image for image, _ in pairs], np.stack([face.box for _, face in pairs]))


def _choose_keys(frames: Sequence[Frame], cuts: Sequence[bool], interval: float) -> list[int]:
    """Choose the frames to search: the last, both sides of a cut, and one at least every interval."""
    last = len(frames) - 1
    keys = {last} | {i for i, cut in enumerate(cuts) if cut} | {i - 1 for i, cut in enumerate(cuts) if cut and i}
    latest = frames[0].seconds
    for i, frame in enumerate(frames):
        if i in keys:
            latest = frame.seconds
        elif i < last and frames[i + 1].seconds - latest > interval:
            keys.add(i)
            latest = frame.seconds
    return sorted(keys)


def _expect(found: dict[int, list[Face]], cuts: Sequence[bool], present: Sequence[Face]) -> list[_Place]:
    """Tell where the faces of the key frames must be in the frames between."""
    places: list[_Place] = []
    before, first = -1, [] if cuts[0] else list(present)
    for key in sorted(found):
        inside = range(before + 1, key)
        places += _between_keys(inside, first, found[key], before)
        before, first = key, found[key]
    return places


def _between_keys(inside: Iterable[int], first: list[Face], second: list[Face], before: int) -> list[_Place]:
    inside = list(inside)
    pairs = match_faces(first, second)
    # Who is in one key frame only came or went: expected to have stood still, if it was a face beyond doubt.
    alone = [face for a, face in enumerate(first) if a not in pairs]
    alone += [face for b, face in enumerate(second) if b not in pairs.values()]
    places = [_Place(i, face, _STAYED) for i in inside for face in alone if face.score >= _STAYED]
    for a, b in pairs.items():
        least = max(_SURE, _STAYED * min(first[a].score, second[b].score))
        for i in inside:
            part = (i - before) / (len(inside) + 1)
            places.append(_Place(i, between(first[a], second[b], part), least))
    return places


def _has_moved(asked: Face, answer: Face) -> bool:
    shift = np.abs(answer.box - asked.box).max()
    return bool(shift > _MOVED * max(asked.width, 1.0)) and answer.score > _SURE


def _merge(faces: list[Face]) -> list[Face]:
    """Keep one answer of those that mean the same face."""
    if len(faces) < 2:
        return faces
    boxes, scores = np.stack([face.box for face in faces]), np.asarray([face.score for face in faces])
    return [faces[i] for i in suppress(boxes, scores, threshold=_SAME)]
