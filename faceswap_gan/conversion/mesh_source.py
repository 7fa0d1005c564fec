"""The person of a mesh swap: pictures of their face, each with its mesh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.mesh_tracks import follow_meshes
from faceswap_gan.errors import NoFaceError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks
from faceswap_gan.faces.look import describe_look
from faceswap_gan.faces.mesh import Topology
from faceswap_gan.faces.mesh_warp import Floats
from faceswap_gan.media.video import Frame

_MARGIN = 0.15  # kept around a face, in parts of its sides
_LARGEST = 768  # px, longer side of a kept picture


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
