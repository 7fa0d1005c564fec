"""Lessons: one person's pictures bent onto the other's pose and expression."""

from __future__ import annotations

import numpy as np
import pytest
from heads import draw_topology, faces_of, head, looks, picture, shrink
from tiny import tiny_settings

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.faces.mesh_shape import mix_meshes, resize_mesh
from faceswap_gan.media.images import resize
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import lessons as lessons_of
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.lessons import find_meshes, make_lessons, outline_faces, spread_runs

TOPOLOGY = draw_topology()
COUNT, SIDE = 40, 64
SKIN = {"src": (220, 120, 90), "dst": (90, 160, 110)}


@pytest.fixture(scope="module")
def meshes():
    return {side: {i: head(scale=scale, **look) for i, look in enumerate(looks(COUNT))} for side, scale in
            (("src", 40.0), ("dst", 34.0))}  # fmt: skip


@pytest.fixture(scope="module")
def people(meshes):
    return {side: faces_of(meshes[side], side=SIDE, skin=SKIN[side]) for side in SIDES}


@pytest.fixture(scope="module")
def lessons(people, meshes):
    for side in SIDES:
        outline_faces(people[side], meshes[side])
    return make_lessons(people, meshes, TOPOLOGY)


@pytest.mark.parametrize("side", SIDES)
def test_a_lesson_shows_the_other_person_where_the_footage_is(lessons, people, side):
    other = SIDES[1 - SIDES.index(side)]
    lesson = lessons[side]
    assert lesson.pictures.shape == lesson.footage.shape == (2 * COUNT, SIDE, SIDE, 3)
    assert lesson.trust.shape == (2 * COUNT, SIDE, SIDE, 1)
    assert np.array_equal(lesson.footage[:COUNT], people[side].crops)
    truth = people[other].crops  # both clips show the same looks at the same time
    for index in range(0, COUNT, 7):
        sure = lesson.trust[index, ..., 0] > 250
        assert sure.sum() > 0.1 * SIDE**2
        apart = np.abs(lesson.pictures[index].astype(int) - truth[index]).mean(axis=2)[sure]
        assert apart.mean() < 8


@pytest.mark.parametrize("side", SIDES)
def test_half_of_the_lessons_are_of_frames_bent_towards_other_moments(lessons, people, meshes, side):
    other, lesson = SIDES[1 - SIDES.index(side)], lessons[side]
    assert list(lesson.frames) == 2 * list(range(COUNT))
    apart = []
    for index in range(0, COUNT, 7):
        row, moment = COUNT + index, (index + round(0.38 * COUNT)) % COUNT
        sure = lesson.trust[row, ..., 0] > 250
        for shown, whose in ((lesson.footage[row], side), (lesson.pictures[row], other)):
            mesh = mix_meshes(meshes[whose][index], meshes[whose][moment], 0.35)
            truth = shrink([picture(mesh, skin=SKIN[whose])], SIDE)[0]
            assert np.abs(shown.astype(int) - truth).mean(axis=2)[sure].mean() < 8
            if whose == side:
                apart.append([np.abs(lesson.footage[i].astype(int) - truth).mean() for i in (row, index)])
        region, filmed = (lesson.footage_masks[at][..., 2] > 128 for at in (row, index))
        assert 0.9 < region.sum() / filmed.sum() < 1.1
    bent, as_filmed = np.sum(apart, axis=0)
    assert bent < 0.5 * as_filmed


def _openings(pictures):
    """How many px of a column are dark between the lips, at most."""
    mouths = pictures[:, 40:50, 28:36, 1].astype(float)
    return ((120 - mouths) / 100).clip(0, 1).sum(axis=1).max(axis=1)


def test_a_mouth_opens_and_shuts_as_the_footages_does(monkeypatch):
    """dst's mouth hardly moves: what src's footage does with theirs is shown by bending a picture."""
    monkeypatch.setattr(lessons_of, "_MOST", COUNT)
    moving = 0.02 + 0.1 * (1 + np.sin(np.arange(COUNT) / 3))
    looks = {"src": (40.0, moving), "dst": (34.0, np.full(COUNT, 0.1))}
    meshes = {side: {i: head(scale=scale, mouth=mouth) for i, mouth in enumerate(mouths)}
              for side, (scale, mouths) in looks.items()}  # fmt: skip
    people = {side: faces_of(meshes[side], side=SIDE, skin=SKIN[side], lips=(220, 130, 160)) for side in SIDES}
    for side in SIDES:
        outline_faces(people[side], meshes[side])
    lesson = make_lessons(people, meshes, TOPOLOGY)["src"]
    filmed, shown = _openings(lesson.footage), _openings(lesson.pictures)
    assert np.ptp(filmed) > 3
    # not as far: drawn heads have points between the lips that stay where they are
    assert np.ptp(shown) > 0.5 * np.ptp(filmed)
    assert np.corrcoef(filmed, shown)[0, 1] > 0.9


def test_long_footage_needs_no_bent_frames(people, meshes, monkeypatch):
    monkeypatch.setattr(lessons_of, "_MOST", COUNT + 3)
    for lesson in make_lessons(people, meshes, TOPOLOGY).values():
        assert list(lesson.frames) == [*range(COUNT), 0, 1, 2]


def test_the_painted_region_is_both_faces(lessons, people):
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        painted = lessons[side].masks[:COUNT, ..., 2].astype(float)
        both = np.maximum(*(people[each].crop_masks[..., 2].astype(float) for each in (side, other)))
        assert np.median(abs(painted.sum(axis=(1, 2)) / both.sum(axis=(1, 2)) - 1)) < 0.03
        assert np.abs(painted - both).mean() < 3


def test_one_dark_picture_makes_no_beard(meshes):
    """A shadow under the chin now and then is none, and a beard that is lit now and then is one."""
    dark, areas = {"few": range(5), "most": range(35)}, {}
    for name, which in dark.items():
        people = faces_of(meshes["src"], side=SIDE, skin=SKIN["src"])
        for index in which:
            mouth = meshes["src"][index].points[tp.LIPS_OUTER[0], 1]
            people.faces[index][int(mouth) :] //= 8
        outline_faces(people, meshes["src"])
        areas[name] = people.masks[:, 90:, :, 2].astype(float).sum(axis=(1, 2))
    assert (areas["most"][:5] > 1.02 * areas["few"][:5]).all()
    assert np.array_equal(areas["most"][36:], areas["few"][36:])


def test_a_larger_face_is_covered_with_the_others_skin(lessons, people):
    """src is larger: where only its face is, its lessons show skin of dst, not what was around dst."""
    lesson = lessons["src"]
    own, theirs = (people[each].crop_masks[..., 2] for each in SIDES)
    for index in range(0, COUNT, 7):
        only = (own[index] > 250) & (theirs[index] < 5)
        assert only.sum() >= 16
        assert np.abs(lesson.pictures[index][only].astype(int) - SKIN["dst"]).max() < 12
        assert lesson.trust[index][only].min() > 240


def test_batches_take_pairs_and_lessons_of_the_same_frames(lessons, people):
    settings = tiny_settings("fast", training={"pairs": 6}, lesson=1.0)
    batch = BatchMaker(people, settings, lessons).make(3)
    assert batch["pair_pictures"].shape == batch["pair_crops"].shape == (12, SIDE, SIDE, 3)
    assert batch["pair_trust"].shape == (12, SIDE, SIDE, 1)
    kinds = []
    for row in range(12):
        crop, picture, masks, trust, filmed = (
            batch[f"pair_{name}"][row] for name in ("crops", "pictures", "masks", "trust", "footage")
        )
        person = SIDES[batch["pair_person"][row]]
        is_turned = not np.array_equal(crop, filmed)  # the lesson is seen, the footage is to be painted
        kinds.append(is_turned)
        whose = person if is_turned else SIDES[1 - SIDES.index(person)]
        at = [np.abs(np.stack([each, each[:, ::-1]]).astype(int) - filmed).reshape(2, -1).max(axis=1)
              for each in lessons[whose].footage]  # fmt: skip
        own = lessons[whose].footage_masks if is_turned else lessons[whose].masks
        sure = own[..., 2:3] if is_turned else lessons[whose].trust
        assert np.array_equal(picture if is_turned else crop, filmed)
        found = []
        for frame, flip in np.argwhere(np.asarray(at) == 0):
            mirror = slice(None, None, -1 if flip else 1)
            expected = lessons[whose].pictures[frame], own[frame], sure[frame]
            got = crop if is_turned else picture, masks, trust
            found.append(all(np.array_equal(a, b[:, mirror]) for a, b in zip(got, expected, strict=True)))
        assert any(found)
    assert {True, False} == set(kinds)


def test_pictures_of_another_size_make_the_same_lessons(people, lessons, meshes):
    faces = np.stack([resize(each, 256) for each in people["dst"].faces])
    larger = {i: resize_mesh(mesh, 2.0) for i, mesh in meshes["dst"].items()}
    dst = FaceSet(
        faces=faces,
        masks=np.zeros_like(faces),
        crops=people["dst"].crops,
        crop_masks=np.zeros_like(people["dst"].crops),
    )
    outline_faces(dst, larger)
    for side, made in make_lessons({**people, "dst": dst}, {**meshes, "dst": larger}, TOPOLOGY).items():
        assert np.abs(made.pictures.astype(int) - lessons[side].pictures).mean() < 2
        assert np.abs(made.masks.astype(int) - lessons[side].masks).mean() < 4


def test_few_meshes_are_an_error(people, meshes):
    few = {"src": meshes["src"], "dst": dict(list(meshes["dst"].items())[:9])}
    with pytest.raises(FaceFolderError, match="at least 32 faces of dst .* got 9; .*--teacher none"):
        make_lessons(people, few, TOPOLOGY)


def test_meshes_are_asked_for_where_the_face_is(people):
    class Provider:
        name = "mesh"

        def find(self, image, face):
            assert image.shape == (128, 128, 3)
            assert (face.box[:2] < face.landmarks.min(axis=0)).all()
            assert (face.box[2:] > face.landmarks.max(axis=0)).all()
            score = 0.1 if np.array_equal(image, people["src"].faces[5]) else 0.9
            return Landmarks(np.zeros((478, 2), np.float32), None, None, score)

    assert set(find_meshes(people["src"], Provider)) == set(range(COUNT)) - {5}


def test_meshes_are_asked_for_where_the_landmarks_are():
    five = np.float32([[-10, 0], [10, 0], [0, 12], [-8, 22], [8, 22]])  # of a head 20 px wide between the eyes
    aside, nodding = five * np.float32([0.5, 1]), five * np.float32([1, 0.5])
    shifts = np.float32([[30, 20], [36, 15], [25, 31], [30, 20]])
    known = np.stack([five, five, aside, nodding]) + shifts[:, None]
    landmarks = np.concatenate([known, np.full((1, 5, 2), np.nan, np.float32)])
    faces = np.tile(np.arange(5, dtype=np.uint8)[:, None, None, None], (1, 128, 128, 3))
    asked = {}

    class Provider:
        name = "mesh"

        def find(self, image, face):
            asked[int(image[0, 0, 0])] = face
            return Landmarks(np.zeros((478, 2), np.float32), None, None, 0.9)

    find_meshes(FaceSet(faces, faces, shrink(faces, SIDE), shrink(faces, SIDE), landmarks), Provider)
    expected = [*((known + 0.5) * 2 - 0.5), template(128)]  # the pictures have twice the crops' side
    for index, points in enumerate(expected):
        np.testing.assert_allclose(asked[index].landmarks, points, atol=1e-3)
    for index in range(len(known)):
        low, high = asked[index].box.reshape(2, 2)
        middle = (expected[index][:2].mean(axis=0) + expected[index][3:].mean(axis=0)) / 2
        np.testing.assert_allclose(high - low, 2.85 * 40, rtol=0.01)
        np.testing.assert_allclose((low + high) / 2, middle - [0, 0.215 * 40], atol=0.4)


def test_runs_are_spread_over_all():
    assert spread_runs([3, 5, 9], 3, 2) == [3, 5, 9]
    chosen = spread_runs(list(range(1000)), 40, 8)
    assert len(chosen) == 40
    assert chosen[:8] == list(range(8))
    assert chosen[-8:] == list(range(992, 1000))
