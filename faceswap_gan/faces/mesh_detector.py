"""Faces of a picture by the mesh's own detector, BlazeFace: quick, and it finds some that MTCNN misses.

References:
    Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", CVPR workshop on Computer
    Vision for Augmented and Virtual Reality (2019).
    MediaPipe, ``face_detector_graph.cc``: strides and anchors, letterbox, weighted non-maximum suppression.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import boxes as bx
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.litert import LiteNetwork

Array = npt.NDArray[np.float64]

_SIDE = 128  # of the network's picture, px
_GRIDS = ((16, 2), (8, 6))  # cells along a side, anchors in each cell
_OVERLAP = 0.3  # IoU above which two boxes are one face
# The network's box is square and tight; MTCNN's reaches from the hair line to the chin.
_HEIGHT, _WIDTH, _RISE = 1.2, 0.9, 0.129  # of the other box, and how much higher its centre lies, in its sides
# Where the mouth's corners lie beside and above its middle, which the network gives, in inter-ocular distances.
_MOUTH = (0.44, 0.05)


class MeshDetector:
    """BlazeFace, short range: faces that fill at least a tenth or so of the picture's longer side.

    Args:
        bundle: MediaPipe's ``face_landmarker.task``.
        threshold: least probability of a face that `detect` returns, in [0, 1].
        threads: CPU threads of one call.

    Raises:
        WeightsError: the bundle is missing or damaged.
        SettingsError: an argument is out of its range, or the ``ai-edge-litert`` package is not installed.
    """

    def __init__(self, bundle: Path, *, threshold: float = 0.5, threads: int = 1) -> None:
        if not 0 <= threshold <= 1:
            raise SettingsError(f"threshold must be in [0, 1]. Received: {threshold}.")
        self.threshold = threshold
        self._network = LiteNetwork(bundle, "face_detector.tflite", threads=threads)
        self._anchors = build_anchors()

    def detect(self, image: npt.NDArray[np.uint8]) -> list[Face]:
        """Find the faces of one picture.

        Args:
            image: RGB uint8 (H, W, 3).

        Returns:
            Faces, best score first. The box is stretched to what MTCNN's would be, and the mouth's corners are
            guessed from its middle: good enough to start `mesh.MeshLandmarker.find` from.
        """
        picture, scale, corner = _letterbox(image)
        raw, logits = self._network.run(picture[None])
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1).astype(np.float64), -100, 100)))
        sure = scores >= self.threshold
        table = raw[0][sure].astype(np.float64).reshape(-1, 8, 2)  # centre, size, six points
        table[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[sure][:, None] * _SIDE
        faces = _merge(table, scores[sure])
        return [_face((table - corner) / scale, size / scale, score) for table, size, score in faces]


def build_anchors() -> Array:
    """List the middles of the network's cells, once for each anchor.

    Returns:
        float64 (896, 2) x and y in parts of the picture's side; rows of cells from the top.
    """
    parts = []
    for cells, anchors in _GRIDS:
        middles = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middles, middles, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), anchors, axis=0))
    return np.concatenate(parts)


def _letterbox(image: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], float, Array]:
    """Fit a picture into the network's: float32 (128, 128, 3) in [-1, 1], its scale and its top left corner."""
    height, width = image.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, size, interpolation=method)
    left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
    picture = np.full((_SIDE, _SIDE, 3), -1, np.float32)
    picture[top : top + size[1], left : left + size[0]] = small.astype(np.float32) / 127.5 - 1
    return picture, scale, np.asarray([left, top], np.float64)


def _merge(table: Array, scores: Array) -> list[tuple[Array, Array, float]]:
    """Average the rows that overlap the best ones, weighted by score.

    Args:
        table: float (n, 8, 2): centre, size, six points.
        scores: float (n,).

    Returns:
        For each face its centre and six points (7, 2), its size (2,), and the best score.
    """
    boxes = np.concatenate([table[:, 0] - table[:, 1] / 2, table[:, 0] + table[:, 1] / 2], axis=1)
    faces: list[tuple[Array, Array, float]] = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        near = bx.iou(boxes[left[:1]], boxes[left])[0] > _OVERLAP
        near[0] = True
        mean = np.average(table[left[near]], axis=0, weights=scores[left[near]])
        faces.append((mean[[0, 2, 3, 4, 5, 6, 7]], mean[1], float(scores[left[0]])))
        left = left[~near]
    return faces


def _face(points: Array, size: Any, score: float) -> Face:
    """Describe a face as MTCNN would: points float (7, 2), centre, eyes, nose, mouth's middle, ears; px corners."""
    centre, left, right, nose, mouth = points[:5] - 0.5  # our points name pixel centres
    across = right - left
    upwards = np.asarray([across[1], -across[0]])
    side = float(np.max(size))
    middle = centre + _RISE * side * upwards / max(float(np.hypot(*across)), 1e-6)
    half = np.asarray([_WIDTH, _HEIGHT]) * side / 2
    lips, half_mouth = mouth + _MOUTH[1] * upwards, _MOUTH[0] * across
    five = np.stack([left, right, nose, lips - half_mouth, lips + half_mouth])
    return Face(np.concatenate([middle - half, middle + half]).astype(np.float32), five.astype(np.float32), score)
