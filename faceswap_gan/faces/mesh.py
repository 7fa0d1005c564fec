"""The face mesh: 478 points, depth and 52 blendshapes, by MediaPipe's networks run in LiteRT.

The networks are Google's (face_landmarker.task, Apache-2.0); cutting, turning and un-projecting are ours. The
mediapipe package itself is not used: it reports its use to its maker.

References:
    Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", CVPR workshop on
    Computer Vision for Augmented and Virtual Reality (2019).
    Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time" (2020).
    MediaPipe, ``face_landmarks_detector_graph.cc`` and ``face_blendshapes_graph.cc``: the square around the mesh,
    turned by the line through the eyes' outer corners and widened by half; the points that the blendshapes see.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.litert import LiteNetwork
from faceswap_gan.faces.topology import LEFT_EYE_CORNERS, POINTS, RIGHT_EYE_CORNERS
from faceswap_gan.faces.topology import Topology as Topology
from faceswap_gan.faces.topology import read_topology as read_topology

if TYPE_CHECKING:
    from faceswap_gan.faces.detector import Face

Image = npt.NDArray[np.uint8]

_SIDE = 256  # of the network's picture, px
_MARGIN = 1.5  # side of the square in parts of the mesh's longer side
_BOX_MARGIN = 1.35  # the same in parts of MTCNN's box, whose
_BOX_DROP = 0.066  # centre lies this part of its longer side above the mesh's: means over 45 photos
_LOOKS = 3  # at a face, at most
_OFF = 0.12  # part of its side by which a corner of the square may miss

_NAMES = """
    _neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft
    eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft
    mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight
    mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft
    mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft
    noseSneerRight
"""
BLENDSHAPES: tuple[str, ...] = tuple(_NAMES.split())
"""Names of the blendshapes in order (ARKit's, ``_neutral`` first); here Left means the person's left."""

# The 146 points that the network of the blendshapes takes.
_SEEN_POINTS = """
    0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93 95
    103 105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168 172
    173 176 178 181 185 191 195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296 297
    300 308 310 311 312 314 317 318 321 323 324 332 334 336 338 356 361 362 365 373 374 375 377 378 379 380 381
    382 384 385 386 387 388 389 390 397 398 400 402 405 409 415 454 466 468 469 470 471 472 473 474 475 476 477
"""
_SEEN = np.asarray([int(index) for index in _SEEN_POINTS.split()])


class MeshLandmarker:
    """Finds the mesh of a face.

    Args:
        bundle: MediaPipe's ``face_landmarker.task``.
        threads: CPU threads of one call.

    Raises:
        WeightsError: the bundle is missing or damaged.
        SettingsError: ``threads`` is below 1, or the ``ai-edge-litert`` package is not installed.
    """

    name = "mesh"

    def __init__(self, bundle: Path, threads: int = 1) -> None:
        self._mesh = LiteNetwork(bundle, "face_landmarks_detector.tflite", threads=threads)
        self._blend = LiteNetwork(bundle, "face_blendshapes.tflite", threads=threads)

    def find(self, image: Image, face: Face, *, blendshapes: bool = True) -> Landmarks:
        """Find the mesh of a detected face.

        Where the mesh shows that the detector's square missed the face, the network looks again.

        Args:
            image: RGB uint8 (H, W, 3).
            face: where it is, px of ``image``.
            blendshapes: compute them too (2 ms).

        Returns:
            478 points in px of ``image``, MediaPipe's numbering: skin, then left and right iris. A face that
            reaches over the edge is guessed on there.
        """
        square = _square_of_face(face)
        found = self._look(image, square)
        for _ in range(_LOOKS - 1):
            better = _square_of_mesh(found.points)
            if not _is_off(square, better):
                break
            square, found = better, self._look(image, better)
        return self._with_blendshapes(found) if blendshapes else found

    def follow(self, image: Image, previous: Landmarks, *, blendshapes: bool = True) -> Landmarks:
        """Find the mesh of a face that hardly moved since the last frame: steadier than `find`.

        Args:
            image: RGB uint8 (H, W, 3).
            previous: the face's mesh in the frame before.
            blendshapes: compute them too (2 ms).

        Returns:
            As `find`; a score below 0.5 says that the face was lost.

        Raises:
            SettingsError: ``previous`` is no mesh.
        """
        if len(previous.points) != POINTS:
            raise SettingsError(f"A mesh has {POINTS} points. Received: {len(previous.points)}; call find first.")
        found = self._look(image, _square_of_mesh(previous.points))
        return self._with_blendshapes(found) if blendshapes else found

    def _look(self, image: Image, square: Alignment) -> Landmarks:
        """Run the network on a square of the picture, without blendshapes."""
        picture = square.crop(image).astype(np.float32) / np.float32(255)
        mesh, presence, _ = self._mesh.run(picture[None])
        table = mesh.reshape(POINTS, 3).astype(np.float64)
        # The network counts from the picture's corner; our points name pixel centres.
        inverse = square.inverse
        points = (table[:, :2] - 0.5) @ inverse[:, :2].T + inverse[:, 2]
        depth = table[:, 2] / square.scale
        score = 1 / (1 + math.exp(-float(np.clip(presence, -50, 50).item())))
        return Landmarks(points.astype(np.float32), depth.astype(np.float32), None, score)

    def _with_blendshapes(self, found: Landmarks) -> Landmarks:
        """Add the blendshapes; the network takes px of the whole picture and centres them itself."""
        values = self._blend.run(found.points[None, _SEEN] + np.float32(0.5))[0].reshape(-1)
        return Landmarks(found.points, found.depth, np.clip(values, 0, 1), found.score)


def _square_of_face(face: Face) -> Alignment:
    """Lay the network's square around a detected face, upright by its eyes."""
    low, high = face.box[:2].astype(np.float64), face.box[2:].astype(np.float64)
    longer = max(float(np.max(high - low)), 1.0)
    across = face.landmarks[1] - face.landmarks[0]
    angle = math.atan2(float(across[1]), float(across[0]))
    down = np.asarray([-math.sin(angle), math.cos(angle)])
    return _square((low + high) / 2 + _BOX_DROP * longer * down, _BOX_MARGIN * longer, angle)


def _square_of_mesh(points: npt.NDArray[Any]) -> Alignment:
    """Lay the network's square around a mesh, upright by its eyes."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = float(np.max(high - low)) * _MARGIN
    across = points[RIGHT_EYE_CORNERS[1]] - points[LEFT_EYE_CORNERS[0]]
    return _square((low + high) / 2, max(side, 1.0), math.atan2(float(across[1]), float(across[0])))


def _square(centre: npt.NDArray[Any], side: float, angle: float) -> Alignment:
    """Describe a turned square of a picture: centre px, side px, angle of its upper edge in radians."""
    scale = _SIDE / side
    turn = scale * np.asarray([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    shift = (_SIDE - 1) / 2 - turn @ np.asarray(centre, np.float64)
    return Alignment(np.concatenate([turn, shift[:, None]], axis=1), _SIDE)


def _is_off(used: Alignment, better: Alignment) -> bool:
    """Tell whether a square differs so much from the better one that another look pays."""
    relative = better.points(used.corners()) - better.points(better.corners())
    return bool(np.abs(relative).max() > _OFF * _SIDE)
