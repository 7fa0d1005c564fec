"""One person's shape of face under another's pose and expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.look import head_rotation, to_solid
from faceswap_gan.faces.mesh import Topology
from faceswap_gan.faces.topology import MESH_POINTS

Array = npt.NDArray[Any]
Solids = npt.NDArray[np.float64]

# Points that meet when an eye or the mouth shuts: upper, lower.
LIDS = (
    *((246, 7), (161, 163), (160, 144), (159, 145), (158, 153), (157, 154), (173, 155)),
    *((466, 249), (388, 390), (387, 373), (386, 374), (385, 380), (384, 381), (398, 382)),
)
LIPS = ((191, 95), (80, 88), (81, 178), (82, 87), (13, 14), (312, 317), (311, 402), (310, 318), (415, 324))

_WIDE_OPEN = 70  # percentile of an eye's openings that counts as its own when it is open
_FEWEST = 8


@dataclass(frozen=True)
class ShapeDifference:
    """How one person's face differs from another's, whatever both do at the moment.

    Attributes:
        offsets: float64 (478, 3) px, from the first person's points to the second's, of heads that face the camera.
        move: float64 (3,) px, from the first head's middle to the second's.
        eyes: height of the second's open eyes in parts of the first's.
    """

    offsets: Solids
    move: npt.NDArray[np.float64]
    eyes: float

    def apply(self, mesh: Landmarks, topology: Topology) -> Landmarks:
        """Give the first person's mesh the second's shape; pose and expression stay.

        Lips stay as far apart as they are, and lids in proportion to the eye: what is shut stays shut.

        Args:
            mesh: 478 points with depth.
            topology: the canonical face.

        Returns:
            The mesh, without blendshapes.
        """
        rotation, middle, solid = _face_camera(mesh, topology)
        offsets = self.offsets.copy()
        for pairs, rest in ((LIPS, 0.0), (LIDS, (self.eyes - 1.0) / 2.0)):
            upper, lower = np.asarray(pairs).T
            mean = (self.offsets[upper] + self.offsets[lower]) / 2.0
            apart = rest * (solid[upper] - solid[lower])
            offsets[upper], offsets[lower] = mean + apart, mean - apart
        moved = (solid + offsets) @ rotation.T + middle + self.move
        return Landmarks(moved[:, :2].astype(np.float32), moved[:, 2].astype(np.float32), None, mesh.score)


def mix_meshes(first: Landmarks, second: Landmarks, share: float) -> Landmarks:
    """Give a mesh part of the way from one of a person to another of the same.

    Args:
        first: 478 points.
        second: 478 points.
        share: of the way, in [0, 1].
    """

    def mix(one: Array | None, other: Array | None) -> Array | None:
        return None if one is None or other is None else np.asarray(one + share * (other - one), np.float32)

    points = np.asarray(first.points + share * (second.points - first.points), np.float32)
    score = min(first.score, second.score)
    return Landmarks(points, mix(first.depth, second.depth), mix(first.blendshapes, second.blendshapes), score)


def resize_mesh(mesh: Landmarks, share: float) -> Landmarks:
    """Describe the same face in its picture resized.

    Args:
        mesh: px of the picture.
        share: width of the resized one in parts of the picture's.
    """
    shift = (share - 1.0) / 2.0  # whole numbers are the middles of pixels
    return mesh.moved(Alignment(np.asarray([[share, 0.0, shift], [0.0, share, shift]]), 0)) if share != 1.0 else mesh


def measure_difference(
    first: Sequence[Landmarks], second: Sequence[Landmarks], alike: Array, topology: Topology
) -> ShapeDifference:
    """Measure how two people differ in shape, from moments in which they look alike.

    Medians over these moments: what is left of pose and expression in one of them cancels.

    Args:
        first: one person's meshes, with depth, in crops aligned alike.
        second: the other's.
        alike: int (n, 2), pairs of numbers of meshes, first's and second's, that agree in pose and expression.
        topology: the canonical face.

    Raises:
        SettingsError: there are fewer than 8 such moments.
    """
    if len(alike) < _FEWEST:
        raise SettingsError(f"expected at least {_FEWEST} moments to compare two faces in, got {len(alike)}.")
    one = {int(i): _face_camera(first[i], topology) for i in np.unique(alike[:, 0])}
    two = {int(j): _face_camera(second[j], topology) for j in np.unique(alike[:, 1])}
    offsets = np.median([two[int(j)][2] - one[int(i)][2] for i, j in alike], axis=0)
    move = np.median([two[int(j)][1] - one[int(i)][1] for i, j in alike], axis=0)
    here, there = (_opening([solid for _, _, solid in faces.values()]) for faces in (one, two))
    return ShapeDifference(offsets, move, there / max(here, 1e-6))


def _face_camera(mesh: Landmarks, topology: Topology) -> tuple[Solids, npt.NDArray[np.float64], Solids]:
    """Turn a head to the camera: its rotation (3, 3), its middle (3,) and its points around it (478, 3)."""
    rotation, solid = head_rotation(mesh, topology), to_solid(mesh)
    middle = solid[:MESH_POINTS].mean(axis=0)
    return rotation, middle, (solid - middle) @ rotation


def _opening(faces: Sequence[Solids]) -> float:
    """Mean distance of the lids of open eyes, px."""
    upper, lower = np.asarray(LIDS).T
    gaps = np.linalg.norm(np.stack(faces)[:, upper] - np.stack(faces)[:, lower], axis=2)
    return float(np.percentile(gaps, _WIDE_OPEN, axis=0).mean())
