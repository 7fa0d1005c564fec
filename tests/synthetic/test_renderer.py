from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.synthetic.marks import NAMES
from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.person import MAYA, THEO, Person
from faceswap_gan.synthetic.renderer import Rendered, render

PEOPLE = pytest.mark.parametrize("person", [MAYA, THEO], ids=lambda p: p.name)


def _at(mask: np.ndarray, point: np.ndarray) -> int:
    column, row = np.round(point).astype(int)
    return int(mask[row, column])


def _mark(drawn: Rendered, name: str) -> np.ndarray:
    return drawn.points[NAMES.index(name)]


@PEOPLE
def test_shapes_and_types(person: Person) -> None:
    drawn = render(person, Pose(), size=200)
    assert drawn.image.shape == (200, 200, 3)
    assert drawn.image.dtype == np.uint8
    assert drawn.landmarks.shape == (5, 2)
    assert drawn.landmarks.dtype == np.float32
    assert drawn.points.shape == (len(NAMES), 2)
    for mask in (drawn.eye_mask, drawn.face_mask):
        assert mask.shape == (200, 200)
        assert mask.dtype == np.uint8
        assert mask.max() == 255


def test_same_arguments_same_pixels() -> None:
    pose = Pose(yaw=12, pitch=-4, jaw=0.6, smile=0.4, gaze_x=0.3)
    first, second = render(THEO, pose), render(dataclasses.replace(THEO), pose)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.face_mask, second.face_mask)


@PEOPLE
@pytest.mark.parametrize("pose", [Pose(), Pose(yaw=18, pitch=6), Pose(yaw=-18, roll=8, jaw=0.9, smile=0.7)])
def test_landmarks_lie_on_what_they_name(person: Person, pose: Pose) -> None:
    drawn = render(person, pose)
    left, right, nose, mouth_left, mouth_right = drawn.landmarks
    for eye in (left, right):
        assert _at(drawn.eye_mask, eye) > 200
    for point in drawn.landmarks:
        assert _at(drawn.face_mask, point) > 200
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < mouth_right[0]
    assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])


def test_the_eyes_are_sixty_pixels_apart() -> None:
    for person in (MAYA, THEO):
        left, right = render(person, Pose()).landmarks[:2]
        assert 58 < right[0] - left[0] < 70


@PEOPLE
def test_a_blink_empties_the_eye_mask(person: Person) -> None:
    areas = [render(person, Pose(blink_left=b, blink_right=b)).eye_mask.astype(float).sum() for b in (0.0, 0.5, 1.0)]
    assert areas[0] > 2 * areas[1] * 0.8 > 0
    assert areas[2] == 0


def test_one_eye_can_blink() -> None:
    drawn = render(MAYA, Pose(blink_left=1.0))
    assert _at(drawn.eye_mask, drawn.landmarks[0]) == 0
    assert _at(drawn.eye_mask, drawn.landmarks[1]) > 200


@PEOPLE
def test_the_jaw_opens_the_lips(person: Person) -> None:
    closed, opened = render(person, Pose()), render(person, Pose(jaw=1.0))
    gaps = [_mark(d, "lip_lower_inner")[1] - _mark(d, "lip_upper_inner")[1] for d in (closed, opened)]
    assert gaps[0] < 1.0
    assert gaps[1] > 12.0
    inside = (_mark(opened, "lip_lower_inner") + _mark(opened, "lip_upper_inner")) / 2
    column, row = np.round(inside).astype(int)
    assert opened.image[row, column].mean() < 0.75 * np.mean(person.skin)
    assert _mark(opened, "chin")[1] > _mark(closed, "chin")[1] + 8


@PEOPLE
def test_expressions_move_the_points_they_should(person: Person) -> None:
    still = render(person, Pose())
    smiling, raised, rounded = (render(person, Pose(**{k: 1.0})) for k in ("smile", "brow", "round"))
    width = {id(d): _mark(d, "mouth_right")[0] - _mark(d, "mouth_left")[0] for d in (still, smiling, rounded)}
    assert width[id(rounded)] < width[id(still)] - 5 < width[id(smiling)] - 10
    assert _mark(smiling, "mouth_left")[1] < _mark(still, "mouth_left")[1] - 2
    assert _mark(raised, "brow_left_middle")[1] < _mark(still, "brow_left_middle")[1] - 3


@PEOPLE
def test_gaze_moves_the_iris(person: Person) -> None:
    def darkest(gaze: float) -> float:
        drawn = render(person, Pose(gaze_x=gaze))
        dark = np.where(drawn.eye_mask > 250, 255.0 - drawn.image.mean(axis=-1), 0.0)[:, :160] ** 3
        return float((dark * np.arange(160)).sum() / dark.sum())

    assert darkest(-0.8) < darkest(0.0) - 2 < darkest(0.8) - 4


@PEOPLE
def test_turning_moves_the_nose_the_way_the_angle_says(person: Person) -> None:
    still, right, down = render(person, Pose()), render(person, Pose(yaw=20)), render(person, Pose(pitch=12))
    assert right.landmarks[2][0] > still.landmarks[2][0] + 10
    drop = [d.landmarks[2][1] - d.landmarks[:2, 1].mean() for d in (still, down)]
    assert drop[1] > drop[0] - 12
    assert down.landmarks[0][1] > still.landmarks[0][1]


@pytest.mark.parametrize("pose", [Pose(), Pose(yaw=20, pitch=-6, roll=5), Pose(yaw=-15, x=0.03, scale=0.96)])
def test_two_people_in_one_pose_have_their_eyes_in_one_place(pose: Pose) -> None:
    eyes = [render(person, pose).landmarks[:2] for person in (MAYA, THEO)]
    assert np.abs(eyes[0] - eyes[1]).max() < 3.0


def test_two_people_in_one_pose_differ_in_the_face_and_not_in_the_room() -> None:
    room = np.full((320, 320, 3), (60, 120, 180), np.uint8)
    first, second = (render(p, Pose(light_power=1.0), background=room) for p in (MAYA, THEO))
    face = (first.face_mask > 250) & (second.face_mask > 250)
    error = (first.image[face].astype(float) - second.image[face]) ** 2
    assert 10 < 10 * np.log10(255**2 / error.mean()) < 18
    corner = (slice(0, 40), slice(0, 60))
    np.testing.assert_array_equal(first.image[corner], room[corner])
    np.testing.assert_array_equal(second.image[corner], room[corner])


def test_light_comes_from_where_the_pose_says() -> None:
    def left_minus_right(azimuth: float) -> float:
        drawn = render(THEO, Pose(light_azimuth=azimuth))
        face = drawn.face_mask > 250
        halves = face & (np.arange(320) < 160), face & (np.arange(320) >= 160)
        return float(drawn.image[halves[0]].mean() - drawn.image[halves[1]].mean())

    assert left_minus_right(-45) > 15
    assert left_minus_right(45) < -15


def test_a_small_or_mismatched_picture_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 64"):
        render(MAYA, Pose(), size=20)
    with pytest.raises(SettingsError, match="background"):
        render(MAYA, Pose(), size=128, background=np.zeros((64, 64, 3), np.uint8))
