"""Tests of the masks verb."""

import logging

import numpy as np
import pytest

from faceswap_gan import extract, masks
from faceswap_gan.errors import FaceFolderError, SettingsError
from faceswap_gan.faces.folder import FaceFolder, mask_folder
from faceswap_gan.media.images import read_image, read_mask, write_image


def test_eyes_of_extracted_faces_are_marked(facedata, tmp_path):
    faces = tmp_path / "face_src"
    extract.run(facedata / "images" / "carell.jpg", faces)
    masks.run(faces)
    (crop,) = FaceFolder(faces)
    mask = read_mask(tmp_path / "binary_masks" / "face_src_eyes" / crop.name)
    assert mask.shape == (256, 256)
    for x, y in np.rint(crop.landmarks[:2]).astype(int):
        assert mask[y, x] == 255


def test_plain_pictures_are_searched_and_black_masks_reported(facedata, tmp_path, caplog):
    faces = tmp_path / "mine"
    write_image(faces / "a.png", read_image(facedata / "images" / "carell.jpg"))
    write_image(faces / "b.png", np.full((64, 64, 3), 128, np.uint8))
    with caplog.at_level(logging.INFO, "faceswap_gan"):
        masks.run(faces)
    assert "1 of 2 pictures show no face" in caplog.text
    assert read_mask(mask_folder(faces) / "a.png").max() == 255
    assert read_mask(mask_folder(faces) / "b.png").max() == 0


def test_parts_from_the_mesh_go_to_a_folder_each(facedata, tmp_path, caplog):
    pytest.importorskip("ai_edge_litert", reason="the mesh extra is not installed")
    faces = tmp_path / "face_dst"
    extract.run(facedata / "images" / "carell.jpg", faces)
    weights = facedata / "weights"
    with caplog.at_level(logging.INFO, "faceswap_gan"):
        masks.run(faces, parts=("mouth", "face", "mouth"), landmarks="mesh", weights_dir=weights)
    (crop,) = FaceFolder(faces)
    drawn = {part: read_mask(mask_folder(faces, part) / crop.name) for part in ("mouth", "face")}
    middle = np.argwhere(drawn["mouth"] > 127).mean(axis=0)[::-1]
    x, y = np.rint(middle).astype(int)
    assert drawn["mouth"][y, x] == drawn["face"][y, x] == 255
    # The detector's corners lie by the upper edge of these lips, where the mask is soft: it tells the place only.
    apart = np.linalg.norm(middle - crop.landmarks[3:].mean(axis=0))
    assert apart < 0.1 * np.linalg.norm(crop.landmarks[1] - crop.landmarks[0])
    assert (drawn["face"] > 127).mean() > 5 * (drawn["mouth"] > 127).mean() > 0
    assert not mask_folder(faces).exists()
    assert caplog.text.count("masks of mouth") == 1


def test_faces_that_the_mesh_does_not_see_are_drawn_from_five_points_and_counted(facedata, tmp_path, caplog):
    pytest.importorskip("ai_edge_litert", reason="the mesh extra is not installed")
    faces = tmp_path / "face_dst"
    extract.run(facedata / "images" / "carell.jpg", faces)
    (file,) = FaceFolder(faces).files
    write_image(file, np.zeros((256, 256, 3), np.uint8))
    with caplog.at_level(logging.INFO, "faceswap_gan"):
        masks.run(faces, landmarks="mesh", weights_dir=facedata / "weights")
    assert "mesh did not see 1 of 1 faces" in caplog.text
    assert read_mask(mask_folder(faces) / file.name).max() == 255


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FaceFolderError):
        masks.run(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "settings", [{"parts": ()}, *({"blur": value} for value in (np.inf, np.nan, 9.0)), {"dilate": np.nan}]
)
def test_settings_out_of_range_write_nothing(tmp_path, settings):
    write_image(tmp_path / "mine" / "a.png", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(SettingsError, match=r"parts|blur|dilate"):
        masks.run(tmp_path / "mine", **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_is_no_face_folder(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(FaceFolderError, match="is a file"):
        masks.run(tmp_path / "a.mp4")
