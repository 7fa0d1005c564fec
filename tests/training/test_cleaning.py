"""Blurred faces and near-duplicates are found, listed and not drawn; motion keeps them."""

from __future__ import annotations

import csv
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tiny import UNCHANGED, tiny_settings

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import held_out
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.cleaning import clean, find_left_out
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.held_out import hold_out

COUNT = 40
BLURRED, COPIES = [5, 17], {9: 8, 10: 8, 30: 2}


def _line(length):
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1.0 / length
    return kernel


def _faces(seed):
    """Detailed pictures that differ; some are moved, some come again with a little noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(90, 170, (COUNT, 8, 8, 3))
    detail = cv2.GaussianBlur(rng.normal(0, 60, (128, 128)), (0, 0), 1.0)[..., None]
    faces = np.stack([cv2.resize(each, (128, 128), interpolation=cv2.INTER_CUBIC) + detail for each in coarse])
    faces = np.clip(faces, 0, 255)
    for index, original in COPIES.items():
        faces[index] = faces[original] + rng.normal(0, 2, faces[original].shape)
    for index in BLURRED:
        faces[index] = cv2.filter2D(faces[index], -1, _line(21))
    return np.clip(faces, 0, 255).astype(np.uint8)


def _person(seed):
    faces = _faces(seed)
    small = np.stack([cv2.resize(face, (64, 64), interpolation=cv2.INTER_AREA) for face in faces])
    files = tuple(f"{index:06d}_0.png" for index in range(COUNT))
    return FaceSet(faces, faces, small, small, None, files)


@pytest.fixture(scope="module")
def pair():
    return {side: _person(seed) for seed, side in enumerate(SIDES)}


def test_blurred_faces_and_copies_are_found(pair):
    found = find_left_out(pair["src"].faces)
    assert np.flatnonzero(found.blurred).tolist() == BLURRED
    assert {int(i): int(found.same_as[i]) for i in np.flatnonzero(found.same_as >= 0)} == COPIES
    assert found.drawn.sum() == COUNT - len(BLURRED) - len(COPIES)


def test_a_blink_is_no_copy():
    still = np.repeat(_faces(0)[:1], 3, axis=0)
    still[2, 48:56, 32:48] += 25  # half an eye of 16 x 8 px
    assert find_left_out(still).same_as.tolist() == [-1, 0, -1]


def test_a_blurred_face_is_nobodys_original(pair):
    faces = pair["src"].faces.copy()
    faces[6] = faces[5]  # both blurred
    assert find_left_out(faces).same_as[6] == -1


def test_what_is_left_out_is_listed(pair, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    report = tmp_path / "logs" / "left_out.csv"
    cleaned = clean(pair, report)
    with report.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["side"] == "dst"]
    assert [row["file"] for row in rows if row["reason"] == "blurred"] == ["000005_0.png", "000017_0.png"]
    copies = {row["file"]: row["duplicate_of"] for row in rows if row["reason"] == "near-duplicate"}
    assert copies == {f"{i:06d}_0.png": f"{original:06d}_0.png" for i, original in COPIES.items()}
    assert "dst: of 40 faces 2 are blurred and 3 nearly equal an earlier one" in caplog.text
    assert all(cleaned[side].faces is pair[side].faces for side in SIDES)


def test_they_are_not_drawn_but_motion_keeps_them(pair, tmp_path):
    settings = tiny_settings("fast", training={"batch": 8, "pairs": 8, "balance": 0.5})
    settings = replace(settings, augmentation=UNCHANGED)
    maker = BatchMaker(clean(pair, tmp_path / "left_out.csv"), settings)
    left_out = [*BLURRED, *COPIES]
    crops, samples, moving = pair["dst"].crops.astype(int), set(), set()
    for step in range(30):
        batch = maker.make(step)
        samples |= {int(np.abs(crops - target).mean(axis=(1, 2, 3)).argmin()) for target in batch["dst_target"]}
        moving |= {i for crop in batch["pair_crops"] for i in np.flatnonzero((crops == crop).all(axis=(1, 2, 3)))}
    assert not samples & set(left_out)
    assert len(samples) > 25
    assert moving >= set(left_out)


def test_a_still_is_refused(pair, tmp_path):
    still = {side: replace(person, faces=np.repeat(person.faces[:1], COUNT, axis=0)) for side, person in pair.items()}
    with pytest.raises(
        FaceFolderError, match="16 faces of src that are sharp and differ, got 1 of 40; train without"
    ):
        clean(still, tmp_path / "left_out.csv")


def test_held_out_faces_keep_what_is_known_of_them(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "FEWEST", 16)
    cleaned = clean(pair, tmp_path / "left_out.csv")
    for person in hold_out(cleaned, 0.25):
        number = len(person["src"].crops)
        assert len(person["src"].drawn) == len(person["src"].files) == number
    assert hold_out(cleaned, 0.25)[0]["src"].drawn.tolist() == cleaned["src"].drawn[:30].tolist()
