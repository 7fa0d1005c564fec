"""Hair over the rim of a face is told from its skin, brows, eyes and beard."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from heads import head, picture

from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.hairline import bare_skin, find_beard, measure_beard

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
    assert bare_skin(image, MESH, bearded=True)[oval()].min() > 0.95


def test_a_face_too_small_to_tell_is_skin():
    tiny = head((8.0, 8.0), scale=1.0)
    assert bare_skin(np.zeros((16, 16, 3), np.uint8), tiny).min() == 1.0


def test_strands_beside_the_mouth_are_hair_unless_there_is_a_beard():
    image = drawn()
    image[160:182, :64] = HAIR  # at the mouth's height is 184, the rim there at 56
    beside = np.s_[174:179, 56:60]
    assert bare_skin(image, MESH)[beside].max() < 0.4
    assert bare_skin(image, MESH, bearded=True)[beside].min() > 0.95


def test_a_beard_reaches_up_to_the_rim():
    image = drawn()
    image[180:] = HAIR
    assert measure_beard(image, MESH) > 0.95
    beard = find_beard(image, MESH)
    jaw = oval() & (np.arange(256)[:, None] > 190)
    assert beard[jaw].min() > 0.5
    assert beard[cv2.erode(jaw.astype(np.uint8), np.ones((9, 9))) > 0].min() > 0.95
    assert beard[240, 128] < 0.01  # the mesh ends at 232
    assert beard[:150].max() < 0.01


def test_hair_over_the_cheeks_is_no_beard():
    image = drawn()
    image[100:200, :66] = image[100:200, 190:] = HAIR
    assert measure_beard(image, MESH) < 0.05
    assert measure_beard(drawn(), MESH) < 0.05
    assert find_beard(drawn(), MESH).max() == 0


def test_no_beard_is_measured_where_none_can_be_seen():
    assert measure_beard(np.zeros((256, 256, 3), np.uint8), MESH) is None
    low = head((128.0, 220.0), scale=80.0)  # its chin is below the picture
    assert measure_beard(picture(low, shape=(256, 256)), low) is None
