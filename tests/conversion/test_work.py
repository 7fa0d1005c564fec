"""The folder of a half-done conversion: what counts as done, and when it starts anew."""

from __future__ import annotations

import logging

import pytest

from faceswap_gan.conversion.pipeline import Border
from faceswap_gan.conversion.work import WorkFolder
from faceswap_gan.errors import MediaError

MADE_FROM = {"footage": "abc", "size": (64, 48), "color": "none"}


def _record(work, data, state=None):
    file = work.path(len(work.segments), ".mkv")
    file.write_bytes(data)
    work.record(file, Border(3 * (len(work.segments) + 1), 0.1, state or {}), frames=3, swapped=2)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.mp4"


@pytest.fixture
def half_done(output):
    work = WorkFolder(output, MADE_FROM)
    _record(work, b"first", {"0": {"curves": [1.1, 2.0]}})
    _record(work, b"second")
    return work


def test_the_folder_is_hidden_beside_the_output_and_goes(output, half_done):
    assert half_done.folder == output.parent / ".out.mp4.parts"
    half_done.remove()
    assert list(output.parent.iterdir()) == []


def test_the_same_job_goes_on(output, half_done, caplog):
    caplog.set_level(logging.INFO)
    again = WorkFolder(output, MADE_FROM)
    assert again.segments == half_done.segments
    assert again.segments[0].state == {"0": {"curves": [1.1, 2.0]}}
    assert [file.read_bytes() for file in again.files] == [b"first", b"second"]
    assert caplog.text == ""


def test_a_segment_without_its_record_does_not_count(output, half_done):
    (half_done.folder / "000001.json").unlink()
    assert len(WorkFolder(output, MADE_FROM).segments) == 1


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
    again = WorkFolder(output, MADE_FROM)
    assert [segment.number for segment in again.segments] == [0]
    _record(again, b"second")
    assert [segment.number for segment in WorkFolder(output, MADE_FROM).segments][:2] == [0, 1]


def test_another_job_starts_anew_and_says_why(output, half_done, caplog):
    caplog.set_level(logging.INFO)
    half_done.scan.write_text("faces")
    again = WorkFolder(output, {**MADE_FROM, "color": "lab", "crf": 20})
    assert again.segments == []
    assert sorted(p.name for p in again.folder.iterdir()) == ["faces.jsonl", "job.json", "runs"]
    assert len(caplog.records) == 1
    assert "another color, crf" in caplog.text


def test_a_damaged_job_starts_anew(output, half_done):
    (half_done.folder / "job.json").write_text("{")
    assert WorkFolder(output, MADE_FROM).segments == []


def test_a_file_in_its_place_is_a_clear_error(output):
    (output.parent / ".out.mp4.parts").write_text("")
    with pytest.raises(MediaError, match="parts"):
        WorkFolder(output, MADE_FROM)


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
