"""A drawn head for the mesh: its eyes, mouth and pose move as told."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.topology import Topology
from faceswap_gan.training.face_set import FaceSet

EYES = ((tp.LEFT_EYE, tp.LEFT_IRIS, -0.42), (tp.RIGHT_EYE, tp.RIGHT_IRIS, 0.42))
EYE_WIDTH, IRIS = 0.4, 0.07


def _ring(count, centre, half, start=np.pi):
    """A closed contour from its left end over its lower half, as the eyes' and lips' are numbered."""
    angle = start - np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([centre[0] + half[0] * np.cos(angle), centre[1] + half[1] * np.sin(angle)], axis=1)


def flat_head(*, mouth=0.0, lids=0.12, gaze=0.0):
    """478 points, float (478, 2), about (0, 0); the face is 2 wide and 2.6 high, y down."""
    points = np.random.default_rng(4).uniform(-0.7, 0.7, (478, 2)) * [1, 1.3]
    points[list(tp.FACE_OVAL)] = _ring(36, (0, 0), (1, 1.3), start=np.pi / 2)
    for contour, iris, x in EYES:
        points[list(contour)] = _ring(16, (x, -0.35), (EYE_WIDTH / 2, lids / 2))
        middle = np.asarray([x + gaze * EYE_WIDTH, -0.35])
        points[list(iris)] = middle + IRIS * np.asarray([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
    points[list(tp.LIPS_OUTER)] = _ring(20, (0, 0.7), (0.4, 0.16 + mouth / 2))
    points[list(tp.LIPS_INNER)] = _ring(20, (0, 0.7), (0.3, 0.005 + mouth / 2))
    return points


def head(centre=(64.0, 64.0), *, scale=36.0, yaw=0.0, **look):
    """A mesh as a provider gives it; turned by ``yaw`` degrees towards the picture's right."""
    flat = flat_head(**look)
    solid = np.column_stack([flat, _depth(flat)])
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turned = solid @ np.asarray([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    points = turned[:, :2] * scale + centre
    return Landmarks(points.astype(np.float32), (turned[:, 2] * scale).astype(np.float32), None, 1.0)


def _depth(flat):
    """A bowl that opens away from the camera."""
    return 0.9 * (flat[:, 0] ** 2 + 0.4 * flat[:, 1] ** 2)


def draw_topology():
    """Delaunay triangles of the head with everything a little open; they cover it without holes."""
    flat = flat_head(mouth=0.1)[: tp.MESH_POINTS]
    scaled = (flat * 300 + 500).astype(np.float32)
    division = cv2.Subdiv2D((0, 0, 1000, 1000))
    for point in scaled:
        division.insert((float(point[0]), float(point[1])))
    corners = division.getTriangleList().reshape(-1, 3, 2)
    corners = corners[((corners > 0) & (corners < 1000)).all(axis=(1, 2))]
    apart = np.linalg.norm(corners[:, :, None] - scaled, axis=-1)
    triangles = apart.argmin(axis=2).astype(np.int32)
    vertices = np.column_stack([flat[:, 0], -flat[:, 1], -_depth(flat)]).astype(np.float32)
    return Topology(vertices, triangles)


def picture(mesh, *, skin=(200, 150, 120), lips=None, shape=(128, 128)):
    """A flat-coloured face with dark irises on a grey ground; with lips, the mouth between them is dark."""
    image = np.full((*shape, 3), 90, np.uint8)
    parts = [(tp.FACE_OVAL, skin), (tp.LEFT_EYE, (250,) * 3), (tp.RIGHT_EYE, (250,) * 3)]
    if lips is not None:
        parts += [(tp.LIPS_OUTER, lips), (tp.LIPS_INNER, (20,) * 3)]
    for contour, colour in parts:
        cv2.fillPoly(image, [np.rint(mesh.points[list(contour)]).astype(np.int32)], colour)
    for _, iris, _ in EYES:
        rim = mesh.points[list(iris[1:])]
        radius = float(np.linalg.norm(rim - mesh.points[iris[0]], axis=1).mean())
        cv2.circle(image, np.rint(mesh.points[iris[0]]).astype(int).tolist(), round(radius), (10, 10, 10), -1)
    return image


def looks(count):
    """Poses and expressions of a clip, one a frame, as `head` takes them."""
    return [{"yaw": 12 * np.sin(i / 5), "mouth": 0.15 * (1 + np.sin(i / 3)) / 2} for i in range(count)]


def shrink(pictures, side):
    """Pictures (N, side, side, 3) as training keeps them for a network."""
    return np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in pictures])


def faces_of(meshes, *, side, **paint):
    """Drawn heads as a person's faces, with empty masks."""
    faces = np.stack([picture(mesh, **paint) for mesh in meshes.values()])
    masks = np.zeros_like(faces)
    return FaceSet(faces=faces, masks=masks, crops=shrink(faces, side), crop_masks=shrink(masks, side))
