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
from faceswap_gan.faces.alignment import align
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.kalman import accelerations, mean_by_run, smooth, still_runs
from faceswap_gan.faces.tracker import CutFinder, FaceTracker
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
                self._crop(entry.frame, smoothed[track][i], index, track)
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
        values = np.stack([np.concatenate([faces[i].box, faces[i].landmarks.ravel()]) for i in where])
        seconds = np.asarray([self.seen[i].frame.seconds for i in where])
        scores = np.asarray([faces[i].score for i in where])
        rows = _smooth_rows(seconds, values, scores)
        return {i: _from_row(row, faces[i].score) for i, row in zip(where, rows, strict=True)}

    def _bridge(self, faces: dict[int, Face]) -> dict[int, Face]:
        """Fill the gaps between two sightings of a track, asking the detector about the place between."""
        where = sorted(faces)
        gaps = [(i, a, b) for a, b in zip(where, where[1:], strict=False) for i in range(max(a + 1, self.done), b)]
        between = {i: _between(faces[a], faces[b], (i - a) / (b - a)) for i, a, b in gaps}
        pairs = [(self.seen[i].frame.image, face) for i, face in between.items()]
        asked = dict(zip(between, _refine(self.detector, pairs), strict=True))
        return {i: asked[i] if asked[i].score >= 0.7 else face for i, face in between.items()}

    def _crop(self, frame: Frame, face: Face, index: int, track: int) -> FaceCrop:
        alignment = align(face.landmarks, size=self.size)
        return FaceCrop(
            image=alignment.crop(frame.image),
            frame=frame.index,
            index=index,
            pts=frame.pts,
            track=track,
            face=face,
            alignment=alignment,
        )

    def _forget(self, end: int) -> None:
        """Drop old frames; those that smoothing still needs lose their pictures."""
        while end > _BEHIND:
            self.seen.popleft()
            end -= 1
        for i in range(end):
            entry = self.seen[i]
            if entry.frame.image.size:
                frame = replace(entry.frame, image=np.empty((0, 0, 3), np.uint8))
                self.seen[i] = replace(entry, frame=frame)
        self.done = end


def _refine(detector: FaceDetector, pairs: Sequence[tuple[Image, Face]]) -> list[Face]:
    if not pairs:
        return []
    return detector.refine([image for image, _ in pairs], np.stack([face.box for _, face in pairs]))


def _from_row(row: npt.NDArray[np.float32], score: float) -> Face:
    return Face(row[:4], row[4:].reshape(5, 2), score)


def _between(first: Face, second: Face, part: float) -> Face:
    """Interpolate two faces; its score is 0: nobody saw it."""
    box = first.box * (1 - part) + second.box * part
    landmarks = first.landmarks * (1 - part) + second.landmarks * part
    return Face(box.astype(np.float32), landmarks.astype(np.float32), 0.0)


# Measured on talking heads, in widths of the face: refined landmarks jitter by about half a percent, heads
# rarely accelerate more than this, and pictures that a video shows twice move less than this.
_NOISE = 0.005
_ACCELERATION = 10.0
_STILL = 0.002


def _smooth_rows(
    seconds: npt.NDArray[np.float64], values: npt.NDArray[np.float32], scores: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Smooth rows of box and landmarks, trusting doubtful faces less."""
    width = float(np.median(values[:, 2] - values[:, 0]))
    # A video may show pictures twice; smoothed apart, each would miss its own picture by half a step.
    runs = still_runs(values[:, 4:], tolerance=_STILL * width)
    times, rows, trust = (mean_by_run(x, runs) for x in (seconds[:, None], values, scores[:, None]))
    centre = rows[:, 4:].reshape(len(rows), -1, 2).mean(axis=1)
    # A head that shakes moves all points at once, by far more than noise moves their mean: follow it.
    acceleration = np.maximum(_ACCELERATION * width, 2 * accelerations(times[:, 0], centre))
    noise = _NOISE * width * (1 + 10 * (1 - trust[:, 0]))
    return smooth(times[:, 0], rows, noise=noise, acceleration=acceleration).astype(np.float32)[runs]
