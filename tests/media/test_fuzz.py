"""Damaged files: a whole output or one clear line, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz_media.py"


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="each file has a process of its own by fork")
@pytest.mark.parametrize("count", [26, pytest.param(500, marks=pytest.mark.slow)])
def test_damaged_files_end_well(tmp_path, count):
    command = [sys.executable, str(SCRIPT), "--count", str(count), "--seed", "7", "--keep", str(tmp_path / "bad")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100 + 4 * count, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["bad"] == [], done.stderr[-2000:]
    assert told["whole"] + told["refused"] == count
    assert min(told["whole"], told["refused"]) > count // 10
    assert told["largest MiB"][0] < 4096
