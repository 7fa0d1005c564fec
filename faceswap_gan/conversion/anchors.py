"""Swaps that cost no training, and faces put back where they came from: what a swap is measured beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.mesh_source import MeshSource, SourcePicture
from faceswap_gan.conversion.mesh_swapper import mesh_swap_frames
from faceswap_gan.conversion.swapper import SwapFunction, SwappedFrame, swap_frames
from faceswap_gan.errors import NoFaceError
from faceswap_gan.faces.alignment import Alignment, template
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks
from faceswap_gan.faces.mesh import Topology
from faceswap_gan.faces.parts import face_mask
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

Array = npt.NDArray[Any]


def place_faces(
    frames: Iterable[Frame], numbers: npt.NDArray[np.int64], landmarks: Array, matrices: Array, *, size: int
) -> Iterator[FoundFrame]:
    """Lay faces that were found before into their frames.

    Args:
        frames: any of those that were searched.
        numbers: of the frames that were searched, int64 (n,), ascending.
        landmarks: of their faces, (n, 5, 2) frame px; NaN where there is none.
        matrices: from frame to crop, (n, 2, 3), for crops of ``size``.
        size: side of the crops, px.
    """
    for frame in frames:
        row = int(np.searchsorted(numbers, frame.index))
        points = np.asarray(landmarks[row], np.float32)
        if not np.isfinite(points).all():
            yield FoundFrame(frame, ())
            continue
        alignment = Alignment(np.asarray(matrices[row], np.float64), size)
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        crop = alignment.crop(frame.image)
        face = FaceCrop(
            image=crop, frame=frame.index, pts=frame.pts, track=0, face=Face(box, points, 1.0), alignment=alignment
        )
        yield FoundFrame(frame, (face,))


def paste_still(
    found: Iterable[FoundFrame], crops: Sequence[npt.NDArray[np.uint8]], *, finish: FinishSettings | None = None
) -> Iterator[SwappedFrame]:
    """Paste a person's mean face into every frame: the right person, who never moves.

    Args:
        found: frames with their faces; those of more bits are painted at 8.
        crops: the person's aligned faces, RGB uint8 (S, S, 3), all of one size.
        finish: as in `swap_frames`; by default nothing of the footage's detail, which moves, is laid over it.

    Raises:
        NoFaceError: there are no crops.
    """
    if not crops:
        raise NoFaceError("expected faces of src for the still, got none; give a src video that shows a face.")
    size = len(crops[0])
    mean = np.asarray(np.mean(np.stack(crops), axis=0, dtype=np.float32)) / np.float32(127.5) - 1
    mask = face_mask(template(size), size)[..., None].astype(np.float32) / 255

    def swap(shown: npt.NDArray[np.float32]) -> Swap:
        count = len(shown)
        return Swap(rgb=np.repeat(mean[None], count, 0), mask=np.repeat(mask[None], count, 0))

    return swap_frames(_shallow(found), swap, size=size, finish=finish or FinishSettings(detail=0.0), batch=4)


def reconstruct(found: Iterable[FoundFrame], swap: SwapFunction, *, size: int) -> Iterator[SwappedFrame]:
    """Paint a person's face over itself: the most that a model can show of the person.

    Args:
        found: the person's own frames with their faces; those of more bits are painted at 8.
        swap: the model with that person's decoder.
        size: side of the crops it takes, px.
    """
    finish = FinishSettings(color="none", detail=0.0, deflicker=0.0)
    return swap_frames(_shallow(found), swap, size=size, finish=finish)


def _shallow(found: Iterable[FoundFrame]) -> Iterator[FoundFrame]:
    """Leave only 8 bits of each frame to paint on: what is painted here is measured, and measured at 8 bits."""
    return (replace(entry, frame=replace(entry.frame, stored=None)) for entry in found)


def mesh_swap_blocks(
    frames: Iterable[Frame], source: MeshSource, mesh: LandmarkProvider, detector: FaceDetector
) -> Iterator[SwappedFrame]:
    """Mesh-swap blocks of frames, each followed on its own: frames that do not follow each other start anew.

    Args:
        frames: of one video, in order; those of more bits are painted at 8.
        source: the person to paint.
        mesh: gives 478 points a face.
        detector: finds the faces.
    """
    for _, block in groupby(enumerate(frames), key=lambda entry: entry[1].index - entry[0]):
        shallow = (replace(frame, stored=None) for _, frame in block)
        yield from mesh_swap_frames(shallow, source, mesh, detector=detector)


def make_source(
    crops: Mapping[int, npt.NDArray[np.uint8]],
    meshes: Mapping[int, Landmarks],
    matrices: Mapping[int, Array],
    topology: Topology,
) -> MeshSource:
    """Make a mesh swap's source of aligned crops.

    Args:
        crops: RGB uint8 (S, S, 3), by frame.
        meshes: px of the whole frame, by frame; crops without one are left out.
        matrices: from frame to crop, (2, 3), by frame.
        topology: of the mesh.

    Raises:
        NoFaceError: no crop has a mesh.
    """
    pictures = [
        SourcePicture(crop, meshes[frame].moved(Alignment(np.asarray(matrices[frame]), len(crop))), frame)
        for frame, crop in crops.items()
        if frame in meshes
    ]
    if not pictures:
        raise NoFaceError("expected faces of src for the mesh swap, got none; give a src video that shows a face.")
    return MeshSource(tuple(pictures), topology)
