"""A killed training loses nothing before its checkpoint, and goes on to where a straight one would be."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny import tiny_settings, write_faces, write_model

from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.checkpoint import find_checkpoint, load_networks
from faceswap_gan.training.networks import build_networks

TINY = tiny_settings("fast", training={"batch": 1, "seed": 5})
PATIENCE_S = 240.0  # on a busy machine a start can take long


@pytest.fixture
def faces(tmp_path):
    return {side: write_faces(tmp_path / f"face_{side}", side) for side in SIDES}


@pytest.fixture
def model(tmp_path):
    """A model of small networks that has made no step yet."""
    return write_model(tmp_path / "model", TINY)


class Run:
    """`python -m faceswap_gan.train` in a process of its own."""

    def __init__(self, faces, model, **flags):
        self.model, self.before = model, _newest(model)
        self._log = model.parent / f"log{self.before}.txt"
        words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
        words += [f"--src={faces['src']}", f"--dst={faces['dst']}", f"--model={model}"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "faceswap_gan.train", *words],
                stderr=log,
                env={**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"},  # sums in one order
            )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()

    @property
    def log(self):
        return self._log.read_text()

    def wait_for_step(self, step):
        """Wait for a checkpoint of a step or a later one."""
        end = time.monotonic() + PATIENCE_S
        while _newest(self.model) < step:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, f"step {step} not reached in {PATIENCE_S} s: {self.log}"
            time.sleep(0.02)

    def end(self, number=None):
        """Send a signal, if any, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def _newest(model):
    """Step of the newest whole checkpoint, by its name."""
    return max(int(each.name) for each in (model / "checkpoints").glob("[0-9]*"))


def _curve(model):
    """What metrics.csv says of each step but its speed."""
    with (model / "logs" / "metrics.csv").open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return {row["step"]: {**row, "minutes": 0.0, "steps_per_s": 0.0} for row in rows}, [row["step"] for row in rows]


def _numbers(model):
    """Everything in the newest checkpoint: weights, optimizer, running means."""
    newest, networks = find_checkpoint(model), build_networks(TINY.model)
    load_networks(newest, networks)
    with np.load(newest.folder / "training.npz") as arrays:
        state = [arrays[name] for name in sorted(arrays.files)]
    return [*(w for network in networks.values() for w in network.get_weights()), *state]


def _kill_at_random(run, rng):
    run.wait_for_step(run.before + 12)
    time.sleep(rng.uniform(0, 0.4))  # the next checkpoint may be half written, or steps lost since the last
    assert run.end(signal.SIGKILL) == -signal.SIGKILL


def _kill_while_writing(run, rng):
    run.wait_for_step(run.before + 12)
    while not list((run.model / "checkpoints").glob(".writing-*[0-9]")):
        assert run.process.poll() is None, run.log
    time.sleep(rng.uniform(0, 0.02))
    assert run.end(signal.SIGKILL) == -signal.SIGKILL


def _fill_the_disk(run, rng):
    """Let files grow to 200 kB from now on: less than the weights of a network."""
    run.wait_for_step(run.before + 12)
    _, most = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (200_000, most))
    assert run.end() == 1
    assert "Traceback" not in run.log
    last = run.log.splitlines()[-1]
    assert last.startswith("error: could not save")
    assert "(File too large); free space there and run again." in last


@pytest.mark.parametrize(
    "ends",
    [
        [_kill_while_writing, _fill_the_disk],
        pytest.param([_kill_at_random, _kill_while_writing] * 5 + [_fill_the_disk], marks=pytest.mark.slow),
    ],
    ids=["once", "ten-times"],
)
def test_killed_at_random_moments(faces, model, tmp_path, ends):
    straight = tmp_path / "straight" / "model"
    shutil.copytree(model, straight)
    rng = np.random.default_rng(5)
    torn = 0
    for end in ends:
        with Run(faces, model, steps=100_000, save_minutes=0.003) as run:
            end(run, rng)
            assert f"from step {run.before}\n" in run.log, "it went on from the newest checkpoint"
            torn += len(list((model / "checkpoints").glob(".writing-*")))
    assert torn, "at least one was killed inside a checkpoint"

    with Run(faces, straight, steps=100_000, save_minutes=0.01) as run:
        run.wait_for_step(_newest(model) + 3)
        assert run.end(signal.SIGINT) == 130
        log = run.log
    end = find_checkpoint(straight).state.step
    assert log.endswith("error: interrupted\n")
    assert f"step {end} after" in log, "Ctrl-C saves the step that it ends with"

    with Run(faces, model, steps=end) as run:
        assert run.end() == 0
    assert find_checkpoint(model).state.step == end
    assert sorted(each.name[0] for each in (model / "checkpoints").iterdir()) == ["0", "0"], "nothing unfinished left"

    (wanted, _), (got, steps) = _curve(straight), _curve(model)
    assert steps == list(range(25, end + 1, 25)), "no row twice, none missing"
    assert {step: pytest.approx(row, rel=1e-3, abs=1e-5) for step, row in wanted.items()} == got
    for first, second in zip(_numbers(straight), _numbers(model), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-5)
