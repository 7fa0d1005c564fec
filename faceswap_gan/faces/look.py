"""Pose and expression of a mesh as numbers whose distances tell how differently two faces look."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.mesh import BLENDSHAPES, Topology
from faceswap_gan.faces.topology import (
    LEFT_EYE_ASPECT,
    LEFT_EYE_CORNERS,
    MOUTH_LIPS,
    RIGHT_EYE_ASPECT,
    RIGHT_EYE_CORNERS,
)

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

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


def describe_look(mesh: Landmarks, topology: Topology) -> Floats:
    """Describe a face's pose and expression so that distances tell how differently two faces look.

    Args:
        mesh: 478 points; depth and blendshapes are used if it has them.
        topology: the canonical face that the pose is measured against.

    Returns:
        Float32 (d,): turn and nod of the head, openness of mouth and eyes, blendshapes; each in units of a
        difference that one notices.
    """
    solid = to_solid(mesh)
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
    """
    if mesh.depth is None:
        return np.zeros(2)
    forward = head_rotation(mesh, topology) @ [0.0, 0.0, -1.0]
    return np.degrees([np.arctan2(forward[0], -forward[2]), np.arcsin(np.clip(forward[1], -1, 1))])


def head_rotation(mesh: Landmarks, topology: Topology) -> npt.NDArray[np.float64]:
    """Find the rotation from a head that faces the camera to a mesh's.

    Args:
        mesh: 478 points; one without depth is taken to be flat.
        topology: the canonical face.

    Returns:
        Float64 (3, 3), for columns x to the right, y down, z away from the camera.

    References:
        Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Cryst. A32 (1976).
    """
    canonical = topology.vertices.astype(np.float64) * [1, -1, -1]  # x right, y down, z away, as the mesh has it
    found = to_solid(mesh)[: len(canonical)]
    covariance = (canonical - canonical.mean(axis=0)).T @ (found - found.mean(axis=0))
    u, _, vt = np.linalg.svd(covariance)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    return np.asarray((u @ flip @ vt).T)


def to_solid(mesh: Landmarks) -> npt.NDArray[np.float64]:
    """Set a mesh's points and depth side by side: float64 (478, 3) px; depth 0 where it is unknown."""
    depth = np.zeros(len(mesh.points)) if mesh.depth is None else mesh.depth
    return np.column_stack([mesh.points, depth]).astype(np.float64)


def _apart(solid: Array, first: int, second: int) -> float:
    return float(np.linalg.norm(solid[first] - solid[second]))


def _lid_height(solid: Array, eye: tuple[int, ...]) -> float:
    """Mean height of an eye's opening, from the six points of its aspect ratio."""
    return (_apart(solid, eye[1], eye[5]) + _apart(solid, eye[2], eye[4])) / 2
