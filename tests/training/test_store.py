"""Decoded faces are kept in memory or in a file that leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from faceswap_gan.errors import MediaError
from faceswap_gan.training import store

SHAPES = [(4, 100, 100, 3), (2, 5)]
TOTAL = 4 * 100 * 100 * 3 + 10


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where temporary files go."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def allocate(monkeypatch, caplog, free):
    caplog.set_level("INFO", "faceswap_gan")
    monkeypatch.setattr(store, "free_bytes", lambda: free)
    return store.allocate(SHAPES, name="someone")


def is_mapped(array):
    """Whether an array's memory is a file's."""
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


@pytest.mark.parametrize(("free", "mapped"), [(2 * TOTAL, False), (2 * TOTAL - 2, True), (0, True)])
def test_memory_while_they_take_half_of_it(folder, monkeypatch, caplog, free, mapped):
    arrays = allocate(monkeypatch, caplog, free)
    assert [(array.shape, array.dtype) for array in arrays] == [(shape, np.uint8) for shape in SHAPES]
    assert [is_mapped(array) for array in arrays] == [mapped, mapped]
    assert not any(isinstance(array, np.memmap) for array in arrays), "views of it cost nothing extra"
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("someone: ")
    assert ("mapped file in " + str(folder) in line) == mapped
    assert "GiB" in line


def test_what_is_written_can_be_read(folder, monkeypatch, caplog):
    first, second = allocate(monkeypatch, caplog, 0)
    first[:], second[:] = 7, np.arange(10).reshape(2, 5)
    assert (first == 7).all()
    assert second.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_the_file_has_no_name(folder, monkeypatch, caplog):
    arrays = allocate(monkeypatch, caplog, 0)
    assert list(folder.iterdir()) == []
    del arrays


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs Linux")
def test_a_killed_program_leaves_nothing(tmp_path):
    code = (
        "import sys, time; from faceswap_gan.training import store; store.free_bytes = lambda: 0;"
        "faces, = store.allocate([(1 << 20,)], name='me'); faces[:] = 1; print('ready', flush=True); time.sleep(99)"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    with program:
        assert program.stdout.readline() == b"ready\n"
        program.send_signal(signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(folder, monkeypatch, caplog):
    usage = store.shutil.disk_usage(folder)
    monkeypatch.setattr(store.shutil, "disk_usage", lambda path: usage._replace(free=TOTAL - 1))
    with pytest.raises(MediaError, match="someone: expected .* free in .*; make room, set TMPDIR"):
        allocate(monkeypatch, caplog, 0)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs Linux")
def test_a_disk_that_gives_less_than_it_says(folder, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "posix_fallocate", refuse)
    with pytest.raises(MediaError, match="no room for .* No space left on device"):
        allocate(monkeypatch, caplog, 0)


def test_var_tmp_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    if Path("/var/tmp").is_dir():
        assert str(store._folder()) == "/var/tmp"
