"""Tests of the extract verb."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan import extract
from faceswap_gan.errors import FaceFolderError, FaceSwapError, MediaError, NoFaceError, SettingsError
from faceswap_gan.faces import cutting
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.folder import FaceFolder
from faceswap_gan.media.images import write_image


@pytest.fixture(scope="module")
def extracted(facedata, tmp_path_factory):
    faces = tmp_path_factory.mktemp("extract") / "face_src"
    extract.run(facedata / "hard" / "drv_tiny_face.mp4", faces, every=10, size=128)
    return faces


def test_a_small_face_is_found_in_every_frame_looked_at(extracted):
    folder = FaceFolder(extracted)
    assert [crop.frame for crop in folder] == list(range(0, 90, 10))
    for crop in folder:
        assert crop.image.shape == (128, 128, 3)
        # Similarity alignment leaves what differs between this face and the template.
        assert np.abs(crop.landmarks - template(128)).max() < 0.12 * 128


def test_running_again_replaces(extracted, facedata):
    extract.run(facedata / "hard" / "drv_tiny_face.mp4", extracted, every=10, size=128)
    assert len(FaceFolder(extracted)) == 9
    assert len((extracted / "faces.jsonl").read_text().splitlines()) == 9
    with pytest.raises(FaceFolderError):
        extract.run(facedata / "images" / "obama-720p.jpg", extracted)


def test_a_picture_is_a_video_of_one_frame(facedata, tmp_path):
    extract.run(facedata / "hard" / "img_exif_orientation6_stored_sideways.jpg", tmp_path / "faces")
    (crop,) = FaceFolder(tmp_path / "faces")
    assert crop.image.shape == (256, 256, 3)


def test_two_people_on_request(facedata, tmp_path):
    extract.run(facedata / "hard" / "img_two_people.jpg", tmp_path / "faces", max_faces=2)
    records = [json.loads(line) for line in (tmp_path / "faces" / "faces.jsonl").read_text().splitlines()]
    assert sorted(record["file"] for record in records) == ["000000_0.png", "000000_1.png"]


def test_a_stopped_run_goes_on(facedata, tmp_path, monkeypatch, caplog):
    """What is there is kept, nothing is looked for again, and the folder ends as it should."""
    video, faces = facedata / "hard" / "drv_tiny_face.mp4", tmp_path / "faces"
    whole = tmp_path / "whole"
    extract.run(video, whole, size=64, end=1.2)

    def stop_after(count):
        def crops_or_stop(frame, *rest, **more):
            if frame.index >= count:
                raise KeyboardInterrupt
            return real(frame, *rest, **more)

        return crops_or_stop

    real = cutting.crops_of
    monkeypatch.setattr(cutting, "crops_of", stop_after(20))
    with pytest.raises(KeyboardInterrupt):
        extract.run(video, faces, size=64, end=1.2)
    assert len(FaceFolder(faces)) >= 19
    monkeypatch.setattr(cutting, "crops_of", real)
    caplog.set_level("INFO", "faceswap_gan")
    extract.run(video, faces, size=64, end=1.2)
    assert "frames were scanned before" in caplog.text
    assert {p.name: p.read_bytes() for p in faces.iterdir()} == {p.name: p.read_bytes() for p in whole.iterdir()}


def test_what_is_left_out_is_listed(facedata, tmp_path):
    faces = tmp_path / "faces"
    extract.run(facedata / "hard" / "img_two_people.jpg", faces)
    rows = (faces / "rejected.csv").read_text().splitlines()
    assert [row.split(",")[2] for row in rows] == ["reason", "place"]
    with pytest.raises(NoFaceError, match="1 size"):
        extract.run(facedata / "hard" / "img_two_people.jpg", tmp_path / "none", min_width=1000)
    assert [path.name for path in (tmp_path / "none").iterdir()] == [extract.SCAN]


def test_no_face_is_an_error_and_leaves_nothing(tmp_path):
    write_image(tmp_path / "grey.png", np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match="no face"):
        extract.run(tmp_path / "grey.png", tmp_path / "faces")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grey.png"]


class Breaks(Scripted):
    """A detector that breaks down at a frame, if told at which."""

    at = None

    def detect(self, images, *, min_size=None):
        if self.at in map(self._number, images):
            raise MediaError("broken down.")
        return super().detect(images)


@pytest.fixture
def acted(monkeypatch, tmp_path):
    """A folder of 50 pictures, and the detector that sees one person in them."""
    detector = Breaks([[face(50)]] * 50)
    monkeypatch.setattr("faceswap_gan.faces.detector.FaceDetector", lambda **_: detector)
    for frame in frames(50):
        write_image(tmp_path / "acted" / f"{frame.index:03d}.png", frame.image)
    return tmp_path / "acted", detector


def test_a_failure_keeps_what_was_seen(acted, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    (video, detector), faces = acted, tmp_path / "faces"
    detector.at = 47
    with pytest.raises(MediaError, match="broken down"):
        extract.run(video, faces)
    detector.at = None
    with pytest.raises(NoFaceError, match="50 size"):
        extract.run(video, faces, min_width=200)
    assert "scanning goes on after frame 15" in caplog.text
    extract.run(video, faces, size=32)
    assert "50 frames were scanned before" in caplog.text
    assert len(FaceFolder(faces)) == 50


def test_a_failure_at_the_start_leaves_nothing(acted, tmp_path):
    video, detector = acted
    detector.at = 0
    with pytest.raises(MediaError, match="broken down"):
        extract.run(video, tmp_path / "faces")
    assert not (tmp_path / "faces").exists()


def test_frames_that_are_not_looked_at_are_not_called_faceless(acted, tmp_path):
    video, _ = acted
    with pytest.raises(NoFaceError, match="got none: --every 30 skips all"):
        extract.run(video, tmp_path / "faces", start=0.2, end=0.8, every=30)
    assert not (tmp_path / "faces").exists()
    with pytest.raises(NoFaceError, match="shows faces, but in none of the frames that --every 30 takes"):
        extract.run(video, tmp_path / "faces", start=0.2, end=0.8, every=30, track=(0,))


def test_a_reference_without_a_face_is_found_before_the_video_is_read(make_video, tmp_path, monkeypatch):
    monkeypatch.setattr(extract._Source, "read", lambda *_, **__: pytest.fail("the video was read"))
    monkeypatch.setattr("faceswap_gan.faces.selection.open_recognizer", lambda path, **_: None)
    write_image(tmp_path / "grey.png", np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match="face in the reference picture"):
        extract.run(make_video(), tmp_path / "faces", reference=tmp_path / "grey.png")
    assert not (tmp_path / "faces").exists()


def test_wrong_arguments(tmp_path):
    with pytest.raises(MediaError):
        extract.run(tmp_path / "none.mp4", tmp_path / "faces")
    with pytest.raises(SettingsError, match="--every"):
        extract.run(tmp_path / "none.mp4", tmp_path / "faces", every=0)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"size": 100_000}, SettingsError, "--size of at most 4096, got 100000"),
        ({"min_face": 0}, SettingsError, "--min-face"),
        ({"min_width": -1}, SettingsError, "--min-width"),
        ({"max_yaw": float("nan")}, SettingsError, "--max-yaw from 0 to 90, got nan"),
        ({"min_sharpness": 5.0}, SettingsError, "--min-sharpness"),
        ({"track": ()}, SettingsError, "numbers after --track"),
        ({"reference": Path("none.jpg")}, MediaError, "none.jpg"),
        ({"start": -1.0}, SettingsError, "--start of at least 0"),
        ({"start": 2.0, "end": 1.0}, SettingsError, "got --start 2 and --end 1"),
        ({"recognizer": Path("net.onnx")}, SettingsError, "--recognizer beside a picture to compare with, got none"),
        ({"recognizer": Path("net.onnx"), "track": (1,)}, SettingsError, "leave --recognizer out"),
        ({"reference": Path("none.jpg"), "track": (1,)}, SettingsError, "got both"),
    ],
)
def test_wrong_settings_are_found_before_the_video_is_read(make_video, tmp_path, monkeypatch, settings, error, words):
    monkeypatch.setattr(extract._Source, "read", lambda *_, **__: pytest.fail("the video was read"))
    with pytest.raises(error, match=words):
        extract.run(make_video(), tmp_path / "faces", **settings)
    assert not (tmp_path / "faces").exists()


def test_the_module_is_a_command():
    command = [sys.executable, "-m", "faceswap_gan.extract", "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--max-faces" in done.stdout


# Files of the hard folder that must end with one clear line: broken, faceless, or turned on their side.
REFUSED = {
    "drv_truncated_no_moov.mp4": MediaError,
    "img_no_face_grass.jpg": NoFaceError,
    "img_rotated_90.jpg": NoFaceError,
    "img_rotated_270.jpg": NoFaceError,
    "real_no_face_hands.mp4": NoFaceError,
}


def refusal(video, faces):
    """Extract few crops; return the expected failure, None when there was none."""
    try:
        extract.run(video, faces, every=15, size=64)
    except FaceSwapError as error:
        return error
    return None


def test_every_hard_file_is_extracted_or_refused_with_one_line(facedata, tmp_path):
    for path in sorted((facedata / "hard").iterdir()):
        faces = tmp_path / path.name
        error = refusal(path, faces)
        assert (type(error) if error else None) is REFUSED.get(path.name), (path.name, error)
        assert "\n" not in str(error)
        assert faces.exists() == (error is None)
        assert error or len(FaceFolder(faces)) >= 1
