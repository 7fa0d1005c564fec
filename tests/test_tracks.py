"""Tests of the tracks verb."""

import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan import tracks
from faceswap_gan.errors import MediaError, NoFaceError, SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.scan import FaceScan, SeenFrame
from faceswap_gan.faces.tracker import TrackedFace
from faceswap_gan.media.images import read_image, write_image


def test_two_people_have_two_rows(facedata, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    sheet = tmp_path / "who.png"
    video = facedata / "hard" / "drv_two_people_side_by_side.mp4"
    tracks.run(video, sheet=sheet, end=0.79, min_face=100)
    assert "track 0" in caplog.text
    assert "2 tracks in 24 frames" in caplog.text
    assert read_image(sheet).shape[0] > 200
    assert [path.name for path in tmp_path.iterdir()] == ["who.png"]


def test_nobody_is_an_error_and_leaves_nothing(tmp_path):
    write_image(tmp_path / "grey.png", np.full((100, 100, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match="nobody"):
        tracks.run(tmp_path / "grey.png", sheet=tmp_path / "who.png")
    assert not (tmp_path / "who.png").exists()


def test_only_those_have_a_row_whom_other_verbs_take(make_video, tmp_path, monkeypatch, caplog):
    """Two sightings with a gap between them are three once smoothed, but a moment to extract and convert."""
    caplog.set_level("INFO", "faceswap_gan")
    face = Face(np.float32([12, 4, 52, 44]), (template(40) + [12, 4]).astype(np.float32), 0.99)
    seen = {i: (TrackedFace(face, 0),) + (TrackedFace(face, 1),) * (i in (3, 5)) for i in range(12)}
    scan = FaceScan(tuple(SeenFrame(i, i * 512, i / 30, 0, faces) for i, faces in seen.items()))
    monkeypatch.setattr("faceswap_gan.faces.scan.scan_faces", lambda frames, detector: list(frames) and scan)
    monkeypatch.setattr("faceswap_gan.faces.detector.FaceDetector", lambda **_: None)
    tracks.run(make_video(), sheet=tmp_path / "who.png")
    assert "track 0" in caplog.text
    assert "track 1" not in caplog.text


def test_wrong_arguments(tmp_path):
    with pytest.raises(MediaError):
        tracks.run(tmp_path / "none.mp4")
    with pytest.raises(SettingsError, match="--most"):
        tracks.run(tmp_path / "none.mp4", most=0)
    with pytest.raises(SettingsError, match="--start of at least 0"):
        tracks.run(tmp_path / "none.mp4", start=-1.0)


def test_a_sheet_that_is_no_picture_or_would_replace_one_is_refused_before_the_look(tmp_path, monkeypatch):
    monkeypatch.setattr("faceswap_gan.faces.scan.scan_faces", lambda *_, **__: pytest.fail("the video was looked at"))
    monkeypatch.setattr("faceswap_gan.faces.detector.FaceDetector", lambda **_: None)
    picture = tmp_path / "pictures" / "a.png"
    write_image(picture, np.full((100, 100, 3), 90, np.uint8))
    (tmp_path / "link.png").symlink_to(picture)
    for sheet in (tmp_path / "who.pdf", tmp_path / "who"):
        with pytest.raises(SettingsError, match="--sheet that is a picture"):
            tracks.run(picture, sheet=sheet)
    for video, sheet in ((picture, picture), (picture, tmp_path / "link.png"), (picture.parent, picture)):
        with pytest.raises(SettingsError, match="--sheet beside the video"):
            tracks.run(video, sheet=sheet)
    assert read_image(picture).mean() == 90


def test_tracks_that_the_sheet_leaves_out_are_counted(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    detector = Scripted([[face(50), face(200)]] * 8)
    monkeypatch.setattr("faceswap_gan.faces.detector.FaceDetector", lambda **_: detector)
    for frame in frames(8):
        write_image(tmp_path / "video" / f"{frame.index}.png", frame.image)
    tracks.run(tmp_path / "video", sheet=tmp_path / "who.png", most=1)
    assert "1 of 2 tracks in 8 frames" in caplog.text
    tracks.run(tmp_path / "video", sheet=tmp_path / "who.png")
    assert caplog.messages[-1].startswith("2 tracks in 8 frames")
