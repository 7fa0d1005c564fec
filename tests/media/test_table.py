"""The table in docs/benchmarks.md: what becomes of each real file is what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import facedata_folder, load_script

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 6


@pytest.fixture(scope="module")
def table():
    return load_script("media_table")


def _documented(table):
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    lines = page.split(table.BEGIN)[1].split(table.END)[0].strip().splitlines()[2:]
    return [table.Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def test_the_page_keeps_what_it_promises(table):
    rows = [row for row in _documented(table) if not row.written_as.startswith("refused")]
    assert len(rows) > 50
    for row in rows:
        assert (row.largest_time_difference, row.warnings) == ("0", "none")
        kept = row.frames + row.size + row.pixel_aspect + row.rotation + row.sound
        assert "→" not in kept
        assert "CHANGED" not in kept
        converted = row.file == "drv_odd_511x509_ffv1.mkv" and row.written_as == ".mp4 h264"
        assert ("→" in row.samples + row.range + row.unpainted) == converted


def _jobs():
    folder = facedata_folder()
    files = [f for name in ("hard", "videos") for f in sorted((folder / name).glob("*.*"))]
    return [(f"{f.parent.name}/{f.name}", f.suffix, None) for f in files]


@pytest.mark.parametrize("job", _jobs(), ids=lambda job: job[0].split("/")[1])
def test_first_frames_are_as_the_page_says(facedata, table, tmp_path, job):
    """Every file, its first frames, all of its sound; the frames' number is the page's for whole files only."""
    name, suffix, codec = job
    row = table.measure(facedata / name, tmp_path / f"out{suffix}", codec=codec, frames=FRAMES, preset="ultrafast")
    known = next(r for r in _documented(table) if r.file == row.file)
    assert vars(row) | {"frames": known.frames} == vars(known)
    assert "→" not in row.frames


@pytest.mark.slow
def test_whole_files_are_as_the_page_says(facedata, table):
    assert list(table.rows(facedata)) == _documented(table)
