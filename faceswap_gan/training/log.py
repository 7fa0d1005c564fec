"""What training writes about itself: metrics.csv, TensorBoard scalars, one live line."""

from __future__ import annotations

import csv
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from faceswap_gan.media.images import encode_image, read_image

log = logging.getLogger(__name__)

_EVERY_S = 60.0  # seconds between lines where stderr is no terminal


@dataclass(frozen=True)
class Report:
    """Where a run stands."""

    step: int
    """Updates made so far."""
    minutes: float
    """Time spent on them, all runs together."""
    steps_per_s: float
    """Speed since the last report."""
    left_s: float
    """Seconds until the run ends."""
    losses: Mapping[str, float]
    """Mean of each term since the last report."""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    """Scores on held-out faces; None where they were not measured since the last report."""


class TrainingLog:
    """Writes reports to a model's logs folder and to stderr; a context manager.

    Rows of `metrics.csv` after the step at which training resumes are dropped, so that the curve is that of the
    weights.

    Args:
        folder: the logs folder.
        step: at which training starts or resumes.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "metrics.csv"
        _cut(self._file, step)
        self._events = _open_events(folder, step)
        self._said = 0.0
        self._step = step

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()
        if sys.stderr.isatty():
            sys.stderr.write("\n")

    def cut(self, step: int) -> None:
        """Drop what was reported of later steps: training has gone back."""
        _cut(self._file, step)
        if self._events is not None:
            self._events.restart(step)

    def write(self, report: Report) -> None:
        """Write a report everywhere; in the table in place of one of the same step."""
        if report.step == self._step:
            _cut(self._file, report.step - 1)
        self._step = report.step
        row = {
            "step": report.step,
            "minutes": round(report.minutes, 4),
            "steps_per_s": round(report.steps_per_s, 3),
            **{name: round(value, 6) for name, value in report.losses.items()},
            **{f"held_out_{k}": "" if v is None else round(v, 6) for k, v in report.scores.items()},
        }
        _append(self._file, row)
        if self._events is not None:
            self._events.write(report)
        self._say(report)

    def draw(self, step: int, sheet: Path) -> None:
        """Show a preview sheet, a PNG file, in TensorBoard."""
        if self._events is not None:
            self._events.draw(step, sheet)

    def _say(self, report: Report) -> None:
        losses = " ".join(f"{name} {value:.3f}" for name, value in report.losses.items() if name != "loss")
        minutes, seconds = divmod(round(max(0.0, report.left_s)), 60)
        left = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        line = f"step {report.step} | {report.steps_per_s:.2f} steps/s | {left} left | {losses}"
        if sys.stderr.isatty():
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            sys.stderr.write(f"\r\x1b[2K{line[: max(20, width - 1)]}")
            sys.stderr.flush()
        elif time.monotonic() - self._said > _EVERY_S:
            self._said = time.monotonic()
            log.info("%s", line)


class _Events:
    """Writes TensorBoard events, at once and by Python's own files, so that a full disk is an OSError here."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._new_event, self._summary = Event, Summary
        self._file = (folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}").open("wb")
        self._records: Any = RecordWriter(self._file)
        self._add(file_version="brain.Event:2")

    def restart(self, step: int) -> None:
        """Let TensorBoard forget what earlier files say of later steps."""
        self._add(step=step + 1, session_log={"status": "START"})

    def write(self, report: Report) -> None:
        scalars = {"steps_per_s": report.steps_per_s, **{f"loss/{k}": v for k, v in report.losses.items()}}
        scalars |= {f"held_out/{k}": v for k, v in report.scores.items() if v is not None}
        values = [self._summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        self._add(step=report.step, summary=self._summary(value=values))

    def draw(self, step: int, sheet: Path) -> None:
        picture = read_image(sheet)
        height, width = picture.shape[:2]
        data = encode_image(picture, ".jpg")  # a tenth of the PNG file
        image = {"height": height, "width": width, "colorspace": 3, "encoded_image_string": data}
        self._add(step=step, summary=self._summary(value=[self._summary.Value(tag="preview", image=image)]))

    def close(self) -> None:
        self._file.close()

    def _add(self, **content: Any) -> None:
        self._records.write(self._new_event(wall_time=time.time(), **content).SerializeToString())
        self._file.flush()


def _open_events(folder: Path, step: int) -> _Events | None:
    if importlib.util.find_spec("tensorboard") is None:
        log.info("TensorBoard is not installed: losses go to %s alone", folder / "metrics.csv")
        return None
    for old in folder.glob("events.out.tfevents.*"):
        if step == 0:
            old.unlink()
    events = _Events(folder)
    events.restart(step)
    return events


def _append(file: Path, row: Mapping[str, object]) -> None:
    """Add a row to a table, and the columns that it does not have yet."""
    columns, rows = [], []
    if file.exists():
        with file.open(newline="", encoding="utf-8") as stream:
            columns = next(csv.reader(stream), [])
            rows = [] if set(row) <= set(columns) else list(csv.DictReader(stream, columns))
    new = [name for name in row if name not in columns]
    if new:
        columns += new
        partial = file.with_suffix(".partial")
        with partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
        partial.replace(file)
    with file.open("a", newline="", encoding="utf-8") as stream:
        csv.DictWriter(stream, columns).writerow(row)


def _cut(file: Path, step: int) -> None:
    """Drop the rows after a step, and a torn last one."""
    if not file.exists():
        return
    # what follows the last line end is torn; a crashed machine may leave zero bytes instead of what was written
    whole = file.read_bytes().rpartition(b"\n")[0].replace(b"\0", b"")
    header, *rows = list(csv.reader(whole.decode(errors="replace").splitlines())) or [[]]
    if step == 0 or not header:
        file.unlink()
        return
    kept = [row for row in rows if len(row) == len(header) and row[0].isdigit() and int(row[0]) <= step]
    partial = file.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *kept])
    partial.replace(file)
