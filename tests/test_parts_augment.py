"""The parts-augment verb: face folders in, a face folder that train takes out."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from tiny import SIDE, draw_faces, write_faces

from faceswap_gan.errors import FaceFolderError, NoFaceError, SettingsError
from faceswap_gan.faces.alignment import align, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.folder import RECORDS, FaceCrop, FaceFolder, FaceWriter, mask_folder
from faceswap_gan.faces.landmarks import Landmarks, MtcnnLandmarks
from faceswap_gan.media.images import read_image, read_mask, write_mask
from faceswap_gan.parts_augment import run
from faceswap_gan.training.face_set import read_faces


def _write(folder, side, count=16):
    """A person's face folder as extract leaves it."""
    with FaceWriter(folder, video={"video": side, "sha256": side}) as writer:
        for i, image in enumerate(draw_faces(side, count=count)):
            points = (template(200) + [30 + i, 20]).astype(np.float32)
            face = Face(np.float32([60 + i, 40, 180 + i, 200]), points, 0.9)
            writer.write(FaceCrop(image, 10 * i, 0, 512 * i, 0, face, align(points, size=SIDE)))
    return folder


@pytest.fixture
def people(tmp_path):
    return {side: _write(tmp_path / f"face_{side}", side) for side in ("src", "dst")}


def test_train_takes_what_is_written(people, tmp_path, caplog):
    out = tmp_path / "face_src_eyes"
    with caplog.at_level(logging.INFO):
        run(**people, output=out, parts=("eyes", "mouth"), neighbours=2)
    assert "32 faces and eye masks written" in caplog.text
    folder = FaceFolder(out)
    assert [path.name for path in folder.files[:3]] == ["000000_0.png", "000000_1.png", "000001_0.png"]
    record = json.loads((out / RECORDS).read_text().splitlines()[0])
    assert record["video"] == "face_src and face_dst: eyes mouth onto dst"
    caplog.clear()
    read = read_faces(out, size=SIDE)
    assert len(read.faces) == 32
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not warnings, "every face has its eye mask"
    assert read.masks[..., 0].max() == 255


def test_only_the_part_is_of_the_other_person(people, tmp_path):
    run(**people, output=tmp_path / "out", parts=("mouth",))
    originals = [read_image(path) for path in FaceFolder(people["dst"]).files]
    for crop in FaceFolder(tmp_path / "out"):
        apart = [int((crop.image != each).any(axis=2).sum()) for each in originals]
        base = originals[int(np.argmin(apart))]
        changed = (crop.image != base).any(axis=2)
        assert 0 < changed.mean() < 0.2
        assert not changed[: SIDE // 2].any()
        np.testing.assert_allclose(crop.landmarks, template(SIDE), atol=0.05)


def test_the_other_way_round_src_receives(people, tmp_path):
    write_mask(mask_folder(people["src"]) / "000020_0.png", np.full((32, 32), 77, np.uint8))
    run(**people, output=tmp_path / "out", parts=("eyes",), onto="src")
    for i, crop in enumerate(FaceFolder(tmp_path / "out")):
        original = FaceFolder(people["src"]).read(i)
        assert 0 < (crop.image != original.image).any(axis=2).mean() < 0.2
        assert (crop.frame, crop.pts) == (i, 512 * i)
    masks = [read_mask(path) for path in sorted(mask_folder(tmp_path / "out").iterdir())]
    assert len(masks) == 16
    assert (masks[2] == 77).all()  # made by hand: kept
    assert masks[3].max() == 255


def test_running_again_replaces_and_other_parts_are_refused(people, tmp_path):
    out = tmp_path / "out"
    run(**people, output=out, neighbours=2)
    run(**people, output=out)
    assert len(FaceFolder(out)) == 16
    with pytest.raises(FaceFolderError, match="already holds faces of face_src and face_dst: eyes onto dst"):
        run(**people, output=out, parts=("nose",))


class Meshed:
    """Gives the detector's points a little lower, and to everybody the same expression."""

    name = "mesh"

    def find(self, image, face):
        points = np.asarray(face.landmarks + [0, 3], np.float32)
        return Landmarks(points, None, np.zeros(52, np.float32), 1.0)


def _pictures(folder):
    return {path.name: path.read_bytes() for path in FaceFolder(folder).files}


@pytest.mark.parametrize("onto", ["dst", "src"])
def test_running_again_with_other_points_or_matches_keeps_no_old_picture(people, tmp_path, monkeypatch, onto):
    providers = {"mtcnn": MtcnnLandmarks(), "mesh": Meshed()}
    monkeypatch.setattr("faceswap_gan.faces.landmarks.open_landmarks", lambda name, **_: providers[name])
    before = {}
    for i, more in enumerate(({}, {"landmarks": "mesh"}, {"landmarks": "mesh", "match": "blendshapes"})):
        for out in (tmp_path / "out", tmp_path / f"new_{i}"):
            run(**people, output=out, onto=onto, **more)
        now = _pictures(tmp_path / "out")
        assert now == _pictures(tmp_path / f"new_{i}")
        assert now != before
        before = now


def test_running_again_with_other_facts_of_the_same_pictures_keeps_none_either(people, tmp_path):
    run(**people, output=tmp_path / "out")
    before = _pictures(tmp_path / "out")
    facts = people["src"] / RECORDS
    records = [json.loads(line) for line in facts.read_text().splitlines()]
    for record in records:
        record["landmarks"][0][0] += 12
    facts.write_text("".join(json.dumps(record) + "\n" for record in records))
    for out in (tmp_path / "out", tmp_path / "new"):
        run(**people, output=out)
    assert before != _pictures(tmp_path / "out") == _pictures(tmp_path / "new")


def test_pictures_without_landmarks_are_searched(people, tmp_path, monkeypatch, caplog):
    plain = write_faces(tmp_path / "plain", "src")
    with pytest.raises(NoFaceError, match="plain"):
        run(plain, people["dst"], tmp_path / "out")
    assert "16 of 16 pictures" in caplog.text
    face = Face(np.float32([5, 5, 60, 60]), template(SIDE).astype(np.float32), 0.8)
    monkeypatch.setattr("faceswap_gan.faces.search.FaceSearch.find", lambda self, image: face)
    run(plain, people["dst"], tmp_path / "out", onto="src")
    crop = FaceFolder(tmp_path / "out").read(3)
    np.testing.assert_allclose(crop.landmarks, template(SIDE), atol=1e-3)


@pytest.mark.parametrize("match", ["features", "blendshapes"])
def test_faces_that_the_mesh_does_not_see_are_left_out(people, tmp_path, monkeypatch, caplog, match):
    class Blind:
        name = "mesh"

        def find(self, image, face):
            seen = image.mean() > means[0]
            return Landmarks(face.landmarks, None, np.zeros(52, np.float32), float(seen))

    means = sorted(read_image(path).mean() for path in FaceFolder(people["dst"]).files)
    monkeypatch.setattr("faceswap_gan.faces.landmarks.open_landmarks", lambda *a, **k: Blind())
    run(**people, output=tmp_path / "out", landmarks="mesh", match=match)
    assert "1 of 16 pictures in " in caplog.text
    assert "no face that mesh sees" in caplog.text


def test_parts_outside_of_every_picture_are_an_error(people, tmp_path, monkeypatch):
    empty = [SimpleNamespace(changed=np.zeros((4, 4), np.uint8))]
    monkeypatch.setattr("faceswap_gan.conversion.part_faces.sew_faces", lambda *a, **k: iter(empty))
    with pytest.raises(NoFaceError, match="got 1 without"):
        run(**people, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_settings_are_clear_errors(people, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(SettingsError, match="--parts"):
        run(**people, output=out, parts=())
    with pytest.raises(SettingsError, match="--landmarks mesh for --match blendshapes"):
        run(**people, output=out, match="blendshapes")
    with pytest.raises(SettingsError, match="beside the face folders"):
        run(**people, output=people["dst"])
    with pytest.raises(SettingsError, match="--neighbours between 1 and 16"):
        run(**people, output=out, neighbours=17)
    with pytest.raises(FaceFolderError, match="missing"):
        run(tmp_path / "none", people["dst"], out)
    assert not out.exists()
