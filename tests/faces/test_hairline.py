"""Hair over the rim of a face is told from its skin, brows, eyes and beard."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from heads import head, picture

from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.hairline import bare_skin

MESH = head((128.0, 128.0), scale=80.0)  # 160 px wide, 208 high
HAIR = (30, 25, 20)


def drawn(**kwargs):
    return picture(MESH, shape=(256, 256), **kwargs)


def oval():
    filled = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(filled, [np.rint(MESH.points[list(tp.FACE_OVAL)]).astype(np.int32)], 1)
    return cv2.erode(filled, np.ones((3, 3), np.uint8)) > 0


@pytest.mark.parametrize("skin", [(220, 180, 150), (90, 60, 45)])
def test_a_bare_face_is_skin_all_over(skin):
    assert bare_skin(drawn(skin=skin), MESH)[oval()].min() > 0.95


def test_strands_at_the_temple_are_hair():
    image = drawn()
    image[100:150, :58] = HAIR  # the face begins at 48
    skin = bare_skin(image, MESH)
    assert skin[105:145, 50:56].max() < 0.4
    assert skin[oval() & (np.arange(256) > 80)].min() > 0.95


def test_a_dark_jaw_is_a_beard_and_dark_lids_are_lids():
    image = drawn()
    image[190:] = HAIR
    for contour in (tp.LEFT_EYE, tp.LEFT_BROW):
        cv2.fillConvexPoly(image, cv2.convexHull(np.rint(MESH.points[list(contour)]).astype(np.int32)), HAIR)
    assert bare_skin(image, MESH)[oval()].min() > 0.95


def test_a_face_too_small_to_tell_is_skin():
    tiny = head((8.0, 8.0), scale=1.0)
    assert bare_skin(np.zeros((16, 16, 3), np.uint8), tiny).min() == 1.0
