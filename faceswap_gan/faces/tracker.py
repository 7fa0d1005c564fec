"""Who is who from frame to frame."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.boxes import iou
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.turned import is_reversed

Image = npt.NDArray[np.uint8]

Look = Callable[[npt.NDArray[np.float32]], list[Face]]
"""Asks the detector about boxes float32 (n, 4) of the present frame: one face each, whose score judges it."""

_LEAST_OVERLAP = 0.25
_LEAST_SCORE = 0.7
_SAME = 0.4  # overlap of two answers about one face
_STEADY = 2  # sightings beyond which a face is no passing pattern
# Change of a thumbnail in parts of its contrast: cuts measured 0.7 and more, quick motion 0.3 at most.
_CUT = 0.5
_THUMB = 16  # px


@dataclass(frozen=True)
class TrackedFace:
    """A face and the number of the track it belongs to."""

    face: Face
    track: int


@dataclass(frozen=True)
class SeenFrame:
    """What was seen in one frame.

    Attributes:
        index: number of the frame in its video.
        pts: presentation time in units of the video's time base.
        seconds: presentation time, s.
        scene: number of the scene, from 0; it rises at every cut.
        faces: the faces and their tracks.
    """

    index: int
    pts: int
    seconds: float
    scene: int
    faces: tuple[TrackedFace, ...] = ()

    @property
    def faces_by_track(self) -> dict[int, Face]:
        """Track number to face."""
        return {tracked.track: tracked.face for tracked in self.faces}


@dataclass(frozen=True)
class _Track:
    number: int
    face: Face
    velocity: npt.NDArray[np.float32]
    hits: int = 1
    missed: int = 0

    @property
    def box(self) -> npt.NDArray[np.float32]:
        """Where the face should be one frame later, xyxy px."""
        return self.face.box + self.velocity


class FaceTracker:
    """Follows faces by overlap, size and landmarks.

    Args:
        patience: frames that a face may be missing before its track ends.
    """

    def __init__(self, *, patience: int = 12) -> None:
        self.patience = patience
        self._tracks: list[_Track] = []
        self._next = 0

    def update(
        self, faces: Sequence[Face], *, cut: bool = False, look: Look | None = None
    ) -> tuple[TrackedFace, ...]:
        """Name the faces of the next frame.

        Args:
            faces: what the detector found.
            cut: the frame shows another scene than the one before: all tracks end.
            look: asked about faces that the detector missed though their track was there a frame ago.

        Returns:
            The faces with their tracks; those that only ``look`` saw are included.
        """
        tracks = [] if cut else self._tracks
        pairs = _match(tracks, faces)
        matched = {i: faces[j] for i, j in pairs.items()}
        matched |= _look_again(tracks, matched, look)
        going = [
            _step(track, matched[i]) if i in matched else replace(track, missed=track.missed + 1)
            for i, track in enumerate(tracks)
        ]
        fresh = [face for j, face in enumerate(faces) if j not in pairs.values()]
        seen = [track for track in going if not track.missed] + [self._start(face) for face in fresh]
        waiting = [track for track in going if 0 < track.missed <= self.patience]
        self._tracks = seen + waiting
        return tuple(TrackedFace(track.face, track.number) for track in seen)

    @property
    def present(self) -> tuple[Face, ...]:
        """The faces of the last frame that have been there for some frames, where they should be in the next."""
        steady = (t for t in self._tracks if not t.missed and t.hits > _STEADY)
        return tuple(replace(t.face, box=t.box, landmarks=t.face.landmarks + t.velocity[:2]) for t in steady)

    @property
    def last_seen(self) -> dict[int, tuple[int, Face]]:
        """For every track that has not ended: the frames since it was seen (0: in the last), and its face then."""
        return {track.number: (track.missed, track.face) for track in self._tracks}

    def state(self) -> dict[str, Any]:
        """Give all that the next frame depends on as plain numbers, for `restore`."""
        tracks = [
            {
                "number": t.number,
                "velocity": t.velocity.astype(float).tolist(),
                "hits": t.hits,
                "missed": t.missed,
                **t.face.to_plain(),
            }
            for t in self._tracks
        ]
        return {"next": self._next, "tracks": tracks}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was asked for.

        Raises:
            KeyError: a part is missing.
            ValueError: a part has another size.
        """
        self._next = int(state["next"])
        self._tracks = [
            _Track(
                int(t["number"]),
                Face.from_plain(t),
                np.asarray(t["velocity"], np.float32).reshape(4),
                int(t["hits"]),
                int(t["missed"]),
            )
            for t in state["tracks"]
        ]

    def _start(self, face: Face) -> _Track:
        self._next += 1
        return _Track(self._next - 1, face, np.zeros(4, np.float32))


class CutFinder:
    """Tells where one scene ends and another begins."""

    def __init__(self) -> None:
        self._last: Image | None = None

    def update(self, image: Image) -> bool:
        """Compare a frame with the one before.

        Args:
            image: RGB uint8 (H, W, 3).

        Returns:
            Whether the two show different scenes; False for the first frame.
        """
        step = max(1, min(image.shape[:2]) // 128)
        small = cv2.resize(image[::step, ::step], (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
        before, self._last = self._last, np.asarray(small, np.uint8)
        if before is None:
            return False
        now, last = (np.asarray(thumb / np.float32(255), np.float32) for thumb in (small, before))
        contrast = (now.std() + last.std()) / 2 + 0.02
        return float(np.mean(np.abs(now - last)) / contrast) > _CUT

    def state(self) -> str:
        """Give the last frame's thumbnail as text, for `restore`."""
        return "" if self._last is None else base64.b64encode(self._last.tobytes()).decode()

    def restore(self, state: str) -> None:
        """Go on where `state` was asked for.

        Raises:
            ValueError: it is no thumbnail.
        """
        data = np.frombuffer(base64.b64decode(state), np.uint8)
        self._last = data.reshape(_THUMB, _THUMB, 3) if state else None


def match_faces(first: Sequence[Face], second: Sequence[Face]) -> dict[int, int]:
    """Pair the faces of two frames by place, size and landmarks, the closest pair first.

    Args:
        first: faces of one frame.
        second: faces of another, not long before or after.

    Returns:
        Index in ``first`` to index in ``second``; who has no partner is left out.
    """
    return _match([_Track(i, face, np.zeros(4, np.float32)) for i, face in enumerate(first)], second)


def is_taken(face: Face, others: Iterable[Face]) -> bool:
    """Tell whether a face lies where one of the others does: whoever was asked about, it is that other's."""
    return any(float(iou(face.box[None], other.box[None])[0, 0]) > _SAME for other in others)


def _step(track: _Track, face: Face) -> _Track:
    # Half of the last motion: enough to follow a quick head, too little to run away.
    share = 0.0 if track.missed else 0.5
    velocity = (share * (face.box - track.face.box)).astype(np.float32)
    return _Track(track.number, face, velocity, track.hits + 1)


def _match(tracks: Sequence[_Track], faces: Sequence[Face]) -> dict[int, int]:
    """Pair tracks with faces, the closest pair first: track index to face index."""
    if not tracks or not faces:
        return {}
    closeness = _closeness(tracks, faces)
    pairs: dict[int, int] = {}
    for flat in np.argsort(-closeness, axis=None):
        i, j = (int(k) for k in np.unravel_index(flat, closeness.shape))
        if closeness[i, j] <= 0:
            break
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _closeness(tracks: Sequence[_Track], faces: Sequence[Face]) -> npt.NDArray[Any]:
    """Score every pair; 0 where size, place or landmarks rule it out."""
    overlap = iou(np.stack([t.box for t in tracks]), np.stack([f.box for f in faces]))
    widths_1 = np.asarray([t.face.width for t in tracks])[:, None]
    widths_2 = np.asarray([f.width for f in faces])[None]
    ratio = widths_1 / np.maximum(widths_2, 1e-6)
    points_1 = np.stack([t.face.landmarks + t.velocity[:2] for t in tracks])[:, None]
    points_2 = np.stack([f.landmarks for f in faces])[None]
    apart = np.linalg.norm(points_1 - points_2, axis=-1).mean(axis=-1) / widths_1
    possible = (overlap > _LEAST_OVERLAP) & (ratio > 0.55) & (ratio < 1.8) & (apart < 0.5)
    return np.asarray(np.where(possible, np.maximum(overlap - apart / 2, 1e-3), 0))


def _look_again(tracks: Sequence[_Track], matched: dict[int, Face], look: Look | None) -> dict[int, Face]:
    """Ask about the tracks that the detector lost in this very frame or a moment ago."""
    lost = [i for i, t in enumerate(tracks) if i not in matched and t.hits > _STEADY]
    if look is None or not lost:
        return {}
    found = look(np.stack([tracks[i].box for i in lost]))
    taken = list(matched.values())
    return {
        i: face
        for i, face in zip(lost, found, strict=True)
        if face.score >= _LEAST_SCORE
        and _closeness([tracks[i]], [face])[0, 0] > 0
        and not is_taken(face, taken)
        and not is_reversed(face, tracks[i].face)
    }
