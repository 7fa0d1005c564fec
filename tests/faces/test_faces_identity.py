"""Tests of faceswap_gan.faces.identity and selection: who looks like the reference."""

import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan.errors import NoFaceError, SettingsError, WeightsError
from faceswap_gan.faces import selection
from faceswap_gan.faces.identity import embed_picture, embed_tracks, match_people, open_recognizer
from faceswap_gan.faces.scan import scan_faces
from faceswap_gan.faces.selection import select_people
from faceswap_gan.media.images import write_image

COUNT = 40


class ByBrightness:
    """An embedding that tells dark faces from bright ones."""

    def embed(self, crop):
        angle = np.pi * float(crop[20:90, 20:90].mean()) / 255
        return np.asarray([np.cos(angle), np.sin(angle)], np.float32)


def painted():
    """Frames whose left person is bright, and whose right person is dark."""
    for frame in frames(COUNT):
        frame.image[2:, 40:120] = 240
        frame.image[2:, 190:290] = 10
        yield frame


def script():
    return [[face(50), face(200)] if i < 20 else [face(50)] for i in range(COUNT)]


@pytest.fixture
def scan():
    return scan_faces(painted(), Scripted(script()))


def numbers(scan):
    """The bright person's track and the dark one's."""
    left = {t.track: t.face.box[0] for t in scan.frames[0].faces}
    return sorted(left, key=lambda track: left[track])


def test_each_reference_gets_its_tracks(scan):
    bright, dark = numbers(scan)
    embeddings = embed_tracks(painted(), scan, ByBrightness())
    references = {"bright": np.asarray([-1.0, 0.1]), "dark": np.asarray([1.0, 0.1])}
    found = match_people(embeddings, references, scan)
    assert {name: list(tracks) for name, tracks in found.items()} == {"bright": [bright], "dark": [dark]}


def test_a_track_that_is_there_at_the_same_time_is_another_person(scan):
    same = {track: np.asarray([1.0, 0.0], np.float32) for track in numbers(scan)}
    found = match_people(same, {"she": np.asarray([1.0, 0.0])}, scan)
    assert len(found["she"]) == 1


def test_who_is_not_alike_is_not_taken(scan):
    embeddings = embed_tracks(painted(), scan, ByBrightness())
    assert match_people(embeddings, {"other": np.asarray([0.0, -1.0])}, scan) == {"other": {}}


def test_the_video_is_read_no_further_than_needed():
    scan = scan_faces(painted(), Scripted(script()))
    read = []

    def counted():
        for frame in painted():
            read.append(frame.index)
            yield frame

    embed_tracks(counted(), scan, ByBrightness())
    assert max(read) < COUNT


def test_the_person_of_a_reference_is_selected(scan, tmp_path, monkeypatch):
    bright, dark = numbers(scan)
    monkeypatch.setattr(selection, "open_recognizer", lambda path, **_: ByBrightness())
    picture = tmp_path / "who.png"

    def select(level, **flags):
        image = np.full((160, 320, 3), level, np.uint8)
        image[0, 0] = 0
        write_image(picture, image)
        return select_people(scan, painted, Scripted([[face(50)]]), reference=picture, **flags)

    chosen = select(10)
    assert chosen.why == "identity"
    assert chosen.people[5] == (dark,)
    assert chosen.people[30] == (None,)
    assert select(240).people[5] == (bright,)
    with pytest.raises(SettingsError, match="--track or --reference"):
        select(240, track=(0,))


def test_nobody_alike_is_one_line(scan, tmp_path, monkeypatch):
    monkeypatch.setattr(selection, "open_recognizer", lambda path, **_: ByBrightness())
    monkeypatch.setattr(selection, "embed_picture", lambda *_: np.asarray([0.0, -1.0]))
    with pytest.raises(NoFaceError, match="closest: track"):
        select_people(scan, painted, Scripted(script()), reference=tmp_path / "who.png")


def test_without_a_recognizer_the_way_out_is_named(tmp_path, monkeypatch):
    def missing(name, *, folder):
        raise WeightsError("sface is nowhere.")

    monkeypatch.setattr("faceswap_gan.faces.identity.find_weights", missing)
    with pytest.raises(WeightsError, match="--track"):
        open_recognizer(None, weights_dir=tmp_path)


def test_two_real_people_are_told_apart(facedata):
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.media.video import read_frames

    video = facedata / "hard" / "drv_two_people_side_by_side.mp4"
    detector = FaceDetector(min_size=80)
    judge = open_recognizer(facedata / "weights" / "face_embed_mobileface_v2_112.onnx")
    scan = scan_faces(read_frames(video, every=8), detector)
    embeddings = embed_tracks(read_frames(video, every=8), scan, judge)
    woman = embed_picture(facedata / "hard" / "drv_single_frame.png", detector, judge)
    found = match_people(embeddings, {"woman": woman}, scan)["woman"]
    (track,) = found
    left = {t.track: t.face.box[0] for t in scan.frames[0].faces}
    assert left[track] == min(left.values())


def test_a_reference_is_searched_for_smaller_faces_than_the_video(tmp_path):
    class Asked(Scripted):
        def detect(self, images, *, min_size=None):
            self.least = min_size
            return super().detect(images)

    write_image(tmp_path / "who.png", np.zeros((160, 320, 3), np.uint8))
    detector = Asked([[face(50)]])
    for own, least in ((200, 40), (20, 20)):
        detector.min_size = own
        embed_picture(tmp_path / "who.png", detector, ByBrightness())
        assert detector.least == least
