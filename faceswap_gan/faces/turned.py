"""A second look at a doubtful face, with the picture turned upside down."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.boxes import iou
from faceswap_gan.faces.detector import Face, FaceDetector

_SIDE = 192  # px of the turned cut-out; one size, so that the networks see one
_ROOM = 2.0  # its side, in sides of the face's box
_FACE = 40  # px: smallest face to look for in it, however large the faces of the frame are
_BETTER = 0.03  # what the turned face must gain
_SURE = 0.97
_EYES = 0.1  # parts of the width: eyes nearer than this in a picture, as a profile's, do not tell which way is up


def needs_second_look(face: Face) -> bool:
    """Tell whether a face is doubtful enough: of upright ones the detector is surer, seen from several views."""
    return face.score < _SURE


def is_reversed(face: Face, before: Face) -> bool:
    """Tell whether a face stands the other way up than before: one of the two was then read upside down."""
    first, second = (each.landmarks[1] - each.landmarks[0] for each in (before, face))
    return float(first @ second) < -((_EYES * max(before.width, 1.0)) ** 2)


def look_turned(detector: FaceDetector, image: npt.NDArray[np.uint8], face: Face) -> Face | None:
    """Look whether a face stands upside down: its points were then searched for the wrong way up.

    Args:
        detector: finds the faces of a frame.
        image: RGB frame, uint8 (H, W, 3).
        face: found in it.

    Returns:
        The face as it is seen with the picture turned by half a turn, in px of the frame, if that is a surer face;
        its first eye is then right of the second. None: it stands upright, or nobody can tell.
    """
    centre = (face.box[:2] + face.box[2:]).astype(np.float64) / 2
    scale = _SIDE / (_ROOM * max(float(np.max(face.box[2:] - face.box[:2])), 1.0))
    middle = (_SIDE - 1) / 2
    matrix = np.column_stack([-scale * np.eye(2), middle + scale * centre])
    turned = np.asarray(
        cv2.warpAffine(image, matrix, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    found = detector.detect([turned], min_size=_FACE)[0]
    if not found:
        return None
    best = detector.refine([turned], found[0].box[None])[0]
    points = _back(best.landmarks, centre, scale, middle)
    box = _back(best.box.reshape(2, 2), centre, scale, middle)[::-1].ravel().astype(np.float32)
    is_same = float(iou(box[None], face.box[None])[0, 0]) > 0.3
    if not is_same or best.score < max(_SURE, face.score + _BETTER):
        return None
    return Face(box, points.astype(np.float32), best.score)


def _back(points: npt.NDArray[Any], centre: npt.NDArray[Any], scale: float, middle: float) -> npt.NDArray[np.float64]:
    return np.asarray(centre - (points - middle) / scale)
