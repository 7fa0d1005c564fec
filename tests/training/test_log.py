"""metrics.csv and TensorBoard events: written row by row, cut where training resumes."""

from __future__ import annotations

import csv
import logging
from dataclasses import replace

import numpy as np
import pytest

from faceswap_gan.media.images import encode_image, write_image
from faceswap_gan.training.log import Report, TrainingLog


def _report(step, **losses):
    return Report(step=step, minutes=step / 60, steps_per_s=2.5, left_s=90.0, losses=losses or {"edge": step / 8})


def _write(folder, steps, *, start=0):
    with TrainingLog(folder, step=start) as journal:
        for step in steps:
            journal.write(_report(step))


def _rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _steps(folder):
    return [int(row["step"]) for row in _rows(folder)]


def test_rows_hold_what_was_reported(tmp_path):
    _write(tmp_path / "logs", [25, 50])
    assert _rows(tmp_path / "logs") == [
        {"step": "25", "minutes": "0.4167", "steps_per_s": "2.5", "edge": "3.125"},
        {"step": "50", "minutes": "0.8333", "steps_per_s": "2.5", "edge": "6.25"},
    ]


def test_rows_after_the_step_are_cut(tmp_path):
    _write(tmp_path, [25, 50, 75, 100])
    _write(tmp_path, [75, 100, 125], start=60)
    assert _steps(tmp_path) == [25, 50, 75, 100, 125]


def test_the_row_of_the_step_itself_stays(tmp_path):
    _write(tmp_path, [25, 50, 75])
    _write(tmp_path, [], start=50)
    assert _steps(tmp_path) == [25, 50]


def test_a_new_training_starts_a_new_file(tmp_path):
    _write(tmp_path, [25, 50])
    _write(tmp_path, [25])
    assert _steps(tmp_path) == [25]


@pytest.mark.parametrize("torn", ["7", "75,1.2", "75,1.25,2.5,9.3", "\0" * 40, "75,1.25,2.5,9.3\r"])
def test_a_torn_last_row_is_dropped(tmp_path, torn):
    _write(tmp_path, [25, 50])
    with (tmp_path / "metrics.csv").open("a", newline="") as file:
        file.write(torn)
    _write(tmp_path, [100], start=99)
    assert _steps(tmp_path) == [25, 50, 100]


@pytest.mark.parametrize("content", ["", "step,minu", "\0" * 99])
def test_a_file_without_a_whole_header_is_begun_anew(tmp_path, content):
    (tmp_path / "metrics.csv").write_text(content)
    _write(tmp_path, [50], start=25)
    assert _steps(tmp_path) == [50]


def test_tensorboard_reads_the_events(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with TrainingLog(tmp_path, step=0) as journal:
        journal.write(_report(25, edge=0.5, mask=2.0))
        journal.write(_report(50, edge=0.25, mask=1.0))
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == {"steps_per_s", "loss/edge", "loss/mask"}
    assert [(each.step, each.value) for each in events.Scalars("loss/edge")] == [(25, 0.5), (50, 0.25)]


def test_events_of_an_earlier_training_go_but_not_at_a_resume(tmp_path):
    pytest.importorskip("tensorboard")
    _write(tmp_path, [25])
    first = set(tmp_path.glob("events*"))
    _write(tmp_path, [50], start=25)
    assert first < set(tmp_path.glob("events*"))
    _write(tmp_path, [25])
    assert not first & set(tmp_path.glob("events*"))


def test_going_back_cuts_the_table_and_tensorboard(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with TrainingLog(tmp_path, step=0) as journal:
        for step in (25, 50, 75):
            journal.write(_report(step))
        journal.cut(25)
        journal.write(_report(50, edge=9.0))
    assert [(row["step"], row["edge"]) for row in _rows(tmp_path)] == [("25", "3.125"), ("50", "9.0")]
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(each.step, each.value) for each in events.Scalars("loss/edge")] == [(25, 3.125), (50, 9.0)]


def test_new_columns_widen_the_table(tmp_path):
    _write(tmp_path, [25])
    with TrainingLog(tmp_path, step=25) as journal:
        journal.write(replace(_report(50), scores={"transfer": None}))
        journal.write(replace(_report(75), scores={"transfer": 0.5}))
    _write(tmp_path, [100], start=75)
    assert [row["held_out_transfer"] for row in _rows(tmp_path)] == ["", "", "0.5", ""]
    assert _steps(tmp_path) == [25, 50, 75, 100]


def test_new_columns_widen_a_table_whose_rows_were_all_cut(tmp_path):
    _write(tmp_path, [25])
    with TrainingLog(tmp_path, step=20) as journal:
        journal.write(replace(_report(50), scores={"transfer": 0.5}))
    assert [row["held_out_transfer"] for row in _rows(tmp_path)] == ["0.5"]


def test_tensorboard_shows_scores_and_sheets(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    write_image(tmp_path / "sheet.png", np.zeros((4, 6, 3), np.uint8))
    with TrainingLog(tmp_path / "logs", step=0) as journal:
        journal.write(replace(_report(25), scores={"transfer": 0.5, "score": None}))
        journal.draw(25, tmp_path / "sheet.png")
    events = accumulator.EventAccumulator(str(tmp_path / "logs")).Reload()
    assert [(each.step, each.value) for each in events.Scalars("held_out/transfer")] == [(25, 0.5)]
    assert "held_out/score" not in events.Tags()["scalars"]
    (image,) = events.Images("preview")
    assert (image.step, image.height, image.width) == (25, 4, 6)
    assert image.encoded_image_string == encode_image(np.zeros((4, 6, 3), np.uint8), ".jpg")


def test_the_line_says_speed_time_left_and_losses(tmp_path, caplog):
    caplog.set_level(logging.INFO, "faceswap_gan")
    with TrainingLog(tmp_path, step=0) as journal:
        journal.write(_report(25, loss=3.0, edge=0.5))
        journal.write(_report(50))  # within a minute: no second line where stderr is no terminal
    lines = [message for message in caplog.messages if message.startswith("step")]
    assert lines == ["step 25 | 2.50 steps/s | 00:01:30 left | edge 0.500"]


def test_time_left_may_be_days(tmp_path, caplog):
    caplog.set_level(logging.INFO, "faceswap_gan")
    with TrainingLog(tmp_path, step=0) as journal:
        journal.write(replace(_report(25), left_s=30 * 3600.0 + 61))
    assert "| 30:01:01 left |" in caplog.text
