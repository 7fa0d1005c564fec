"""The face of a picture of which nothing is known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.landmarks import LEAST_SCORES, LandmarkProvider, find_landmark_weights
from faceswap_gan.faces.mesh_detector import MeshDetector

_THRESHOLD = 0.8  # less than in a video: who collects pictures as faces most likely shows one


class FaceSearch:
    """Finds the largest face of a picture; loads a detector when the first picture needs it.

    Where MTCNN finds nothing the mesh's own detector looks, if the landmarks are the mesh's: it sees some turned and
    masked faces that MTCNN misses. It sees some in hands too, so the mesh itself must agree.

    Args:
        landmarks: finds the face's points afterwards.
        weights: as `landmarks.open_landmarks`.
    """

    def __init__(self, landmarks: LandmarkProvider, *, weights: Path | None = None) -> None:
        self._landmarks, self._weights = landmarks, weights

    def find(self, image: npt.NDArray[np.uint8]) -> Face | None:
        """Find a picture's largest face.

        Args:
            image: RGB uint8 (H, W, 3).

        Returns:
            The face in px of the picture; None where none is found.

        Raises:
            ModelError: the detector's weights cannot be read.
            WeightsError: the mesh's weights are missing or damaged.
        """
        found = self._detector.detect([image])[0]
        if not found and self._landmarks.name == "mesh":
            least = LEAST_SCORES["mesh"]
            seen = self._mesh_detector.detect(image)
            found = [face for face in seen if self._landmarks.find(image, face).score >= least]
        return max(found, key=lambda face: face.width, default=None)

    @cached_property
    def _detector(self) -> FaceDetector:
        return FaceDetector(threshold=_THRESHOLD)

    @cached_property
    def _mesh_detector(self) -> MeshDetector:
        return MeshDetector(find_landmark_weights("mesh", self._weights))
