"""The face of a picture of which nothing is known."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.detector import Face, FaceDetector

_THRESHOLD = 0.8  # less than in a video: who collects pictures as faces most likely shows one


class FaceSearch:
    """Finds the largest face of a picture; loads the detector when the first picture comes."""

    def find(self, image: npt.NDArray[np.uint8]) -> Face | None:
        """Find a picture's largest face.

        Args:
            image: RGB uint8 (H, W, 3).

        Returns:
            The face in px of the picture; None where none is found.

        Raises:
            ModelError: the detector's weights cannot be read.
        """
        return max(self._detector.detect([image])[0], key=lambda face: face.width, default=None)

    @cached_property
    def _detector(self) -> FaceDetector:
        return FaceDetector(threshold=_THRESHOLD)
