"""Frames to the face meshes in them: followed like every face here, and smoothed over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.finder import FoundFrame, find_faces
from faceswap_gan.faces.kalman import mean_by_run, smooth, still_runs
from faceswap_gan.faces.landmarks import LEAST_SCORES, LandmarkProvider, Landmarks
from faceswap_gan.faces.topology import LEFT_EYE, LEFT_IRIS, LIPS_INNER, LIPS_OUTER, POINTS, RIGHT_EYE, RIGHT_IRIS
from faceswap_gan.faces.tracker import CutFinder
from faceswap_gan.media.video import Frame

AHEAD = 8
"""Frames known beyond the one that is handed out."""

_BEHIND = 8
_CHUNK = 8
_IN_A_ROW = 3

# Measured on talking heads, in widths of the face: how far the mesh jitters where the head is still, and how
# hard heads, and lids and lips, are accelerated.
_NOISE = 0.0025
_ACCELERATION = 10.0
_QUICK_ACCELERATION = 60.0
_STILL = 0.0015
_QUICK = np.asarray(sorted({*LEFT_EYE, *RIGHT_EYE, *LIPS_INNER, *LIPS_OUTER, *LEFT_IRIS, *RIGHT_IRIS}), np.intp)


@dataclass(frozen=True)
class MeshFrame:
    """A frame and the meshes of the people followed in it.

    Attributes:
        frame: as it was read.
        meshes: 478 points each, by the number of the person's track.
    """

    frame: Frame
    meshes: dict[int, Landmarks]


class SparseDetector(FaceDetector):
    """Looks for faces in some frames only; the tracker asks about the others, which is far cheaper.

    It looks at one frame of ``every``; at three in a row, which is what the tracker takes for a face, at the
    start, after a cut and where the number of faces changes; and at all as long as it finds nothing.

    Args:
        every: frames from one search to the next.
        min_size: as `FaceDetector`.
        threshold: as `FaceDetector`.

    Raises:
        SettingsError: an argument is out of its range.
    """

    def __init__(self, *, every: int = 8, min_size: int = 40, threshold: float = 0.9) -> None:
        if every < 1:
            raise SettingsError(f"every must be at least 1. Received: {every}.")
        super().__init__(min_size=min_size, threshold=threshold)
        self._every = every
        self._wait = 0  # frames to let pass
        self._owed = 0  # frames to look at without a pause
        self._count = 0
        self._cuts = CutFinder()

    def detect(self, images: Sequence[npt.NDArray[np.uint8]], *, min_size: int | None = None) -> list[list[Face]]:
        """Find the faces of consecutive frames: empty lists where it did not look."""
        return [self._detect_next(image, min_size) for image in images]

    def _detect_next(self, image: npt.NDArray[np.uint8], min_size: int | None) -> list[Face]:
        if self._cuts.update(image):
            self._wait, self._count = 0, 0
        if self._wait:
            self._wait -= 1
            return []
        found = super().detect([image], min_size=min_size)[0]
        self._owed = _IN_A_ROW - 1 if len(found) != self._count else max(self._owed - 1, 0)
        self._count = len(found)
        self._wait = self._every - 1 if found and not self._owed else 0
        return found


def follow_meshes(
    frames: Iterable[Frame], provider: LandmarkProvider, detector: FaceDetector, *, max_faces: int = 1
) -> Iterator[MeshFrame]:
    """Find and smooth the meshes of the people in a video.

    Who is followed, and through which gaps, is decided as the video goes by, see `find_faces`: whoever was taken
    first is kept until lost. Points, depths and blendshapes are smoothed with look-ahead; lids, lips and irises less
    than the rest. Memory is bounded.

    Args:
        frames: of one video, in order.
        provider: gives 478 points a face.
        detector: finds the faces.
        max_faces: how many people to follow at once.

    Yields:
        Every frame, in order; without meshes where nobody was found.

    Raises:
        SettingsError: the provider gives other landmarks than a mesh.
    """
    window: deque[MeshFrame] = deque()
    done = 0
    for found in find_faces(frames, detector, max_faces=max_faces):
        window.append(MeshFrame(found.frame, dict(_meshes(found, provider))))
        if len(window) - done >= AHEAD + _CHUNK:
            yield from _smoothed(window, done, len(window) - AHEAD)
            done = _forget(window, len(window) - AHEAD)
    yield from _smoothed(window, done, len(window))


def _meshes(found: FoundFrame, provider: LandmarkProvider) -> Iterator[tuple[int, Landmarks]]:
    for crop in found.faces:
        if crop.face is None:
            continue
        mesh = provider.find(found.frame.image, crop.face)
        if len(mesh.points) != POINTS:
            raise SettingsError(f"expected {POINTS} landmarks a face, got {len(mesh.points)}; use --landmarks mesh.")
        if mesh.score >= LEAST_SCORES["mesh"]:
            yield crop.track, mesh


def _smoothed(window: deque[MeshFrame], start: int, end: int) -> Iterator[MeshFrame]:
    """Hand out the frames from ``start`` to ``end``, each track smoothed over the whole window."""
    entries = list(window)
    tracks = {track for entry in entries[start:end] for track in entry.meshes}
    smoothed = {track: _smooth(entries, track) for track in tracks}
    for i in range(start, end):
        yield replace(entries[i], meshes={track: smoothed[track][i] for track in entries[i].meshes})


def _forget(window: deque[MeshFrame], done: int) -> int:
    """Drop old frames, and the pictures of those that smoothing still needs; returns how many those are."""
    while done > _BEHIND:
        window.popleft()
        done -= 1
    for i in range(done):
        frame = replace(window[i].frame, image=np.empty((0, 0, 3), np.uint8), stored=None)
        window[i] = replace(window[i], frame=frame)
    return done


def _smooth(entries: Sequence[MeshFrame], track: int) -> dict[int, Landmarks]:
    where = [i for i, entry in enumerate(entries) if track in entry.meshes]
    meshes = [entries[i].meshes[track] for i in where]
    seconds = np.asarray([entries[i].frame.seconds for i in where])
    solid = np.stack([_solid(mesh) for mesh in meshes]).astype(np.float64)
    width = float(np.median(np.ptp(solid[:, :, 0], axis=1)))
    # A video may show pictures twice; smoothed apart, each would miss its own picture by half a step.
    runs = still_runs(solid[:, :, :2].reshape(len(where), -1), tolerance=_STILL * width)
    times = mean_by_run(seconds[:, None], runs)[:, 0]
    points = _smooth_rows(times, mean_by_run(solid.reshape(len(where), -1), runs), width, _ACCELERATION)
    quick = mean_by_run(solid[:, _QUICK].reshape(len(where), -1), runs)
    result = points.reshape(len(points), POINTS, 3)
    result[:, _QUICK] = _smooth_rows(times, quick, width, _QUICK_ACCELERATION).reshape(len(points), -1, 3)
    rows = result[runs].astype(np.float32)
    return {
        i: replace(mesh, points=row[:, :2], depth=None if mesh.depth is None else row[:, 2])
        for i, mesh, row in zip(where, meshes, rows, strict=True)
    }


def _solid(mesh: Landmarks) -> npt.NDArray[np.float32]:
    depth = np.zeros(len(mesh.points), np.float32) if mesh.depth is None else mesh.depth
    return np.concatenate([mesh.points, depth[:, None]], axis=1)


def _smooth_rows(
    seconds: npt.NDArray[np.float64], rows: npt.NDArray[np.float64], width: float, acceleration: float
) -> npt.NDArray[np.float64]:
    noise, push = (np.full(len(rows), value * width) for value in (_NOISE, acceleration))
    return smooth(seconds, rows, noise=noise, acceleration=push)
