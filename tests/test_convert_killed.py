"""A conversion killed outright, three times, in processes of their own, with a real network and the real detector."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from tiny import tiny_settings

from faceswap_gan.synthetic.clips import write_pair
from faceswap_gan.training.checkpoint import State, save_checkpoint, write_settings
from faceswap_gan.training.networks import build_networks

SCRIPT = """
import sys
import faceswap_gan.conversion.passes as passes
from faceswap_gan.__main__ import main
passes.STRETCH = 10
sys.exit(main(["convert", *sys.argv[1:], "--batch", "4", "--color", "mean_std", "--consent", "nobody is shown"]))
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A video of 100 frames and an untrained model, as the command's first arguments."""
    folder = tmp_path_factory.mktemp("killed")
    settings = tiny_settings("fast")
    write_settings(folder / "model", settings)
    networks = build_networks(settings.model, precision="float32")
    save_checkpoint(folder / "model", networks, [], State(step=1))
    video = write_pair(folder, seconds=4, size=192).dst
    return ["--video", str(video), "--model", str(folder / "model")]


def _start(words: list[str], output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *words, "--output", str(output)])


def _wait(process: subprocess.Popen[bytes], reached) -> None:
    """Kill a process, without a chance to tidy up, as soon as it has reached something."""
    limit = time.monotonic() + 300
    while not reached():
        assert process.poll() is None, "it finished before it was killed"
        assert time.monotonic() < limit
        time.sleep(0.005)
    process.kill()
    process.wait()


def _packets(path):
    """All that a file holds, without its marks: time and bytes of every packet."""
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, p.dts, p.duration, bytes(p)) for p in container.demux() if p.size]


@pytest.mark.slow
def test_killed_three_times_it_ends_as_if_it_never_was(words, tmp_path):
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    assert _start(words, whole).wait(timeout=600) == 0
    parts = tmp_path / ".out.mp4.parts"
    scan = parts / "faces.jsonl"
    _wait(_start(words, output), lambda: scan.exists() and scan.read_bytes().count(b"\n") > 20)
    for number in (1, 5):
        _wait(_start(words, output), (parts / f"{number:06d}.json").exists)
        assert not output.exists()
        assert not (parts / "000009.json").exists()
    assert _start(words, output).wait(timeout=600) == 0
    assert len(_packets(whole)) > 100
    assert _packets(output) == _packets(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "whole.mp4"]
