"""Face folders as training reads them."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from tiny import COUNT, SIDE, draw_faces, write_faces

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.alignment import Alignment, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.folder import FaceCrop, FaceWriter, mask_folder
from faceswap_gan.media.images import write_image, write_mask
from faceswap_gan.training import store
from faceswap_gan.training.face_set import read_faces


def test_too_few_faces(tmp_path):
    folder = write_faces(tmp_path / "few", "src", count=15)
    with pytest.raises(FaceFolderError, match="at least 16 faces in .*few, got 15"):
        read_faces(folder, size=SIDE)


def test_a_missing_folder(tmp_path):
    with pytest.raises(FaceFolderError, match="missing"):
        read_faces(tmp_path / "nowhere", size=SIDE)


def test_a_plain_folder_without_masks_warns(tmp_path, caplog):
    faces = read_faces(write_faces(tmp_path / "plain", "src", masks=False), size=SIDE)
    assert "16 of 16 faces" in caplog.text
    assert "faceswap-gan masks" in caplog.text
    assert not faces.masks[..., 0].any()
    assert faces.masks[..., 1].max() == faces.masks[..., 2].max() == 255, "mouth and face by the template"


def test_a_folder_with_masks_does_not_warn(people, caplog, tmp_path):
    read_faces(write_faces(tmp_path / "full", "dst"), size=SIDE)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert all(faces.masks[..., 0].max() == 255 for faces in people.values())


def test_masks_of_another_format_count(tmp_path, caplog):
    folder = tmp_path / "old"
    for index, face in enumerate(draw_faces("src")):
        write_image(folder / f"{index}.jpg", face)
        write_mask(mask_folder(folder) / f"{index}.jpg", np.full((SIDE, SIDE), 200, np.uint8))
    faces = read_faces(folder, size=SIDE)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert np.abs(faces.masks[..., 0].astype(int) - 200).max() <= 2


def test_a_small_first_picture_makes_not_all_of_them_small(tmp_path):
    for index, face in enumerate(draw_faces("src", size=300)):
        write_image(tmp_path / "faces" / f"{index:02d}.png", face if index else face[::10, ::10])
    assert read_faces(tmp_path / "faces", size=SIDE).faces.shape[1] == 2 * SIDE


def test_sizes(tmp_path):
    for index, face in enumerate(draw_faces("src", size=300)):
        write_image(tmp_path / "faces" / f"{index}.png", face[: 300 - index])  # not even square
    faces = read_faces(tmp_path / "faces", size=SIDE)
    assert faces.faces.shape == faces.masks.shape == (COUNT, 2 * SIDE, 2 * SIDE, 3)
    assert faces.crops.shape == faces.crop_masks.shape == (COUNT, SIDE, SIDE, 3)


def test_masks_follow_the_landmarks(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"a video")
    with FaceWriter(tmp_path / "faces", video=tmp_path / "video.mp4") as writer:
        for index, image in enumerate(draw_faces("src")):
            points = template(SIDE).astype(np.float32) + np.float32([index % 2 * 12, 0])
            face = Face(np.float32([0, 0, SIDE, SIDE]), points, 1.0)
            writer.write(FaceCrop(image, index, face=face, alignment=Alignment(np.eye(2, 3), SIDE)))
    faces = read_faces(tmp_path / "faces", size=SIDE)
    mouths = faces.masks[..., 1].astype(float)
    columns = (mouths * np.arange(SIDE)).sum(axis=(1, 2)) / mouths.sum(axis=(1, 2))
    assert columns[1::2].mean() - columns[::2].mean() == pytest.approx(12, abs=0.5)
    assert faces.files == tuple(f"{index:06d}_0.png" for index in range(COUNT))
    expected = template(SIDE) + np.float32([12, 0])
    np.testing.assert_allclose(faces.landmarks[1], expected, atol=0.01)


def test_landmarks_are_in_px_of_the_crops(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"a video")
    with FaceWriter(tmp_path / "faces", video=tmp_path / "video.mp4") as writer:
        for index, image in enumerate(draw_faces("src", size=2 * SIDE)):
            face = Face(np.float32([0, 0, 9, 9]), template(2 * SIDE).astype(np.float32), 1.0)
            writer.write(FaceCrop(image, index, face=face, alignment=Alignment(np.eye(2, 3), 2 * SIDE)))
    (tmp_path / "faces" / "000003_0.png").rename(tmp_path / "faces" / "plain.png")
    faces = read_faces(tmp_path / "faces", size=SIDE)
    np.testing.assert_allclose(faces.landmarks[:-1], np.broadcast_to(template(SIDE), (COUNT - 1, 5, 2)), atol=0.01)
    assert np.isnan(faces.landmarks[-1]).all(), "a plain picture's are unknown"


def test_a_plain_folder_has_no_landmarks(people):
    assert all(faces.landmarks is None for faces in people.values())


def test_nothing_is_kept_twice(tmp_path):
    faces = read_faces(write_faces(tmp_path / "faces", "src"), size=SIDE)
    assert faces.crops is faces.faces, "crops of the network's own size"
    assert faces.crop_masks is faces.masks


def test_a_mapped_file_holds_the_same(people, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "free_bytes", lambda: 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    mapped = read_faces(write_faces(tmp_path / "faces", "dst"), size=SIDE)
    for name in ("faces", "masks", "crops", "crop_masks"):
        np.testing.assert_array_equal(getattr(mapped, name), getattr(people["dst"], name))
