"""Faces of a frame: boxes and five points, by MTCNN.

References:
    Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
    Networks", IEEE Signal Processing Letters 23 (2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import boxes as bx
from faceswap_gan.faces import mtcnn
from faceswap_gan.faces.patches import infer, infer_patches, view_squares
from faceswap_gan.faces.pyramid import CELL, Pyramid, plan_pyramid

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.floating[Any]]

# The weights' publisher samples a square from corner to corner, 47 steps for 48 px, so what we average from edge to
# edge lies a little nearer to the middle. Without this the points of six real clips lay up to 2 % too far apart,
# beside the publisher's own and, in the median of pictures of 15 people, beside the irises of the face mesh.
_SPREAD = 47 / 48

# Views of a square for `FaceDetector.refine`: what is added to x1, y1, x2, y2 in parts of its side.
_VIEWS = np.asarray(
    [
        [0.0, 0.0, 0.0, 0.0],
        [0.06, 0.06, -0.02, -0.02],
        [0.02, 0.02, -0.06, -0.06],
        [-0.02, -0.06, 0.06, 0.02],
        [-0.06, -0.02, 0.02, 0.06],
    ]
)


@dataclass(frozen=True)
class Face:
    """One face of one frame.

    Attributes:
        box: float32 (4,) xyxy px of the frame; may reach over the frame's edge.
        landmarks: float32 (5, 2) px: left eye, right eye, nose, left and right corner of the mouth, where
            left is the picture's left.
        score: the detector's probability in [0, 1]; 0 for a face that only its track knows of.
    """

    box: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    score: float

    @property
    def width(self) -> float:
        """Width of the box, px."""
        return float(self.box[2] - self.box[0])

    def to_plain(self) -> dict[str, Any]:
        """Give the face as numbers that JSON can hold and `from_plain` reads back to the last bit."""
        # The shortest decimal that names a float32: half as long as the float64 of the same value.
        box, landmarks = ([float(str(x)) for x in array.ravel()] for array in (self.box, self.landmarks))
        return {"box": box, "landmarks": landmarks, "score": self.score}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Face:
        """Read what `to_plain` gave.

        Raises:
            KeyError: a part is missing.
            ValueError: a part has another size.
        """
        box, landmarks = (np.asarray(plain[key], np.float32) for key in ("box", "landmarks"))
        return Face(box.reshape(4), landmarks.reshape(5, 2), float(plain["score"]))


@dataclass(frozen=True)
class _Candidates:
    """Boxes on their way through the cascade: which frame, float (n, 4) xyxy px, score (n,)."""

    frame: npt.NDArray[np.intp]
    boxes: FloatArray
    scores: FloatArray

    def keep(self, chosen: npt.NDArray[Any]) -> _Candidates:
        return _Candidates(self.frame[chosen], self.boxes[chosen], self.scores[chosen])

    def suppress(self, threshold: float, *, over: str = "union") -> _Candidates:
        return self.keep(_suppress_by_frame(self, threshold, over))


class FaceDetector:
    """MTCNN over batches of frames.

    Args:
        min_size: side of the smallest face to look for, px; cost falls with its square.
        threshold: least probability of a face that `detect` returns, in [0, 1].

    Raises:
        SettingsError: an argument is out of its range.
        ModelError: the weights cannot be read.
    """

    def __init__(self, *, min_size: int = 40, threshold: float = 0.9) -> None:
        if min_size < CELL:
            raise SettingsError(f"expected --min-face of at least {CELL} px, got {min_size}; give a larger one.")
        if not 0 <= threshold <= 1:
            raise SettingsError(f"threshold must be in [0, 1]. Received: {threshold}.")
        self.min_size = min_size
        self.threshold = threshold
        self._pnet = mtcnn.load_network("pnet")
        self._rnet = mtcnn.load_network("rnet")
        self._onet = mtcnn.load_network("onet")

    def detect(self, images: Sequence[Image], *, min_size: int | None = None) -> list[list[Face]]:
        """Find the faces of every frame.

        Args:
            images: RGB uint8 (H, W, 3) each; frames of one size share one pass of the networks, others get
                their own.
            min_size: side of the smallest face to look for this time, px, smaller or larger than the detector's
                own; None: the detector's own.

        Returns:
            One list a frame, best score first; empty where nothing was found.
        """
        least = self.min_size if min_size is None else min_size
        found: list[list[Face]] = [[] for _ in images]
        shapes = dict.fromkeys(image.shape for image in images)
        for shape in shapes:
            indices = [i for i, image in enumerate(images) if image.shape == shape]
            for i, faces in zip(indices, self._detect([images[i] for i in indices], least), strict=True):
                found[i] = faces
        return found

    def refine(self, images: Sequence[Image], boxes: FloatArray) -> list[Face]:
        """Ask O-Net about one box a frame from several views and average what it says.

        The answers for one view jitter by a percent of the face's width; their mean by half of that. A box
        that holds no face convinces O-Net from few views only.

        Args:
            images: RGB uint8 (H, W, 3) each.
            boxes: float (n, 4) xyxy px, one for each image.

        Returns:
            One face a frame whose score, the mean over the views, may be low: the caller judges it.
        """
        if not len(images):
            return []
        squares = bx.square(np.asarray(boxes, np.float64))
        sides = np.tile(squares[:, 2:] - squares[:, :2], 2)
        views = squares[:, None] + _VIEWS * sides[:, None]
        patches = [view_squares(image, own, 48) for image, own in zip(images, views, strict=True)]
        frame = np.repeat(np.arange(len(images)), len(_VIEWS))
        at, points = self._locate(frame, views.reshape(-1, 4), infer(self._onet, np.concatenate(patches)))
        scores = at.scores.reshape(len(images), -1)
        weights = (scores**2 + 1e-6) / np.sum(scores**2 + 1e-6, axis=1, keepdims=True)
        mean_boxes = np.einsum("nv,nvc->nc", weights, at.boxes.reshape(len(images), -1, 4))
        mean_points = np.einsum("nv,nvpc->npc", weights, points.reshape(len(images), -1, 5, 2))
        return [_face(*row) for row in zip(mean_boxes, mean_points, scores.mean(axis=1), strict=True)]

    def _detect(self, images: list[Image], min_size: int) -> list[list[Face]]:
        height, width = images[0].shape[:2]
        pyramid = plan_pyramid(width, height, min_size=min_size)
        if not pyramid.levels:
            return [[] for _ in images]
        at = self._propose(images, pyramid)
        at = self._judge(images, at)
        at, points = self._finish(images, at)
        sure = np.flatnonzero(at.scores >= self.threshold)
        order = sure[_suppress_by_frame(at.keep(sure), 0.7, "smaller")]
        found: list[list[Face]] = [[] for _ in images]
        for i in order:
            found[at.frame[i]].append(_face(at.boxes[i], points[i], at.scores[i]))
        return found

    def _propose(self, images: Sequence[Image], pyramid: Pyramid) -> _Candidates:
        """P-Net: squares that may hold a face."""
        offsets, face = self._look_everywhere([pyramid.draw(image) for image in images])
        height, width = images[0].shape[:2]
        parts = []
        for level in pyramid.levels:
            rows = slice(level.y // 2, level.y // 2 + (level.height - CELL) // 2 + 1)
            columns = slice(level.x // 2, level.x // 2 + (level.width - CELL) // 2 + 1)
            probability = face[:, rows, columns, 1]
            frame, i, j = np.nonzero(probability > 0.6)
            corner = np.stack([j, i, j, i], axis=1) * 2.0 + [0, 0, CELL, CELL]
            ratio = np.asarray([width / level.width, height / level.height] * 2)
            moved = (corner + offsets[:, rows, columns][frame, i, j] * CELL) * ratio
            parts.append(_Candidates(frame, moved, probability[frame, i, j]).suppress(0.5))
        return _concatenate(parts).suppress(0.7)

    def _look_everywhere(self, canvases: Sequence[Image]) -> list[npt.NDArray[np.float32]]:
        """Run P-Net over one canvas after another: more at once take longer and compile anew for each number."""
        parts = [mtcnn.infer(self._pnet, canvas[None]) for canvas in canvases]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _judge(self, images: Sequence[Image], at: _Candidates) -> _Candidates:
        """R-Net: fewer and better squares."""
        if not len(at.frame):
            return at
        squares = np.rint(bx.square(at.boxes))
        offsets, face = infer_patches(self._rnet, images, at.frame, squares, 24)
        kept = np.flatnonzero(face[:, 1] > 0.7)
        judged = _Candidates(at.frame, _move(squares, offsets), face[:, 1]).keep(kept)
        return judged.suppress(0.7)

    def _finish(self, images: Sequence[Image], at: _Candidates) -> tuple[_Candidates, FloatArray]:
        """O-Net: final boxes, and points float (n, 5, 2) px."""
        if not len(at.frame):
            return at, np.empty((0, 5, 2))
        squares = np.rint(bx.square(at.boxes))
        return self._locate(at.frame, squares, infer_patches(self._onet, images, at.frame, squares, 48))

    @staticmethod
    def _locate(
        frame: npt.NDArray[np.intp], squares: FloatArray, answers: Sequence[npt.NDArray[np.float32]]
    ) -> tuple[_Candidates, FloatArray]:
        """Bring what O-Net says of squares back to the frame."""
        offsets, points, face = answers
        sides = squares[:, None, 2:] - squares[:, None, :2]
        # The published weights count pixels from 1, as MATLAB does.
        located = points.reshape(-1, 2, 5).transpose(0, 2, 1) * (sides + 1) + squares[:, None, :2] - 1
        centres = (squares[:, None, :2] + squares[:, None, 2:]) / 2
        located = centres + (located - centres) * _SPREAD
        return _Candidates(frame, _move(squares, offsets), face[:, 1]), located


def _face(box: FloatArray, points: FloatArray, score: float) -> Face:
    return Face(box.astype(np.float32), points.astype(np.float32), float(score))


def _move(squares: FloatArray, offsets: FloatArray) -> FloatArray:
    sides = squares[:, 2:] - squares[:, :2] + 1
    return np.asarray(squares + offsets * np.tile(sides, 2))


def _concatenate(parts: list[_Candidates]) -> _Candidates:
    return _Candidates(
        np.concatenate([p.frame for p in parts]),
        np.concatenate([p.boxes for p in parts]),
        np.concatenate([p.scores for p in parts]),
    )


def _suppress_by_frame(at: _Candidates, threshold: float, over: str) -> npt.NDArray[np.intp]:
    kept = [np.empty(0, np.intp)]
    for frame in np.unique(at.frame):
        mine = np.flatnonzero(at.frame == frame)
        kept.append(mine[bx.suppress(at.boxes[mine], at.scores[mine], threshold=threshold, over=over)])
    return np.concatenate(kept)
