"""The folder of a half-done conversion: what counts as done, and when it starts anew."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys

import pytest
from scripted import Scripted, face, frames

from faceswap_gan.conversion.output import kept_when_stopped
from faceswap_gan.conversion.pipeline import Border
from faceswap_gan.conversion.work import WorkFolder
from faceswap_gan.errors import MediaError, NoFaceError, SettingsError
from faceswap_gan.faces.scan_file import scan_video
from faceswap_gan.media import lock

MADE_FROM = {"footage": "abc", "size": (64, 48), "color": "none"}


def _stopped(output, made_from):
    """A run that is no longer at work."""
    work = WorkFolder(output, made_from)
    work.begin()
    work.release()
    return work


def _record(work, data, state=None):
    file = work.path(len(work.segments), ".mkv")
    file.write_bytes(data)
    work.record(file, Border(3 * (len(work.segments) + 1), 0.1, state or {}), frames=3, swapped=2)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.mp4"


@pytest.fixture
def half_done(output):
    work = _stopped(output, MADE_FROM)
    _record(work, b"first", {"0": {"curves": [1.1, 2.0]}})
    _record(work, b"second")
    return work


def test_the_folder_is_hidden_beside_the_output_and_goes(output, half_done):
    assert half_done.folder == output.parent / ".out.mp4.parts"
    half_done.remove()
    assert list(output.parent.iterdir()) == []


def test_the_same_job_goes_on(output, half_done, caplog):
    caplog.set_level(logging.INFO)
    again = _stopped(output, MADE_FROM)
    assert again.segments == half_done.segments
    assert again.segments[0].state == {"0": {"curves": [1.1, 2.0]}}
    assert [file.read_bytes() for file in again.files] == [b"first", b"second"]
    assert caplog.text == ""


def test_a_segment_without_its_record_does_not_count(output, half_done):
    (half_done.folder / "000001.json").unlink()
    assert len(_stopped(output, MADE_FROM).segments) == 1


@pytest.mark.parametrize("harm", ["missing", "other bytes", "half a record"])
def test_what_is_damaged_is_made_again_with_all_after_it(output, half_done, harm):
    _record(half_done, b"third")
    file = half_done.files[1]
    if harm == "missing":
        file.unlink()
    elif harm == "other bytes":
        file.write_bytes(b"secund")
    else:
        (half_done.folder / "000001.json").write_text('{"number": 1, "fi')
    again = _stopped(output, MADE_FROM)
    assert [segment.number for segment in again.segments] == [0]
    _record(again, b"second")
    assert [segment.number for segment in _stopped(output, MADE_FROM).segments][:2] == [0, 1]


def test_another_job_starts_anew_and_says_why(output, half_done, caplog):
    caplog.set_level(logging.INFO)
    half_done.scan.write_text("faces")
    again = _stopped(output, {**MADE_FROM, "color": "lab", "crf": 20})
    assert again.segments == []
    assert sorted(p.name for p in again.folder.iterdir()) == ["faces.jsonl", "job.json", "runs"]
    assert len(caplog.records) == 1
    assert "another color, crf" in caplog.text


def test_until_another_job_begins_nothing_is_lost(output, half_done, caplog):
    caplog.set_level(logging.INFO)
    half_done.leave_part().write_text("part")
    before = {path.name for path in half_done.folder.iterdir()}
    for error in (SettingsError, KeyboardInterrupt):
        other = WorkFolder(output, {**MADE_FROM, "color": "lab"})
        assert (other.segments, other.next_frame) == ([], 0)
        with pytest.raises(error), kept_when_stopped(other, None):
            raise error
        assert {path.name for path in half_done.folder.iterdir()} == before
        assert half_done.part.read_text() == "part"
    assert "starts anew" not in caplog.text
    assert _stopped(output, MADE_FROM).segments == half_done.segments


def _scan(work, script, *, stop=99):
    """Look for faces; the video cannot be read from one frame on."""

    def read(first):
        for frame in frames(len(script)):
            if frame.index >= stop:
                raise MediaError("damaged")
            if frame.index >= first:
                yield frame

    (work.output.parent / "video").touch()
    return scan_video(work.output.parent / "video", read, Scripted(script), file=work.scan, batch=4)


def _fail(output, error, do):
    """A run that ends with an error after it did something."""
    work = WorkFolder(output, MADE_FROM)

    def go():
        with kept_when_stopped(work, None):
            do(work)
            raise error

    with pytest.raises(type(error)):
        go()
    return work


def test_an_error_keeps_the_faces_found(output):
    script = [[]] * 10 + [[face(50)]] * 10
    _fail(output, MediaError("damaged"), lambda work: _scan(work, script, stop=17))
    assert _fail(output, SettingsError("--track"), lambda work: _scan(work, script)).scan.exists()
    work = _fail(output, MediaError("full disk"), lambda work: work.begin())
    kept = work.scan.read_text()
    assert kept.endswith('{"whole": 20}\n')
    _scan(work, script, stop=0)
    assert work.scan.read_text() == kept


def test_an_error_leaves_no_folder_where_nobody_was_found(output):
    for do in (lambda work: None, lambda work: _scan(work, [[]] * 20)):
        assert not _fail(output, NoFaceError("expected a face"), do).folder.exists()


def test_a_damaged_job_starts_anew(output, half_done):
    (half_done.folder / "job.json").write_text("{")
    assert _stopped(output, MADE_FROM).segments == []


def test_a_file_in_its_place_is_a_clear_error(output):
    (output.parent / ".out.mp4.parts").write_text("")
    with pytest.raises(MediaError, match="parts"):
        _stopped(output, MADE_FROM)


def test_what_a_killed_run_left_beside_the_output_goes(output, half_done):
    (half_done.folder / "runs").write_text("4711\n")
    for name in (
        ".out.4711.partial.mp4",
        "..out.4711.partial.4711.signed.mp4",
        ".out.4712.partial.mp4",
        "out.4711.x.mp4",
    ):
        (output.parent / name).touch()
    half_done.remove()
    assert sorted(p.name for p in output.parent.iterdir()) == [".out.4712.partial.mp4", "out.4711.x.mp4"]


HOLDS = """
import pathlib, sys, time
from faceswap_gan.media.lock import lock_file
held = lock_file(pathlib.Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_run_is_refused_and_harms_nothing(output, half_done):
    first = WorkFolder(output, MADE_FROM)
    with pytest.raises(MediaError, match=r"out\.mp4, but another run is making it; wait .* another --output"):
        WorkFolder(output, {**MADE_FROM, "color": "lab"})
    assert len(first.segments) == 2
    assert all(file.exists() for file in first.files)
    first.remove()
    assert list(output.parent.iterdir()) == []
    WorkFolder(output, MADE_FROM).remove()


def test_a_killed_run_leaves_no_lock(output, half_done):
    words = [sys.executable, "-c", HOLDS, str(half_done.folder / "runs")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(MediaError, match="another run"):
            WorkFolder(output, MADE_FROM)
        holder.kill()
    assert _stopped(output, MADE_FROM).segments == half_done.segments


def test_a_folder_that_cannot_be_begun_is_not_held(output, half_done):
    (half_done.folder / "job.json").unlink()
    (half_done.folder / "job.json").mkdir()
    for _ in range(2):
        with pytest.raises(MediaError, match=r"job\.json"):
            WorkFolder(output, MADE_FROM)


def test_a_file_system_without_locks_is_named(output, monkeypatch, caplog):
    def no_locks(*arguments):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", no_locks)
    assert _stopped(output, MADE_FROM).segments == []
    assert "cannot be locked (Function not implemented): run nothing else on the same output" in caplog.text


def test_a_lock_on_a_deleted_file_does_not_count(output, monkeypatch):
    """The run before deletes the folder between this one's opening of the file and its lock on it."""
    before, take = WorkFolder(output, MADE_FROM), lock._lock

    def late(file, path):
        monkeypatch.setattr(lock, "_lock", take)
        before.remove()
        return take(file, path)

    monkeypatch.setattr(lock, "_lock", late)
    after = WorkFolder(output, MADE_FROM)
    assert (after.folder / "runs").exists()
    with pytest.raises(MediaError, match="another run"):
        WorkFolder(output, MADE_FROM)
    after.remove()
