"""The train verb: what it refuses, what it chooses, and that a killed run loses nothing before its checkpoint."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_settings, write_faces

from faceswap_gan import train
from faceswap_gan.config import PRESETS
from faceswap_gan.errors import FaceFolderError, ModelError, SettingsError, WeightsError
from faceswap_gan.media import weights
from faceswap_gan.media.weights import WEIGHTS
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import perceptual, settle, teacher
from faceswap_gan.training.checkpoint import (
    State,
    find_checkpoint,
    load_networks,
    read_settings,
    save_checkpoint,
    write_settings,
)
from faceswap_gan.training.networks import build_networks
from faceswap_gan.training.steps import build_step

TINY = tiny_settings("fast", training={"batch": 1, "seed": 5})
PATIENCE_S = 240.0  # on a busy machine a start can take long


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    return {side: write_faces(folder / f"face_{side}", side) for side in SIDES}


@pytest.fixture
def model(tmp_path):
    """A model of small networks that has made no step yet."""
    folder = tmp_path / "model"
    networks = build_networks(TINY.model, rng=np.random.default_rng(1))
    write_settings(folder, TINY)
    save_checkpoint(folder, networks, build_step(networks, TINY).state_variables, State())
    return folder


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """What would be trained, without training."""
    seen = []
    monkeypatch.setattr(train, "_fit", lambda folders, model, settings, *more: seen.append(settings))
    monkeypatch.setattr(perceptual, "find_weights", lambda name: tmp_path / name)
    monkeypatch.setattr(teacher, "open_landmarks", lambda name: object())
    return seen


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"steps": 0}, "--steps above 0, got 0"),
        ({"steps": -5}, "--steps"),
        ({"minutes": -1.0}, "--minutes"),
        ({"minutes": float("nan")}, "--minutes"),
        ({"batch": 0}, "--batch"),
        ({"seed": -1}, "--seed of 0 or more, got -1"),
        ({"save_minutes": -0.1}, "--save-minutes"),
        ({"clip_norm": -1.0}, "--clip-norm of 0 or more"),
        ({"preset": "fast", "perceptual": "vggface"}, "--perceptual none with the preset fast, got vggface"),
        ({"preset": "fast", "vggface_weights": Path("x.h5")}, "no --vggface-weights without"),
        ({"preview_minutes": -2.0}, "--preview-minutes"),
        ({"preset": "fst"}, "classic-lite-256"),
        ({"balance": 1.5}, "--balance from 0 to 1, got 1.5"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, chosen, flags, words):
    with pytest.raises(SettingsError) as error:
        train.run(tmp_path / "src", tmp_path / "dst", model=tmp_path / "model", **flags)
    assert words in str(error.value)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"preset": "classic-64"}, "--preset fast, now classic-64"),
        ({"batch": 9}, "--batch 1, now 9"),
        ({"seed": 0}, "--seed 5, now 0"),
        ({"sampling": "yaw"}, "--sampling pictures, now yaw"),
        ({"clean": True}, "--clean False, now True"),
        ({"perceptual": "vggface"}, "--perceptual none, now vggface"),
        ({"swap_decoders": True}, "--swap-decoders False, now True"),
        ({"clip_norm": 1.0}, "--clip-norm 0.0, now 1.0"),
        ({"precision": "float16"}, "--precision float32, now float16"),
    ],
)
def test_a_flag_that_contradicts_the_model(model, tmp_path, chosen, flags, words):
    with pytest.raises(ModelError) as error:
        train.run(tmp_path, tmp_path, model=model, steps=10, **flags)
    assert words in str(error.value)
    assert "another --model" in str(error.value)
    assert not chosen


def test_a_model_goes_on_with_its_own_settings(model, tmp_path, chosen):
    train.run(tmp_path, tmp_path, model=model, steps=10)
    train.run(tmp_path, tmp_path, model=model, steps=10, preset="fast", batch=1, seed=5)
    assert chosen == [TINY, TINY]


def test_nothing_to_do(model, tmp_path, chosen, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    newest = find_checkpoint(model)
    newest.folder.rename(newest.folder.with_name("00000030"))
    (model / "checkpoints" / "00000030" / "state.json").write_text('{"step": 30, "seconds": 90.0}')
    for budget in ({"steps": 30}, {"minutes": 1.5}, {"steps": 1000, "minutes": 1.0}):
        train.run(tmp_path, tmp_path, model=model, **budget)
    assert caplog.text.count("already trained for 30 steps, 1.5 minutes") == 3
    assert not chosen
    train.run(tmp_path, tmp_path, model=model, steps=31)
    assert chosen == [TINY]


@pytest.mark.parametrize(
    ("preset", "flags", "wanted"),
    [
        ("classic-64", {}, ("pictures", 0.0, False)),
        ("classic-64", {"sampling": "yaw"}, ("yaw", 0.5, False)),
        ("classic-64", {"sampling": "yaw", "balance": 1.0, "clean": True}, ("yaw", 1.0, True)),
        ("fast", {"sampling": "expression"}, ("expression", PRESETS["fast"].training.balance, False)),
        ("fast", {"balance": 0.0}, ("pictures", 0.0, False)),
    ],
)
def test_which_faces_are_drawn(tmp_path, chosen, preset, flags, wanted):
    train.run(tmp_path / "src", tmp_path / "dst", model=tmp_path / "model", preset=preset, **flags)
    training = chosen[0].training
    assert (training.sampling, training.balance, training.clean) == wanted
    assert read_settings(tmp_path / "model") == chosen[0]


@pytest.mark.parametrize(("gpu", "preset"), [(True, "quality"), (False, "fast")])
def test_the_preset_is_chosen_by_the_machine_and_announced(tmp_path, chosen, caplog, monkeypatch, gpu, preset):
    caplog.set_level("INFO", "faceswap_gan")
    monkeypatch.setattr(settle, "has_gpu", lambda: gpu)
    monkeypatch.setattr(settle, "has_fast_bfloat16", lambda: True)
    train.run(tmp_path, tmp_path, model=tmp_path / "model", batch=3, seed=7)
    training = replace(PRESETS[preset].training, batch=3, seed=7)
    assert chosen == [replace(PRESETS[preset], training=training)]
    assert read_settings(tmp_path / "model") == chosen[0]
    assert f"preset {preset}, because {'a' if gpu else 'no'} GPU was found" in caplog.text


def test_pretraining_takes_one_folder_twice(tmp_path, chosen, monkeypatch):
    folders = []
    monkeypatch.setattr(train, "_fit", lambda *more: folders.append(more[0]) or chosen.append(more[2]))
    train.run(pretrain=tmp_path, model=tmp_path / "model", preset="fast")
    assert folders == [{"src": tmp_path, "dst": tmp_path}]
    assert chosen[0].training.teacher == "footage"
    with pytest.raises(SettingsError, match="--pretrain or --src and --dst, got both"):
        train.run(src=tmp_path, pretrain=tmp_path, model=tmp_path / "model")


def test_float32_where_bfloat16_is_slow(tmp_path, chosen, caplog, monkeypatch):
    caplog.set_level("INFO", "faceswap_gan")
    narrow = replace(PRESETS["fast"], training=replace(PRESETS["fast"].training, precision="bfloat16"))
    monkeypatch.setattr(settle, "find_preset", lambda name: narrow)
    monkeypatch.setattr(settle, "has_fast_bfloat16", lambda: False)
    train.run(tmp_path, tmp_path, model=tmp_path / "model", preset="fast")
    assert chosen[0].training.precision == "float32"
    assert "float32 instead of bfloat16" in caplog.text


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_the_precision_that_is_asked_for(tmp_path, chosen, monkeypatch, precision):
    monkeypatch.setattr(settle, "has_fast_bfloat16", lambda: False)
    train.run(tmp_path, tmp_path, model=tmp_path / "model", preset="fast", precision=precision)
    assert chosen[0].training.precision == precision


def test_without_the_weights_training_stops_at_once_and_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(weights.urllib.request, "urlopen", _no_network)
    with pytest.raises(WeightsError) as error:
        train.run(tmp_path, tmp_path, model=tmp_path / "model", preset="classic-64", steps=1)
    place = tmp_path / "cache" / "faceswap_gan" / "weights" / "rcmalli_vggface_tf_notop_resnet50.h5"
    for word in (WEIGHTS["vggface"].url, str(place), "FACESWAP_WEIGHTS", "--vggface-weights", "--perceptual none"):
        assert word in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "model").exists()


def _no_network(*args, **kwargs):
    raise OSError("no route to host")


def test_a_wrong_file_of_weights_is_named(tmp_path, faces):
    file = tmp_path / "weights.h5"
    file.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"weights\.h5"):
        train.run(**faces, model=tmp_path / "model", preset="classic-64", steps=1, vggface_weights=file)


def test_flags_reach_the_settings_and_the_log(tmp_path, chosen, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    flags = {"perceptual": "none", "swap_decoders": True, "clip_norm": 2.0}
    train.run(tmp_path, tmp_path, model=tmp_path / "model", preset="classic-64", **flags)
    stored = read_settings(tmp_path / "model")
    assert (stored.losses.perceptual, stored.training.swap_decoders, stored.training.clip_norm) == ("none", True, 2.0)
    assert 'perceptual = "none"' in (tmp_path / "model" / "config.toml").read_text()
    assert "no perceptual loss" in caplog.text
    train.run(tmp_path, tmp_path, model=tmp_path / "other", preset="classic-64")
    assert read_settings(tmp_path / "other").losses.perceptual == "vggface"
    assert f"weights {tmp_path / 'vggface'}" in caplog.text


def test_too_few_faces_leave_no_checkpoint(tmp_path, faces):
    few = write_faces(tmp_path / "few", "src", count=3)
    with pytest.raises(FaceFolderError, match="at least 16 faces in .*few, got 3"):
        train.run(few, faces["dst"], model=tmp_path / "model", preset="fast", steps=1)
    assert find_checkpoint(tmp_path / "model") is None


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
