"""What one video's frames were measured to be: one row a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.metrics.appearance import RINGS

_POINTS, _BLENDSHAPES = 478, 52
_SHAPES: dict[str, tuple[int, ...]] = {
    "landmarks": (5, 2),
    "matrices": (2, 3),
    "points": (_POINTS, 2),
    "rotations": (3, 3),
    "blendshapes": (_BLENDSHAPES,),
    "outside": (),
    "colours": (3,),
    "sharpness": (),
    "edges": (len(RINGS),),
    "psnr": (),
    "ssim": (),
}
_EXACT = ("matrices", "rotations", "outside", "colours", "sharpness", "edges", "psnr", "ssim")


@dataclass(frozen=True)
class Measured:
    """Measurements of a video's frames; NaN wherever there is nothing to measure.

    Attributes:
        frames: int64 (n,), number of the footage's frame that each row belongs to, ascending.
        seconds: float64 (n,), presentation time of the footage's frame.
        shown: bool (n,), whether the video has a frame there at all.
        found: bool (n,), whether both detector and mesh see a face in it.
        landmarks: float32 (n, 5, 2) px, the detector's, smoothed.
        matrices: float64 (n, 2, 3), from the frame to the aligned crop of the face.
        points: float32 (n, 478, 2) px, the mesh, not smoothed.
        rotations: float64 (n, 3, 3), of the head.
        blendshapes: float32 (n, 52) in [0, 1].
        embeddings: float32 (n, D), of length 1.
        outside: float64 (n,), grey levels changed outside the footage's face.
        colours: float64 (n, 3), mean CIELAB colour inside it.
        sharpness: float64 (n,), inside it, grey levels.
        edges: float64 (n, rings), change of luma across rings about its edge, grey levels per px.
        psnr: float64 (n,) dB, inside it, against the truth where that is known.
        ssim: float64 (n,), the same.
    """

    frames: NDArray[np.int64]
    seconds: NDArray[np.float64]
    shown: NDArray[np.bool_]
    found: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    matrices: NDArray[np.float64]
    points: NDArray[np.float32]
    rotations: NDArray[np.float64]
    blendshapes: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    outside: NDArray[np.float64]
    colours: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    edges: NDArray[np.float64]
    psnr: NDArray[np.float64]
    ssim: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)

    def take(self, frames: NDArray[np.int64]) -> Measured:
        """Pick the rows of some of the footage's frames, all of which must be here."""
        rows = np.searchsorted(self.frames, frames)
        return Measured(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Row:
    """One frame on its way into `Measured`.

    Attributes:
        frame: number of the footage's frame.
        seconds: when it is shown.
        shown: whether the video has a frame there.
        found: whether it shows a face.
        values: by field of `Measured`; what is missing becomes NaN.
    """

    frame: int
    seconds: float
    shown: bool
    found: bool
    values: Mapping[str, Any]


def stack_rows(rows: Sequence[Row], *, width: int) -> Measured:
    """Stack frames.

    Args:
        rows: in order.
        width: length of an embedding.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, shape in (_SHAPES | {"embeddings": (width,)}).items():
        array = np.full((len(rows), *shape), np.nan, np.float64 if name in _EXACT else np.float32)
        for i, row in enumerate(rows):
            if name in row.values:
                array[i] = row.values[name]
        arrays[name] = array
    return Measured(
        frames=np.asarray([row.frame for row in rows], np.int64),
        seconds=np.asarray([row.seconds for row in rows], np.float64),
        shown=np.asarray([row.shown for row in rows], np.bool_),
        found=np.asarray([row.found for row in rows], np.bool_),
        **arrays,
    )
