"""Points of a face behind one protocol: 5 by MTCNN, 68 by FAN, 478 by MediaPipe's mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.topology import LEFT_EYE, MOUTH_CORNERS, NOSE_TIP, RIGHT_EYE
from faceswap_gan.media.weights import find_weights

if TYPE_CHECKING:
    from faceswap_gan.faces.detector import Face

LandmarkName = Literal["mtcnn", "mesh", "fan"]

# Which points' mean is each of the five, by how many points there are.
_FIVE: dict[int, tuple[tuple[int, ...], ...]] = {
    5: ((0,), (1,), (2,), (3,), (4,)),
    68: (tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,)),
    478: (LEFT_EYE, RIGHT_EYE, (NOSE_TIP,), MOUTH_CORNERS[:1], MOUTH_CORNERS[1:]),
}
_WEIGHTS = {"mesh": "face_landmarker", "fan": "fan"}  # which of media.weights.WEIGHTS a provider takes
LEAST_SCORES = {"mtcnn": 0.0, "mesh": 0.5, "fan": 0.2}
"""Scores below which a provider's points are not trusted, by its name.

The mesh's is a probability, FAN's a mean height of peaks. The detector's own is 0 where a track bridges a gap, and
its points are all there is then.
"""

_EYES_TO_MOUTH = 1.1  # of a frontal face, in inter-ocular distances


@dataclass(frozen=True)
class Landmarks:
    """What a provider knows of one face.

    Attributes:
        points: float32 (n, 2) px; n is 5 (`Face.landmarks`), 68 (Multi-PIE numbering) or 478 (MediaPipe's).
        depth: float32 (n,) px, less is nearer to the camera, 0 at the head's middle; None when unknown.
        blendshapes: float32 (52,) in [0, 1], named by `mesh.BLENDSHAPES`; None when unknown.
        score: the provider's probability of a face, in [0, 1].
    """

    points: npt.NDArray[np.float32]
    depth: npt.NDArray[np.float32] | None
    blendshapes: npt.NDArray[np.float32] | None
    score: float

    @property
    def five(self) -> npt.NDArray[np.float32]:
        """The points in `Face.landmarks`' order, float32 (5, 2) px.

        Raises:
            SettingsError: there are neither 5, 68 nor 478 points.
        """
        groups = _FIVE.get(len(self.points))
        if groups is None:
            raise SettingsError(f"Landmarks have 5, 68 or 478 points. Received: {len(self.points)}.")
        return np.stack([self.points[list(group)].mean(axis=0) for group in groups]).astype(np.float32)

    @property
    def unit(self) -> float:
        """Inter-ocular distance, px: between the eyes' middles.

        On a turned head, whose eyes lie nearer to each other, the distance from eyes to mouth stands in.

        Raises:
            SettingsError: there are neither 5, 68 nor 478 points.
        """
        five = self.five.astype(np.float64)
        eyes, mouth = five[:2].mean(axis=0), five[3:].mean(axis=0)
        return max(float(np.hypot(*(five[1] - five[0]))), float(np.hypot(*(mouth - eyes))) / _EYES_TO_MOUTH, 1e-6)

    def moved(self, alignment: Alignment) -> Landmarks:
        """Describe the same face in a crop.

        Args:
            alignment: from the points' frame to the crop.

        Returns:
            Landmarks in crop px, depth scaled along.
        """
        points = np.asarray(alignment.points(self.points), np.float32)
        depth = None if self.depth is None else self.depth * np.float32(alignment.scale)
        return Landmarks(points, depth, self.blendshapes, self.score)


class LandmarkProvider(Protocol):
    """Finds the points of a face that a detector has found."""

    @property
    def name(self) -> str:
        """One of `LandmarkName`."""

    def find(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks:
        """Find a face's points.

        Args:
            image: RGB uint8 (H, W, 3).
            face: where it is, px of ``image``.

        Returns:
            Its points in px of ``image``; a low score where there is no face after all.
        """


class MtcnnLandmarks:
    """The detector's own five points: costs nothing, needs nothing."""

    name = "mtcnn"

    def find(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks:
        """Return the five points of a face.

        Args:
            image: not looked at.
            face: the face.

        Returns:
            Its five points, without depth and blendshapes.
        """
        return Landmarks(np.asarray(face.landmarks, np.float32), None, None, float(face.score))


class TrustedLandmarks:
    """A provider whose doubtful points are not taken.

    Attributes:
        name: the provider's.
        missed: faces so far that the provider did not see.

    Args:
        provider: finds the landmarks.
    """

    def __init__(self, provider: LandmarkProvider) -> None:
        self.name, self.missed = provider.name, 0
        self._provider = provider

    def find(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks | None:
        """Find a face's points as the provider does; None where it does not see the face."""
        found = self._provider.find(image, face)
        if found.score >= LEAST_SCORES[self.name]:
            return found
        self.missed += 1
        return None

    def find_or_five(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks:
        """Find a face's points; the detector's five where the provider does not see the face."""
        return self.find(image, face) or MtcnnLandmarks().find(image, face)


def open_landmarks(name: LandmarkName, *, weights: Path | None = None) -> LandmarkProvider:
    """Open a provider.

    Args:
        name: ``mtcnn`` (5 points), ``mesh`` (478 points and blendshapes) or ``fan`` (68 points).
        weights: the provider's file, or a folder that holds it; None leaves it to `media.weights.find_weights`:
            ``FACESWAP_WEIGHTS``, the cache, a download. ``mtcnn`` needs none.

    Returns:
        The provider.

    Raises:
        SettingsError: the name is unknown, or the provider's package is not installed.
        WeightsError: the weights are missing or damaged.
    """
    if name == "mtcnn":
        return MtcnnLandmarks()
    if name not in _WEIGHTS:
        raise SettingsError(f"landmarks must be one of mtcnn, {', '.join(_WEIGHTS)}. Received: {name!r}.")
    path = find_landmark_weights(name, weights)
    if name == "mesh":
        from faceswap_gan.faces.mesh import MeshLandmarker

        return MeshLandmarker(path)
    from faceswap_gan.faces.fan import FanLandmarks

    return FanLandmarks(path)


def find_landmark_weights(name: Literal["mesh", "fan"], weights: Path | None) -> Path:
    """Find a provider's file: ``weights`` itself, or as `open_landmarks` says.

    Raises:
        WeightsError: it is missing or damaged.
    """
    if weights is not None and weights.is_file():
        return weights
    return find_weights(_WEIGHTS[name], folder=weights)
