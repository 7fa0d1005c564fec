"""The person of a mesh swap: pictures of their face, each with its mesh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.mesh_tracks import follow_meshes
from faceswap_gan.conversion.mesh_warp import Array, Floats
from faceswap_gan.errors import NoFaceError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks
from faceswap_gan.faces.mesh import BLENDSHAPES, Topology
from faceswap_gan.faces.topology import (
    LEFT_EYE_ASPECT,
    LEFT_EYE_CORNERS,
    MOUTH_LIPS,
    RIGHT_EYE_ASPECT,
    RIGHT_EYE_CORNERS,
)
from faceswap_gan.media.video import Frame

_MARGIN = 0.15  # kept around a face, in parts of its sides
_LARGEST = 768  # px, longer side of a kept picture

# How much of each is a difference that one notices.
_DEGREES = 8.0
_MOUTH = 0.06  # opening of the mouth and
_LID = 0.04  # of an eye, in distances between the eyes' outer corners
_BLENDSHAPE = 0.35
_LOOKED_AT = tuple(
    i
    for i, name in enumerate(BLENDSHAPES)
    if name.startswith(("eyeLook", "jaw", "mouthFunnel", "mouthPucker", "mouthSmile", "mouthStretch"))
    or name in ("cheekPuff", "mouthLeft", "mouthRight", "mouthUpperUpLeft", "mouthUpperUpRight")
)
_BROWS = tuple(i for i, name in enumerate(BLENDSHAPES) if name.startswith("brow"))


@dataclass(frozen=True)
class SourcePicture:
    """A face to take the skin from.

    Attributes:
        image: RGB uint8 (h, w, 3), the face and a little around it.
        mesh: 478 points in px of ``image``.
        frame: number of the frame it comes from; 0 for a picture.
    """

    image: npt.NDArray[np.uint8]
    mesh: Landmarks
    frame: int = 0


@dataclass(frozen=True)
class MeshSource:
    """A person as the mesh swap knows them.

    Attributes:
        pictures: at least one, in the order of their frames.
        topology: how the mesh's points are joined.
    """

    pictures: tuple[SourcePicture, ...]
    topology: Topology

    def looks(self) -> Floats:
        """Describe pose and expression of every picture, float32 (n, d); see `describe_look`."""
        return np.stack([describe_look(picture.mesh, self.topology) for picture in self.pictures])


def read_source(
    frames: Iterable[Frame],
    provider: LandmarkProvider,
    detector: FaceDetector,
    topology: Topology,
    *,
    most: int = 240,
) -> MeshSource:
    """Read a person from a video or picture.

    Of a long video evenly spaced pictures are kept. Memory is bounded by their number.

    Args:
        frames: of the video or picture.
        provider: gives 478 points a face.
        detector: finds the face.
        topology: of the mesh.
        most: pictures to keep at most.

    Raises:
        NoFaceError: no frame shows a face.
        SettingsError: the provider gives other landmarks than a mesh.
    """
    kept: list[SourcePicture] = []
    step = 1
    for number, picture in enumerate(_pictures(frames, provider, detector)):
        if number % step == 0:
            kept.append(picture)
        if len(kept) > most:
            kept, step = kept[::2], 2 * step
    if not kept:
        raise NoFaceError("expected a face in the source, got none; choose another video or picture.")
    return MeshSource(tuple(kept), topology)


def describe_look(mesh: Landmarks, topology: Topology) -> Floats:
    """Describe a face's pose and expression so that distances tell how differently two faces look.

    Args:
        mesh: 478 points; depth and blendshapes are used if it has them.
        topology: the canonical face that the pose is measured against.

    Returns:
        Float32 (d,): turn and nod of the head, openness of mouth and eyes, blendshapes; each in units of a
        difference that one notices.
    """
    solid = _solid(mesh)
    pose = head_pose(mesh, topology) / _DEGREES
    span = max(_apart(solid, LEFT_EYE_CORNERS[0], RIGHT_EYE_CORNERS[1]), 1e-6)
    mouth = [_apart(solid, *MOUTH_LIPS) / span / _MOUTH]
    lids = [_lid_height(solid, eye) / span / _LID for eye in (LEFT_EYE_ASPECT, RIGHT_EYE_ASPECT)]
    shapes = np.zeros(len(BLENDSHAPES))
    if mesh.blendshapes is not None:
        shapes += mesh.blendshapes / _BLENDSHAPE
    return np.concatenate([pose, mouth, lids, shapes[list(_LOOKED_AT)], shapes[list(_BROWS)] / 2], dtype=np.float32)


def head_pose(mesh: Landmarks, topology: Topology) -> npt.NDArray[np.float64]:
    """Measure how far a head is turned aside and nods.

    Args:
        mesh: 478 points; a mesh without depth counts as facing the camera.
        topology: the canonical face.

    Returns:
        Float64 (2,) degrees: turn, towards the picture's right positive, and nod, down positive.

    References:
        Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Cryst. A32 (1976).
    """
    if mesh.depth is None:
        return np.zeros(2)
    canonical = topology.vertices.astype(np.float64) * [1, -1, -1]  # x right, y down, z away, as the mesh has it
    found = _solid(mesh)[: len(canonical)]
    covariance = (canonical - canonical.mean(axis=0)).T @ (found - found.mean(axis=0))
    u, _, vt = np.linalg.svd(covariance)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    forward = (u @ flip @ vt).T @ [0.0, 0.0, -1.0]
    return np.degrees([np.arctan2(forward[0], -forward[2]), np.arcsin(np.clip(forward[1], -1, 1))])


def _pictures(frames: Iterable[Frame], provider: LandmarkProvider, detector: FaceDetector) -> Iterator[SourcePicture]:
    for entry in follow_meshes(frames, provider, detector):
        for mesh in entry.meshes.values():
            yield _cut(entry.frame, mesh)


def _cut(frame: Frame, mesh: Landmarks) -> SourcePicture:
    """Cut a face out of its frame, and bring a huge one down to a size that swaps need."""
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    margin = _MARGIN * (high - low)
    size = np.asarray(frame.image.shape[1::-1])
    x1, y1 = np.clip(np.floor(low - margin).astype(int), 0, size - 1)
    x2, y2 = np.clip(np.ceil(high + margin).astype(int), [x1 + 1, y1 + 1], size)
    image, k = frame.image[y1:y2, x1:x2].copy(), 1.0
    if max(image.shape) > _LARGEST:
        k = _LARGEST / max(image.shape)
        side = (max(1, round(image.shape[1] * k)), max(1, round(image.shape[0] * k)))
        image = np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel centres: (x + 0.5) * k - 0.5
    points = (mesh.points - [x1, y1] + 0.5) * k - 0.5
    depth = None if mesh.depth is None else mesh.depth * np.float32(k)
    return SourcePicture(
        image, Landmarks(points.astype(np.float32), depth, mesh.blendshapes, mesh.score), frame.index
    )


def _solid(mesh: Landmarks) -> npt.NDArray[np.float64]:
    depth = np.zeros(len(mesh.points)) if mesh.depth is None else mesh.depth
    return np.column_stack([mesh.points, depth]).astype(np.float64)


def _apart(solid: Array, first: int, second: int) -> float:
    return float(np.linalg.norm(solid[first] - solid[second]))


def _lid_height(solid: Array, eye: tuple[int, ...]) -> float:
    """Mean height of an eye's opening, from the six points of its aspect ratio."""
    return (_apart(solid, eye[1], eye[5]) + _apart(solid, eye[2], eye[4])) / 2
