"""The face mesh: what its 478 points are called, and its 898 triangles.

Left and right are the picture's, as in `faces.detector.Face`; MediaPipe's own names are the person's.

References:
    MediaPipe, ``face_landmarks_connections.h`` and ``tensors_to_face_landmarks_graph.cc`` (Apache-2.0).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import WeightsError
from faceswap_gan.faces.litert import read_member

MESH_POINTS = 468
"""Points of the skin; the ten of the irises follow them."""

POINTS = 478
"""Points of the mesh with both irises."""

_GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
_TRIANGLES = 898

Indices = tuple[int, ...]

# Closed contours, each in order around its part.
FACE_OVAL: Indices = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
LEFT_EYE: Indices = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE: Indices = (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398)
LEFT_BROW: Indices = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
RIGHT_BROW: Indices = (285, 295, 282, 283, 276, 300, 293, 334, 296, 336)
LIPS_OUTER: Indices = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
LIPS_INNER: Indices = (
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324),
    *(308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
NOSE: Indices = (168, 245, 188, 174, 236, 198, 209, 129, 98, 97, 2, 326, 327, 358, 429, 420, 456, 399, 412, 465)

# Irises: centre first, then four points of the rim.
LEFT_IRIS: Indices = (468, 469, 470, 471, 472)
RIGHT_IRIS: Indices = (473, 474, 475, 476, 477)

# Six points of an eye for its aspect ratio (Soukupova and Cech, 2016, eq. 1): the picture's left corner, two of
# the upper lid, right corner, two of the lower lid, the latter right to left.
LEFT_EYE_ASPECT: Indices = (33, 160, 158, 133, 153, 144)
RIGHT_EYE_ASPECT: Indices = (362, 385, 387, 263, 373, 380)

# Corners of an eye: the picture's left, right.
LEFT_EYE_CORNERS = (33, 133)
RIGHT_EYE_CORNERS = (362, 263)

# Corners of the mouth (the picture's left, right) and the inner rim's middle (upper, lower).
MOUTH_CORNERS, MOUTH_LIPS = (61, 291), (13, 14)

NOSE_TIP = 4


@dataclass(frozen=True)
class Topology:
    """The canonical face on which the mesh is drawn.

    Attributes:
        vertices: float32 (468, 3) cm, x to the picture's right, y up, z towards the camera.
        triangles: int32 (898, 3) indices of vertices; they cover eyes and mouth too.
    """

    vertices: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int32]


def read_topology(bundle: Path) -> Topology:
    """Read the canonical face out of MediaPipe's face_landmarker bundle.

    Args:
        bundle: the ``face_landmarker.task`` file.

    Returns:
        Vertices and triangles.

    Raises:
        WeightsError: the bundle is missing, damaged or holds another mesh.
    """
    data = read_member(bundle, _GEOMETRY)
    try:
        mesh = next(value for number, value in _fields(data) if number == 1 and isinstance(value, bytes))
        fields = list(_fields(mesh))
        floats = np.asarray([v for n, v in fields if n == 3 and isinstance(v, float)], np.float32)
        corners = np.asarray([v for n, v in fields if n == 4 and isinstance(v, int)], np.int32)
        table, triangles = floats.reshape(MESH_POINTS, 5), corners.reshape(_TRIANGLES, 3)
    except (StopIteration, ValueError, IndexError, struct.error) as error:
        raise WeightsError(
            f"{bundle}: expected a mesh of {MESH_POINTS} vertices and {_TRIANGLES} triangles in {_GEOMETRY}, "
            "got something else. Delete the file to download it again."
        ) from error
    return Topology(table[:, :3].copy(), triangles)  # the other two are places in a texture


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Walk the fields of a protocol buffer message: field number and value.

    Numbers of four bytes are read as floats, of eight as bytes.

    References:
        Protocol Buffers, "Encoding": a field is a varint of number and wire type, then the value.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind == 5:
            yield tag >> 3, struct.unpack_from("<f", message, at)[0]
            at += 4
        elif kind in (1, 2):
            length, at = (8, at) if kind == 1 else _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Read a base-128 number: its value and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
