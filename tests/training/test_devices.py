"""Several devices: the losses and the checkpoint are those of one device with the same batch."""

from __future__ import annotations

import importlib.util
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import numpy as np
import pytest
from tiny import tiny_settings, write_faces
from worker import run_jobs

from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import devices
from faceswap_gan.training.checkpoint import find_checkpoint

STEPS = 3


def _virtual(number):
    """Variables that make one CPU look like several."""
    return {"VIRTUAL_DEVICES": str(number), "XLA_FLAGS": f"--xla_force_host_platform_device_count={number}"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
@pytest.mark.parametrize("family", ["fast", "classic"])
def test_losses_are_those_of_one_device(tmp_path, family, backend, number):
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    for side in SIDES:
        write_faces(tmp_path / f"face_{side}", side)
    training = {"batch": 4, "pairs": 4 if family == "fast" else 0}
    job = {"family": family, "steps": (0, STEPS), "training": training}
    one, several, back = run_jobs(
        tmp_path,
        backend,
        [
            {**job, "save": str(tmp_path / "one")},
            {**job, "devices": number, "save": str(tmp_path / "several")},
            {**job, "devices": number, "begin": str(tmp_path / "one"), "steps": (STEPS, STEPS + 1)},
        ],
        **_virtual(number),
    )
    for wanted, got in zip(one, several, strict=True):
        assert got == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    assert one[0] != one[-1]
    assert len(back) == 1
    folders = [find_checkpoint(tmp_path / name).folder for name in ("one", "several")]
    with np.load(folders[0] / "training.npz") as first, np.load(folders[1] / "training.npz") as second:
        assert first.files == second.files
        assert [first[name].shape for name in first.files] == [second[name].shape for name in first.files]


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed")
def test_two_machines(tmp_path):
    for side in SIDES:
        write_faces(tmp_path / f"face_{side}", side)
    with socket.create_server(("localhost", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
    job = {"family": "fast", "steps": (0, STEPS), "training": {"batch": 4, "pairs": 4}}

    def run(index):
        names = {"JOB_ADDRESSES": address, "NUM_PROCESSES": "2", "PROCESS_ID": str(index)}
        together = {**job, "devices": "all", "save": str(tmp_path / f"machine{index}")}
        joined = {f"KERAS_DISTRIBUTION_{name}": value for name, value in names.items()}
        return run_jobs(tmp_path, "jax", [together], **joined, **_virtual(2))[0]

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(run, range(2))
    (alone,) = run_jobs(tmp_path, "jax", [job])
    assert first == second
    for wanted, got in zip(alone, first, strict=True):
        assert got == pytest.approx(wanted, rel=1e-3, abs=1e-5)


def test_several_machines_need_jax(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(SettingsError, match="expected KERAS_BACKEND=jax for several machines"):
        devices.join_machines()


def test_machines_that_are_named_wrongly(monkeypatch):
    def initialize():
        raise ValueError("The provided `job_addresses` has 1 jobs,\nbut `num_processes` is 2.")

    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "initialize", initialize)
    with pytest.raises(SettingsError, match="_PROCESS_ID to name a run's machines, got .*has 1 jobs,") as error:
        devices.join_machines()
    assert "\n" not in str(error.value)


def test_machines_must_have_the_same(monkeypatch):
    faces = {side: np.full((1, 2, 2, 3), index, np.uint8) for index, side in enumerate(SIDES)}
    settings = tiny_settings("fast")
    monkeypatch.setattr(devices, "first_says", lambda value: 3.0)
    devices.check_machines(faces, settings, 4)
    monkeypatch.setattr(devices, "_count_machines", lambda: 2)
    with pytest.raises(ModelError, match="same faces of src on every machine"):
        devices.check_machines(faces, settings, 3)
    monkeypatch.setattr(devices, "first_says", lambda value: value if value > 9 else 3.0)
    devices.check_machines(faces, settings, 3)
    with pytest.raises(ModelError, match="same checkpoint on every machine"):
        devices.check_machines(faces, settings, 4)


def test_one_device_changes_nothing(monkeypatch):
    with devices.on_devices(1):
        variable = keras.Variable(np.ones(2, np.float32))
    assert float(variable.numpy().sum()) == 2.0
    assert devices.count_parts() == 1
    assert devices.count_devices(1) == 1


def test_more_than_there_are(monkeypatch):
    monkeypatch.setattr(devices, "_list_devices", lambda: ["one", "two"])
    assert (devices.count_devices("all"), devices.count_devices(2)) == (2, 2)
    with pytest.raises(SettingsError, match="--devices up to 2, which .* sees, got 3"):
        devices.count_devices(3)


def test_torch_trains_on_one(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert (devices.count_devices("all"), devices.count_devices(1)) == (1, 1)
    with pytest.raises(SettingsError, match="KERAS_BACKEND=jax or tensorflow"):
        devices.count_devices(2)


@pytest.mark.parametrize(
    ("training", "words"), [({"batch": 6}, "--batch to be a multiple of 4"), ({"batch": 8, "pairs": 2}, "pairs")]
)
def test_what_cannot_be_split_is_refused(training, words):
    settings = tiny_settings("fast", training={"pairs": 4, **training})
    devices.check_split(settings, 1)
    with pytest.raises(SettingsError, match=words):
        devices.check_split(settings, 4)


@pytest.mark.parametrize(
    ("family", "part", "change"),
    [
        ("classic", "model", {"norm": "batchnorm"}),
        ("classic", "losses", {"gan": "relativistic"}),
        ("classic", "training", {"clip_norm": 1.0}),
        ("fast", "training", {"clip_norm": 1.0}),
    ],
)
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_whole_batches_need_jax(monkeypatch, backend, family, part, change):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    plain = tiny_settings(family, training={"pairs": 2 * (family == "fast")})
    devices.check_split(plain, 2)
    settings = replace(plain, **{part: replace(getattr(plain, part), **change)})
    devices.check_split(settings, 1)
    if backend == "jax":
        devices.check_split(settings, 2)
        return
    with pytest.raises(SettingsError, match="KERAS_BACKEND=jax"):
        devices.check_split(settings, 2)


@pytest.mark.parametrize(
    ("capabilities", "fast"), [([], True), ([(8, 0)], True), ([(7, 5)], False), ([(9, 0), (7, 5)], False)]
)
def test_bfloat16_needs_a_gpu_that_multiplies_in_it(monkeypatch, capabilities, fast):
    assert devices._capabilities() == []
    monkeypatch.setattr(devices, "has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_capabilities", lambda: capabilities)
    assert devices.has_fast_bfloat16() is fast


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("avx512f avx512_bf16 avx512_fp16", True), ("avx2 amx_bf16 amx_tile", True), ("avx2 avx512f", False)],
)
def test_bfloat16_is_fast_where_the_processor_has_it(monkeypatch, tmp_path, flags, fast):
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nflags\t\t: fpu sse {flags}\n", encoding="utf-8")
    monkeypatch.setattr(devices, "_CPU_FLAGS", file)
    monkeypatch.setattr(devices, "has_gpu", lambda: False)
    for backend in ("tensorflow", "jax", "torch"):
        monkeypatch.setattr(keras.backend, "backend", lambda backend=backend: backend)
        assert devices.has_fast_bfloat16() == (fast and backend == "tensorflow")


def test_bfloat16_is_slow_where_nothing_is_known_of_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "_CPU_FLAGS", tmp_path / "cpuinfo")
    monkeypatch.setattr(devices, "has_gpu", lambda: False)
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert not devices.has_fast_bfloat16()
