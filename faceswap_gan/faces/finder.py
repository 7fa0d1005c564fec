"""Faces of a video: frames in, frames with their aligned crops out."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.cutting import cut
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.smoothing import between, smooth_track
from faceswap_gan.faces.tracker import CutFinder, FaceTracker, is_taken
from faceswap_gan.media.video import Frame

Image = npt.NDArray[np.uint8]

AHEAD = 12
"""Frames known beyond the one that is handed out: what smoothing and the choice of the person rest on."""

_BEHIND = 12
_LEAST_SCORE = 0.5
_LEAST_HITS = 3


@dataclass(frozen=True)
class FoundFrame:
    """A frame and the crops of the people followed in it.

    Attributes:
        frame: as it was read.
        faces: at most ``max_faces`` crops; a person keeps the same ``index`` as long as the track lasts.
    """

    frame: Frame
    faces: tuple[FaceCrop, ...]


def find_faces(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    size: int = 256,
    max_faces: int = 1,
    batch: int = 8,
) -> Iterator[FoundFrame]:
    """Detect, follow, smooth and align the faces of a video.

    The track decides who the person is: who has been seen longest, surest and largest is kept until lost,
    so a hand that looks like a larger face for a moment changes nothing. Box and landmarks are smoothed with
    look-ahead, and short gaps in a track are bridged (see `Face.score`). Memory is bounded: at most
    ``AHEAD`` + ``batch`` frames are held.

    Args:
        frames: of one video, in order.
        detector: finds the faces of a frame.
        size: side of the crops, px.
        max_faces: how many people to follow at once.
        batch: frames to detect at once.

    Yields:
        Every frame, in order, with its crops.

    Raises:
        SettingsError: ``max_faces`` or ``batch`` is not positive.
    """
    if max_faces < 1 or batch < 1:
        raise SettingsError(
            f"max_faces and batch must be at least 1. Received: max_faces={max_faces}, batch={batch}."
        )
    watcher = _Watcher(detector)
    window = _Window(detector, size=size, max_faces=max_faces)
    source = iter(frames)
    while chunk := list(islice(source, batch)):
        window.extend(watcher.look(chunk))
        yield from window.release(AHEAD)
    yield from window.release(0)


@dataclass(frozen=True)
class _Seen:
    """A frame, the number of its scene, and its faces by track."""

    frame: Frame
    scene: int
    faces: dict[int, Face]


class _Watcher:
    """Detects and names the faces of frame after frame."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._tracker = FaceTracker()
        self._cuts = CutFinder()
        self._scene = 0

    def look(self, frames: Sequence[Frame]) -> Iterator[_Seen]:
        """Find the faces of consecutive frames."""
        found = self._detector.detect([frame.image for frame in frames])
        pairs = [(frame.image, face) for frame, faces in zip(frames, found, strict=True) for face in faces]
        better = iter(_refine(self._detector, pairs))
        for frame, faces in zip(frames, found, strict=True):
            sure = [face for face in islice(better, len(faces)) if face.score >= _LEAST_SCORE]
            cut = self._cuts.update(frame.image)
            self._scene += cut
            tracked = self._tracker.update(sure, cut=cut, look=partial(self._ask, frame.image))
            yield _Seen(frame, self._scene, {t.track: t.face for t in tracked})

    def _ask(self, image: Image, boxes: npt.NDArray[np.float32]) -> list[Face]:
        return self._detector.refine([image] * len(boxes), boxes)


@dataclass
class _Window:
    """The frames under consideration: some handed out already, some not yet."""

    detector: FaceDetector
    size: int
    max_faces: int
    seen: deque[_Seen] = field(default_factory=deque)
    done: int = 0
    strength: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    hits: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    scene_length: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    held: list[int | None] = field(default_factory=list)

    def extend(self, seen: Iterable[_Seen]) -> None:
        """Take in the newest frames."""
        for entry in seen:
            self.seen.append(entry)
            self.scene_length[entry.scene] += 1
            for track, face in entry.faces.items():
                self.hits[track] += 1
                self.strength[track] += face.score**4 * face.width**0.5

    def release(self, keep: int) -> Iterator[FoundFrame]:
        """Hand out all frames but the newest ``keep``."""
        end = len(self.seen) - keep
        if end <= self.done:
            return
        chosen = [self._choose(i) for i in range(self.done, end)]
        tracks = {track for people in chosen for track in people if track is not None}
        smoothed = {track: self._smooth(track) for track in tracks}
        for i, people in zip(range(self.done, end), chosen, strict=True):
            entry = self.seen[i]
            crops = [
                cut(entry.frame, smoothed[track][i], index, track, size=self.size)
                for index, track in enumerate(people)
                if track is not None and i in smoothed[track]
            ]
            yield FoundFrame(entry.frame, tuple(crops))
        self._forget(end)

    def _choose(self, i: int) -> list[int | None]:
        """Decide whom to follow in one frame: those held before, then the strongest."""
        scene = self.seen[i].scene
        alive = {t for entry in islice(self.seen, i, None) if entry.scene == scene for t in entry.faces}
        self.held = [t if t in alive else None for t in self.held] or [None] * self.max_faces
        here = [t for t in self.seen[i].faces if t not in self.held and self._is_steady(t, scene)]
        for track in sorted(here, key=lambda t: -self.strength[t]):
            if None in self.held:
                self.held[self.held.index(None)] = track
        return list(self.held)

    def _is_steady(self, track: int, scene: int) -> bool:
        """Tell a face from a passing pattern: it lasts, unless its scene doesn't either."""
        return self.hits[track] >= min(_LEAST_HITS, (self.scene_length[scene] + 1) // 2)

    def _smooth(self, track: int) -> dict[int, Face]:
        """Smooth a track over the whole window: position in the window to face."""
        faces = {i: entry.faces[track] for i, entry in enumerate(self.seen) if track in entry.faces}
        faces |= self._bridge(faces)
        where = sorted(faces)
        seconds = np.asarray([self.seen[i].frame.seconds for i in where])
        return smooth_track({i: faces[i] for i in where}, seconds)

    def _bridge(self, faces: dict[int, Face]) -> dict[int, Face]:
        """Fill the gaps between two sightings of a track, asking the detector about the place between."""
        where = sorted(faces)
        gaps = [(i, a, b) for a, b in zip(where, where[1:], strict=False) for i in range(max(a + 1, self.done), b)]
        middle = {i: between(faces[a], faces[b], (i - a) / (b - a)) for i, a, b in gaps}
        pairs = [(self.seen[i].frame.image, face) for i, face in middle.items()]
        asked = dict(zip(middle, _refine(self.detector, pairs), strict=True))
        return {i: asked[i] if self._is_own(asked[i], i) else face for i, face in middle.items()}

    def _is_own(self, face: Face, i: int) -> bool:
        """Tell whether an answer about a gap is a face, and not that of a head which hides who was asked about."""
        return face.score >= 0.7 and not is_taken(face, self.seen[i].faces.values())

    def _forget(self, end: int) -> None:
        """Drop old frames; those that smoothing still needs lose their pictures."""
        while end > _BEHIND:
            self.seen.popleft()
            end -= 1
        for i in range(end):
            entry = self.seen[i]
            if entry.frame.image.size:
                frame = replace(entry.frame, image=np.empty((0, 0, 3), np.uint8), stored=None)
                self.seen[i] = replace(entry, frame=frame)
        self.done = end


def _refine(detector: FaceDetector, pairs: Sequence[tuple[Image, Face]]) -> list[Face]:
    if not pairs:
        return []
    return detector.refine([image for image, _ in pairs], np.stack([face.box for _, face in pairs]))
