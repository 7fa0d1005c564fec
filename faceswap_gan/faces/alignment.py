"""Similarity transform between a frame and its face crop.

A point (x, y) names the centre of pixel column x, row y, as in OpenCV's warps; the crop's left edge is -0.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError

if TYPE_CHECKING:
    from faceswap_gan.faces.detector import Face

Array = npt.NDArray[Any]

EYE_DISTANCE = 0.28
"""Distance between the eyes in parts of the crop's side: leaves room for chin and forehead."""

EYE_CENTRE = (0.5, 0.42)
"""Where the middle between the eyes lies, in parts of the crop's side."""

ARCFACE = np.asarray(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Five points of the 112 px crops on which ArcFace recognisers are trained (Deng et al., 2019)."""


@dataclass(frozen=True)
class Alignment:
    """Where a crop lies in its frame.

    Attributes:
        matrix: float64 (2, 3), maps frame px to crop px: ``matrix @ (x, y, 1)``.
        size: side of the crop, px.
    """

    matrix: npt.NDArray[np.float64]
    size: int

    @property
    def scale(self) -> float:
        """Crop px for one px of the frame."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def inverse(self) -> npt.NDArray[np.float64]:
        """The matrix from crop px to frame px, float64 (2, 3)."""
        linear = np.linalg.inv(self.matrix[:, :2])
        return np.concatenate([linear, -linear @ self.matrix[:, 2:]], axis=1)

    def points(self, xy: Array) -> Array:
        """Map points of the frame into the crop.

        Args:
            xy: float (n, 2) frame px.

        Returns:
            float64 (n, 2) crop px.
        """
        return np.asarray(xy @ self.matrix[:, :2].T + self.matrix[:, 2])

    def face(self, face: Face) -> Face:
        """Describe a face of the frame in the crop.

        Args:
            face: box and points in frame px.

        Returns:
            The face in crop px. Its box stays upright: the centre is mapped and the sides are scaled, as a box
            around the turned corners would grow.
        """
        low, high = face.box[:2].astype(np.float64), face.box[2:].astype(np.float64)
        centre, half = self.points((low + high)[None] / 2)[0], (high - low) / 2 * self.scale
        box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        return replace(face, box=box, landmarks=self.points(face.landmarks).astype(np.float32))

    def corners(self) -> npt.NDArray[np.float64]:
        """Locate the crop's four corners.

        Returns:
            float64 (4, 2) frame px: top left, top right, bottom right, bottom left.
        """
        low, high = -0.5, self.size - 0.5
        corners = np.asarray([[low, low], [high, low], [high, high], [low, high]])
        return np.asarray(corners @ self.inverse[:, :2].T + self.inverse[:, 2])

    def resized(self, size: int) -> Alignment:
        """Describe the same square of the frame as a crop of another size.

        Args:
            size: side of the other crop, px.

        Returns:
            The alignment of that crop.
        """
        k = size / self.size
        # Pixel centres: (x + 0.5) * k - 0.5
        shift = np.asarray([[0, 0, (k - 1) / 2], [0, 0, (k - 1) / 2]])
        return Alignment(self.matrix * k + shift, size)

    def crop(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Cut the aligned face out of a frame.

        Args:
            image: RGB frame, uint8 (H, W, 3).

        Returns:
            RGB crop, uint8 (size, size, 3); pixels outside the frame repeat its border.
        """
        matrix = self.matrix
        if self.scale < 0.5:
            image, matrix = _shrink(image, matrix, round(1 / self.scale))
        side = (self.size, self.size)
        flags = cv2.INTER_LINEAR
        return np.asarray(cv2.warpAffine(image, matrix, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def template(size: int) -> npt.NDArray[np.float64]:
    """Say where the five points of a face belong in a crop.

    Args:
        size: side of the crop, px.

    Returns:
        float64 (5, 2) crop px: left eye, right eye, nose, left and right corner of the mouth.
    """
    eyes = ARCFACE[:2]
    scale = EYE_DISTANCE / np.linalg.norm(eyes[1] - eyes[0])
    return np.asarray(((ARCFACE - eyes.mean(axis=0)) * scale + EYE_CENTRE) * size - 0.5)


def align(landmarks: Array, *, size: int = 256) -> Alignment:
    """Find the similarity that brings a face's five points nearest to the template.

    Args:
        landmarks: float (5, 2) frame px, in the template's order.
        size: side of the crop, px.

    Returns:
        The alignment of the crop.

    Raises:
        SettingsError: ``size`` is not positive, or the points coincide.
    """
    if size < 1:
        raise SettingsError(f"A crop's size must be at least 1 px. Received: {size}.")
    return Alignment(umeyama(np.asarray(landmarks, np.float64), template(size)), size)


def umeyama(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Fit rotation, scale and shift between two sets of points by least squares.

    Args:
        source: float64 (n, 2).
        target: float64 (n, 2).

    Returns:
        float64 (2, 3), maps source to target.

    Raises:
        SettingsError: all source points coincide.

    References:
        Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
        IEEE Transactions on Pattern Analysis and Machine Intelligence 13 (1991).
    """
    mean_1, mean_2 = source.mean(axis=0), target.mean(axis=0)
    centred_1, centred_2 = source - mean_1, target - mean_2
    variance = np.mean(np.sum(centred_1**2, axis=1))  # eq. 36
    if not np.isfinite(variance) or variance < 1e-12:
        raise SettingsError(f"Alignment needs finite points that differ. Received: {source.tolist()}.")
    covariance = centred_2.T @ centred_1 / len(source)  # eq. 38
    u, d, vt = np.linalg.svd(covariance)
    sign = np.asarray([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])  # eq. 39 and 43
    rotation = u @ np.diag(sign) @ vt  # eq. 40
    scale = np.sum(d * sign) / variance  # eq. 42
    linear = scale * rotation
    return np.concatenate([linear, (mean_2 - linear @ mean_1)[:, None]], axis=1)  # eq. 41


def _shrink(
    image: npt.NDArray[np.uint8], matrix: npt.NDArray[np.float64], factor: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Average a large frame down first: a bilinear warp alone would skip most of its pixels."""
    height, width = image.shape[0] // factor * factor, image.shape[1] // factor * factor
    if not height or not width:
        return image, matrix
    small = cv2.resize(image[:height, :width], (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    # x = (x_small + 0.5) * factor - 0.5
    adapted = matrix.copy()
    adapted[:, 2] += matrix[:, :2].sum(axis=1) * (factor - 1) / 2
    adapted[:, :2] *= factor
    return np.asarray(small, np.uint8), adapted
