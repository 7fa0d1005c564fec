"""Tests of faceswap_gan.faces.folder."""

import json

import numpy as np
import pytest

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.alignment import align, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.folder import RECORDS, FaceCrop, FaceFolder, FaceWriter, mask_file, mask_folder
from faceswap_gan.media.images import write_image


def crop(frame, index=0, size=64):
    landmarks = (template(100) + [frame, 20]).astype(np.float32)
    face = Face(np.asarray([frame, 20, frame + 100, 120], np.float32), landmarks, 0.97)
    image = np.full((size, size, 3), frame, np.uint8)
    return FaceCrop(image, frame, index, 512 * frame, 3, face, align(landmarks, size=size))


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"some video")
    return path


def write(folder, video, crops):
    with FaceWriter(folder, video=video) as writer:
        for one in crops:
            writer.write(one)


def test_what_is_written_is_read(tmp_path, video):
    write(tmp_path / "faces", video, [crop(5), crop(123), crop(123, 1)])
    folder = FaceFolder(tmp_path / "faces")
    assert [path.name for path in folder.files] == ["000005_0.png", "000123_0.png", "000123_1.png"]
    one, other = list(folder)[1], crop(123)
    assert (one.frame, one.index, one.pts, one.track, one.name) == (123, 0, 512 * 123, 3, "000123_0.png")
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_allclose(one.alignment.matrix, other.alignment.matrix)
    np.testing.assert_allclose(one.face.landmarks, other.face.landmarks, atol=1e-3)
    np.testing.assert_allclose(one.landmarks, template(64), atol=1e-2)
    np.testing.assert_allclose(one.face_in_crop.landmarks, one.landmarks, rtol=1e-5)
    record = json.loads((tmp_path / "faces" / RECORDS).read_text().splitlines()[0])
    assert record["video"] == "a.mp4"
    assert len(record["sha256"]) == 64


def test_a_crop_can_be_read_at_another_size(tmp_path, video):
    write(tmp_path / "faces", video, [crop(5)])
    one = FaceFolder(tmp_path / "faces").read(0, size=32)
    assert one.image.shape == (32, 32, 3)
    np.testing.assert_allclose(one.landmarks, template(32), atol=1e-2)


def test_a_plain_folder_of_pictures_reads_too(tmp_path):
    write_image(tmp_path / "me.jpg", np.zeros((40, 50, 3), np.uint8))
    (one,) = FaceFolder(tmp_path)
    assert one.image.shape == (50, 50, 3)
    assert one.landmarks is one.face_in_crop is None


def test_a_killed_run_leaves_a_readable_folder_and_can_be_repeated(tmp_path, video):
    faces = tmp_path / "faces"
    writer = FaceWriter(faces, video=video)
    writer.write(crop(1))
    writer.write(crop(2))  # and no clean end
    with (faces / RECORDS).open("a") as file:
        file.write('{"file": "000003_')
    assert [one.frame for one in FaceFolder(faces)] == [1, 2]
    write(faces, video, [crop(2), crop(3)])
    assert [one.frame for one in FaceFolder(faces)] == [2, 3]
    assert len((faces / RECORDS).read_text().splitlines()) == 2


class KillError(BaseException):
    """What stands for a kill."""


def killed(*_, **__):
    raise KillError


def test_a_run_killed_at_its_very_end_leaves_no_face_of_unknown_origin(tmp_path, video, monkeypatch):
    faces = tmp_path / "faces"
    for stop in ("pathlib.Path.unlink", "faceswap_gan.faces.folder.write_whole"):
        write(faces, video, [crop(1), crop(2)])
        with monkeypatch.context() as patch:
            patch.setattr(stop, killed)
            with pytest.raises(KillError):
                write(faces, video, [crop(2)])
        assert all(one.face is not None for one in FaceFolder(faces))
        write(faces, video, [crop(2)])
        assert [one.frame for one in FaceFolder(faces)] == [2]


def test_a_run_killed_at_its_very_first_picture_can_be_repeated(tmp_path, video, monkeypatch):
    def written_and_killed(path, image):
        write_image(path, image)
        raise KillError

    faces = tmp_path / "faces"
    with monkeypatch.context() as patch:
        patch.setattr("faceswap_gan.faces.folder.write_image", written_and_killed)
        with pytest.raises(KillError):
            write(faces, video, [crop(1)])
    assert [path.name for path in faces.glob("*.png")] == ["000001_0.png"]
    write(faces, video, [crop(1), crop(2)])
    assert [one.frame for one in FaceFolder(faces)] == [1, 2]


def test_an_error_keeps_what_there_is(tmp_path, video):
    faces = tmp_path / "faces"
    write(faces, video, [crop(1), crop(2)])

    def crops():
        yield crop(7)
        raise KeyError

    with pytest.raises(KeyError):
        write(faces, video, crops())
    assert [one.frame for one in FaceFolder(faces)] == [1, 2, 7]


def test_without_a_crop_no_folder_appears(tmp_path, video):
    write(tmp_path / "faces", video, [])
    assert not (tmp_path / "faces").exists()


def test_another_video_or_foreign_pictures_are_refused(tmp_path, video):
    write(tmp_path / "faces", video, [crop(1)])
    other = tmp_path / "b.mp4"
    other.write_bytes(b"another video")
    with pytest.raises(FaceFolderError, match="a.mp4"):
        FaceWriter(tmp_path / "faces", video=other)
    write_image(tmp_path / "plain" / "x.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FaceFolderError, match="did not write"):
        FaceWriter(tmp_path / "plain", video=video)


def test_pictures_deleted_by_hand_are_left_out(tmp_path, video):
    write(tmp_path / "faces", video, [crop(1), crop(2)])
    (tmp_path / "faces" / "000001_0.png").unlink()
    assert [one.frame for one in FaceFolder(tmp_path / "faces")] == [2]


def test_missing_empty_and_damaged_folders_say_so(tmp_path, video):
    with pytest.raises(FaceFolderError, match="missing"):
        FaceFolder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FaceFolderError, match="no pictures"):
        FaceFolder(tmp_path / "empty")
    write(tmp_path / "faces", video, [crop(1)])
    records = tmp_path / "faces" / RECORDS
    records.write_text('{"file": "000001_0.png"}\n')
    with pytest.raises(FaceFolderError, match="damaged"):
        FaceFolder(tmp_path / "faces").read(0)
    records.write_text("nonsense\n" + records.read_text())
    with pytest.raises(FaceFolderError, match="line 1"):
        FaceFolder(tmp_path / "faces")
    with pytest.raises(FaceFolderError, match="cannot be read"):
        FaceWriter(tmp_path / "x", video=tmp_path / "none.mp4")


def test_masks_lie_beside_the_faces(tmp_path):
    face = tmp_path / "face_src" / "000001_0.png"
    folder = tmp_path / "binary_masks" / "face_src_eyes"
    assert mask_folder(tmp_path / "face_src") == folder
    assert mask_file(face) == folder / "000001_0.png"
    jpg = tmp_path / "face_src" / "frame1face0.jpg"
    assert mask_file(jpg) == folder / "frame1face0.png"
    write_image(folder / "frame1face0.jpg", np.zeros((4, 4), np.uint8))
    assert mask_file(jpg) == folder / "frame1face0.jpg"
