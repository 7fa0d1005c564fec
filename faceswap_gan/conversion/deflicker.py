"""Painted faces averaged with those of the frames beside them, so that they tremble less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.finder import FoundFrame

Floats = npt.NDArray[np.float32]

_ANOTHER = 12.0
"""Mean difference of two painted crops, in levels, from which they show different moments, as behind a cut.

On two real pairs neighbours differed by up to 8.1, one person's crops 40 frames apart by 14.8 to 28.
"""


class PaintedFace(NamedTuple):
    """What the network makes of a crop.

    Attributes:
        crop: float32 (S, S, 3) in [0, 255].
        rgb: what is painted over it, like the crop; the network may leave the range a little.
        mask: how much of it shows, float32 (S, S) in [0, 1].
    """

    crop: Floats
    rgb: Floats
    mask: Floats


@dataclass(frozen=True)
class PaintedFrame:
    """A frame and what the network made of its faces.

    Attributes:
        found: the frame with its aligned crops.
        faces: in the order of these.
    """

    found: FoundFrame
    faces: tuple[PaintedFace, ...]


class Deflicker:
    """Averages each painted face with the same person's in the frame before and in the one after.

    Networks answer two crops that hardly differ with faces that differ a little in shape. In aligned crops a face
    stands still but for its expression, so that the mean of three keeps it sharp. Neighbours count by a Gaussian of
    their distance in time, hence less in a slow video, and as far as they are painted; those that look unlike, or are
    gone, not at all.

    Args:
        seconds: deviation of the Gaussian, s; 0 leaves faces as they are.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._before: PaintedFrame | None = None
        self._held: PaintedFrame | None = None

    def feed(self, frames: Sequence[PaintedFrame], *, last: bool) -> list[PaintedFrame]:
        """Take in the next frames, give out those whose neighbours are known.

        Args:
            frames: that follow those of the call before.
            last: nothing follows: all are given out, none is held back, and the next call starts anew.

        Returns:
            What came in, later by one frame; at once where faces are left as they are.
        """
        if not self._seconds:
            return list(frames)
        run = [*([] if self._held is None else [self._held]), *frames]
        ready = len(run) if last else max(0, len(run) - 1)
        around = [self._before, *run, None]
        done = [self._average(run[i], (around[i], around[i + 2])) for i in range(ready)]
        self._before = None if last else around[ready]
        self._held = None if ready == len(run) else run[ready]
        return done

    def _average(self, now: PaintedFrame, beside: Sequence[PaintedFrame | None]) -> PaintedFrame:
        neighbours = [(self._weight(now, other), _by_track(other)) for other in beside if other is not None]
        faces = []
        for crop, face in zip(now.found.faces, now.faces, strict=True):
            total, whole = face.rgb, np.ones((*face.mask.shape, 1), np.float32)
            for weight, others in neighbours:
                other = others.get(crop.track)
                if other is not None and float(np.abs(other.rgb - face.rgb).mean()) < _ANOTHER:
                    # Where it is not painted, behind a hand, say, its colours are anything.
                    counts = np.float32(weight) * other.mask[..., None]
                    total, whole = total + counts * other.rgb, whole + counts
            faces.append(face._replace(rgb=np.asarray(total / whole, np.float32)))
        return replace(now, faces=tuple(faces))

    def _weight(self, now: PaintedFrame, other: PaintedFrame) -> float:
        apart = (other.found.frame.seconds - now.found.frame.seconds) / self._seconds
        return math.exp(-apart * apart / 2)  # a power would overflow


def _by_track(painted: PaintedFrame) -> dict[int, PaintedFace]:
    """The faces of those whom the tracker follows."""
    pairs = zip(painted.found.faces, painted.faces, strict=True)
    return {crop.track: face for crop, face in pairs if crop.track >= 0}
