"""Batches: the same for the same step, of the right people, in order."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from tiny import COUNT, SIDE, UNCHANGED, tiny_settings

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.batches import BatchMaker, prefetch
from faceswap_gan.training.face_set import FaceSet

SETTINGS = tiny_settings("fast", training={"batch": 5, "pairs": 7})


@pytest.fixture
def maker(people):
    return BatchMaker(people, SETTINGS)


def _same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_same_step_same_batch(people, maker):
    assert _same(maker.make(3), maker.make(3))
    assert _same(maker.make(3), BatchMaker(people, SETTINGS).make(3))


def test_another_step_or_seed_is_another_batch(people, maker):
    seeded = BatchMaker(people, replace(SETTINGS, training=replace(SETTINGS.training, seed=1)))
    for other in (maker.make(4), seeded.make(3)):
        differing = {name for name, value in maker.make(3).items() if not np.array_equal(value, other[name])}
        assert {"ratio", "src_warped", "dst_warped", "src_target", "pair_crops"} <= differing


def test_shapes_and_types(maker):
    batch = maker.make(0)
    pictures = {f"{side}_{name}": (5, SIDE, SIDE, 3) for side in SIDES for name in ("warped", "target", "masks")}
    pictures |= {"pair_crops": (14, SIDE, SIDE, 3), "pair_masks": (14, SIDE, SIDE, 3), "looks": (2, SIDE, SIDE, 3)}
    assert {name: value.shape for name, value in batch.items()} == {**pictures, "ratio": (1,), "pair_person": (14,)}
    assert {batch[name].dtype for name in pictures} == {np.dtype("uint8")}
    assert (batch["ratio"].dtype, batch["pair_person"].dtype) == ("float32", "int32")


def test_no_pairs_unless_asked_for(people):
    assert not {"pair_crops", "looks"} & BatchMaker(people, tiny_settings("classic")).make(0).keys()


def test_ratios_are_beta_distributed(people):
    settings = tiny_settings("classic", training={"batch": 1})
    maker = BatchMaker({side: _first(faces) for side, faces in people.items()}, settings)
    ratios = np.concatenate([maker.make(step)["ratio"] for step in range(300)])
    assert ratios.min() >= 0
    assert ratios.max() <= 1
    # Beta(0.2, 0.2) has mean 1/2 and variance 1 / (4 * 1.4)
    assert ratios.mean() == pytest.approx(0.5, abs=0.08)
    assert ratios.var() == pytest.approx(1 / 5.6, abs=0.03)


def _first(faces):
    return FaceSet(faces.faces[:1, :8, :8], faces.masks[:1, :8, :8], faces.crops[:1], faces.crop_masks[:1])


def test_samples_are_of_their_own_person(people):
    maker = BatchMaker(people, replace(SETTINGS, augmentation=UNCHANGED))
    seen = {side: set() for side in SIDES}
    for step in range(20):
        batch = maker.make(step)
        for side in SIDES:
            for target in batch[f"{side}_target"]:
                distances = np.abs(people[side].faces.astype(int) - target).max(axis=(1, 2, 3))
                assert distances.min() <= 1
                seen[side].add(int(distances.argmin()))
    assert all(len(faces) == COUNT for faces in seen.values()), "every face gets its turn"


def test_colours_come_from_the_other_person(people):
    settings = replace(SETTINGS, augmentation=replace(UNCHANGED, color_match=1.0))
    batch = BatchMaker(people, settings).make(0)
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        own, its = (people[who].crops.mean(axis=(0, 1, 2)) for who in (side, other))
        share = (batch[f"{side}_target"].mean(axis=(0, 1, 2)) - own) @ (its - own) / ((its - own) @ (its - own))
        assert 0.05 < share <= 1.05


def _origin(crop, people):
    """Which person's which face a crop is, and whether mirrored."""
    for side in SIDES:
        for mirrored, picture in ((False, crop), (True, crop[:, ::-1])):
            found = np.flatnonzero((people[side].crops == picture).all(axis=(1, 2, 3)))
            if len(found):
                return side, int(found[0]), mirrored
    raise AssertionError("nobody's face")


def test_pairs_are_two_frames_of_the_person_who_is_not_painted(people, maker):
    painted, distances, mirrors = [], [], []
    for step in range(40):
        batch = maker.make(step)
        origins = [_origin(crop, people) for crop in batch["pair_crops"]]
        for first, second, person in zip(origins[:7], origins[7:], batch["pair_person"][:7], strict=True):
            assert first[0] == second[0] == SIDES[1 - person]
            assert first[2] == second[2]
            painted.append(SIDES[person])
            distances.append((second[1] - first[1]) % COUNT)
            mirrors.append(first[2])
        assert np.array_equal(batch["pair_person"][:7], batch["pair_person"][7:])
    assert set(distances) == set(range(1, COUNT)), "two different frames, however far apart"
    assert np.mean(np.asarray(distances) <= 4) == pytest.approx(0.5 + 0.5 * 4 / 15, abs=0.08), "half are near"
    assert painted.count("src") / len(painted) == pytest.approx(0.75, abs=0.15)
    assert np.mean(mirrors) == pytest.approx(0.5, abs=0.2)


def _blinking(blink, shadow):
    """A person who only blinks once while once a shadow falls; the top row tells the frame."""
    faces = np.full((COUNT, SIDE, SIDE, 3), 120, np.uint8)
    faces[:, 0] = 10 * np.arange(COUNT)[:, None, None]
    faces[blink, 20:28] = 200
    faces[shadow, 40:] = 20
    masks = np.zeros_like(faces)
    masks[:, 20:28, :, 0] = masks[..., 2] = 255
    return FaceSet(faces, masks, faces, masks)


def test_near_pairs_begin_where_the_eyes_move():
    blink, shadow = 5, 11
    maker = BatchMaker({side: _blinking(blink, shadow) for side in SIDES}, SETTINGS)
    first = np.concatenate([maker.make(step)["pair_crops"][:7, 0, 0, 0] // 10 for step in range(40)])
    share = np.bincount(first, minlength=COUNT) / len(first)
    # half of the pairs are near, half of these begin where something moves: just before the blink, or in it
    assert share[[blink - 1, blink]] == pytest.approx(0.75 / COUNT + 0.125, abs=0.05)
    assert share[[shadow - 1, shadow]].max() < 2 / COUNT, "outside the eyes and the mouth nothing counts"


def test_masks_of_a_pair_are_its_frames(people):
    marked = {
        side: replace_masks(faces, np.arange(COUNT, dtype=np.uint8) + 100 * SIDES.index(side))
        for side, faces in people.items()
    }
    batch = BatchMaker(marked, SETTINGS).make(5)
    for crop, mask in zip(batch["pair_crops"], batch["pair_masks"], strict=True):
        side, index, mirrored = _origin(crop, people)
        column = SIDE - 1 if mirrored else 0
        assert mask[0, column, 0] == index + 100 * SIDES.index(side)
        assert mask[0, SIDE - 1 - column, 0] == 255, "masks are mirrored with their crops"


def replace_masks(faces, marks):
    """Masks that hold a mark on the left and 255 on the right."""
    masks = np.repeat(marks[:, None, None, None], SIDE, axis=1).repeat(SIDE, axis=2).repeat(3, axis=3)
    masks[:, :, SIDE // 2 :] = 255
    return FaceSet(faces.faces, faces.masks, faces.crops, masks)


def test_looks_are_mean_faces(people, maker):
    for look, side in zip(maker.make(0)["looks"], SIDES, strict=True):
        mean = people[side].crops.mean(axis=0)
        np.testing.assert_allclose(look, (mean + mean[:, ::-1]) / 2, atol=0.51)


def test_prefetch_keeps_the_order():
    def make(step):
        time.sleep(0.02 if step % 3 == 0 else 0.0)  # so that later ones are ready first
        return {"step": np.array(step)}

    batches = prefetch(make, start=40, threads=4)
    taken = [next(batches) for _ in range(9)]
    batches.close()
    assert [step for step, _ in taken] == list(range(40, 49))
    assert [int(batch["step"]) for _, batch in taken] == list(range(40, 49))


def test_prefetch_makes_no_more_than_it_should():
    made = []

    def make(step):
        made.append(step)
        return {}

    batches = prefetch(make, start=0, threads=2)
    for _ in range(5):
        next(batches)
    batches.close()
    assert set(range(5)) <= set(made) <= set(range(9))


def test_what_fails_in_a_thread_is_seen():
    def make(step):
        raise FaceFolderError(f"step {step}")

    with pytest.raises(FaceFolderError, match="step 7"):
        next(prefetch(make, start=7))
