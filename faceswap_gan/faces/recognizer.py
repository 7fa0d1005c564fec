"""A face recogniser in OpenCV's dnn: crops in, embeddings out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import ModelError
from faceswap_gan.faces.alignment import ARCFACE, umeyama

SIDE = 112
"""Side of the crops, px."""


def recognition_crop(image: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Cut a face out as ArcFace's recognisers want it.

    Args:
        image: RGB frame, uint8 (H, W, 3).
        landmarks: eyes, nose and corners of the mouth, (5, 2) frame px.

    Returns:
        RGB uint8 (112, 112, 3); outside the frame its border is repeated.

    References:
        Deng et al., "ArcFace: additive angular margin loss for deep face recognition" (2019), section 3.1.
    """
    matrix = umeyama(landmarks.astype(np.float64), ARCFACE)
    crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


class Recognizer:
    """A recogniser read from an ONNX file.

    Args:
        path: network from RGB (N, 3, 112, 112), 0 to 255, to an embedding (N, D); it normalises the colours itself.

    Raises:
        ModelError: the file cannot be read, or is no such network.
    """

    def __init__(self, path: Path) -> None:
        try:
            data = path.read_bytes()
            self._net: Any = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
            self.path, self.sha256 = path, hashlib.sha256(data).hexdigest()
            width = self.embed(np.zeros((SIDE, SIDE, 3), np.uint8)).shape
        except (OSError, cv2.error) as error:
            line = str(error).strip().split("\n")[0]
            raise ModelError(
                f"expected a recogniser in ONNX for 112 x 112 px RGB crops, got {path} ({line}); give another."
            ) from error
        if len(width) != 1:
            raise ModelError(f"expected a recogniser that gives a vector a face, got {width} from {path}.")

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one face.

        Args:
            crop: RGB uint8 (112, 112, 3) as `recognition_crop` cuts it.

        Returns:
            float32 (D,) of length 1.
        """
        self._net.setInput(cv2.dnn.blobFromImage(crop, 1.0, (SIDE, SIDE), swapRB=False))
        row = np.asarray(self._net.forward()[0], np.float32).copy()
        return np.asarray(row / max(float(np.linalg.norm(row)), 1e-12), np.float32)
