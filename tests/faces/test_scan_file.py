"""Tests of faceswap_gan.faces.scan_file: a stopped scan goes on and finds the same."""

import json

import pytest
from scripted import Scripted, face, frames

from faceswap_gan.faces.scan import scan_faces
from faceswap_gan.faces.scan_file import scan_video

COUNT = 75


class StoppedError(Exception):
    """What stands for a kill."""


def script():
    """A person with gaps over the batches' borders, one who comes late, and a cut."""
    return [
        [face(50 + 0.37 * i)] * (i % 16 not in (14, 15, 0, 1)) + [face(200 - i)] * (30 < i < 60) for i in range(COUNT)
    ]


class Shy(Scripted):
    """Sees nobody in a whole frame now and then; asked about a place it does."""

    def detect(self, images, *, min_size=None):
        found = super().detect(images)
        return [[] if self._number(image) % 7 == 1 else faces for image, faces in zip(images, found, strict=True)]


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"what is in it does not matter here")
    return path


def scan(video, *, stop=COUNT, batch=16, **settings):
    looked = []

    def read(first):
        looked.append(first)
        for frame in frames(COUNT, scene=lambda i: i // 50):
            if frame.index >= stop:
                raise StoppedError
            if frame.index >= first:
                yield frame

    file = video.with_name("faces.jsonl")
    found = scan_video(video, read, Shy(script()), file=file, batch=batch, settings=settings)
    return found, looked


def plain(found):
    return [(f.index, f.pts, f.scene, [(t.track, t.face.to_plain()) for t in f.faces]) for f in found.frames]


def test_a_scan_in_a_file_is_the_scan(video):
    found, _ = scan(video)
    assert plain(found) == plain(scan_faces(frames(COUNT, scene=lambda i: i // 50), Shy(script())))
    lines = video.with_name("faces.jsonl").read_text().splitlines()
    assert len(lines) == COUNT + 2
    assert json.loads(lines[0])["video"] == "video.mp4"
    again, looked = scan(video)
    assert plain(again) == plain(found)
    assert looked == []


@pytest.mark.parametrize("stops", [(5,), (33,), (50, 51, 66), (17, 34, 70), tuple(range(0, COUNT, 7))])
def test_a_stopped_scan_goes_on_and_finds_the_same(video, stops):
    whole, _ = scan(video)
    file = video.with_name("faces.jsonl")
    wanted = file.read_bytes()
    file.unlink()
    for stop in stops:
        with pytest.raises(StoppedError):
            scan(video, stop=stop)
        with file.open("ab") as out:
            out.write(b'{"frame": 3, "torn')
    found, looked = scan(video)
    assert plain(found) == plain(whole)
    assert file.read_bytes() == wanted
    assert looked[0] == max(0, (max(stops) // 16 - 1) * 16)


def test_another_video_or_setting_is_scanned_anew(video):
    scan(video)
    for change in ({"every": 2}, {"batch": 8}):
        assert scan(video, **change)[1] == [0]
    video.write_bytes(b"another")
    assert scan(video, batch=8)[1] == [0]


@pytest.mark.parametrize("damage", [b"", b"\n\n", b"\xff\xfe{", b'{"scan": 1}\n{"frame": 0}\n', b"[]\n[]\n"])
def test_a_damaged_file_is_scanned_anew(video, damage):
    wanted = plain(scan(video)[0])
    video.with_name("faces.jsonl").write_bytes(damage)
    found, looked = scan(video)
    assert looked == [0]
    assert plain(found) == wanted


def test_faces_are_kept_to_the_last_bit(video):
    found, _ = scan(video)
    again, _ = scan(video)
    for a, b in zip(found.frames, again.frames, strict=True):
        for x, y in zip(a.faces, b.faces, strict=True):
            assert x.face.box.tobytes() == y.face.box.tobytes()
            assert x.face.landmarks.tobytes() == y.face.landmarks.tobytes()
            assert x.face.score == y.face.score
