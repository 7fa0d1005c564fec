"""Memory: what a step takes, which batch is chosen, and the one line when it runs out."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from tiny import build_eagerly, tiny_settings, write_faces, write_model

from faceswap_gan import __main__ as cli
from faceswap_gan.config import PRESETS
from faceswap_gan.errors import SettingsError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import memory, steps
from faceswap_gan.training.checkpoint import State
from faceswap_gan.training.memory import MemoryGuard, choose_batch, is_out_of_memory, step_bytes, with_batch


def _tensorflow():
    from tensorflow.errors import ResourceExhaustedError

    return ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[8,64,64,3] on GPU:0")


def _torch():
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def _torch_cpu():
    return RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")


def _jax():
    from jax.errors import JaxRuntimeError

    return JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.")


def _numpy():
    return MemoryError("Unable to allocate 9.31 GiB for an array")


ERRORS = {"tensorflow": _tensorflow, "torch": _torch, "torch cpu": _torch_cpu, "jax": _jax, "numpy": _numpy}


@pytest.fixture(params=ERRORS)
def error(request):
    backend = request.param.split()[0]
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    return ERRORS[request.param]()


class FullStep:
    """A step that runs out of memory from some batch on."""

    def __init__(self, error, *, most=0):
        self.most, self.error, self.seen = most, error, []
        self.optimizer, self.state_variables = SimpleNamespace(), []

    def enter(self, phase):
        """No phase changes it."""

    def averaged(self):
        return nullcontext()

    def train_on_batch(self, batch, **more):
        self.seen.append(len(batch["src_warped"]))
        if self.seen[-1] > self.most:
            raise self.error


@pytest.fixture
def full(monkeypatch, error):
    """Every step that is built runs out of memory above two faces."""
    step = FullStep(error, most=2)
    monkeypatch.setattr(memory, "build_step", lambda *_, **__: step)
    monkeypatch.setattr(steps, "build_step", lambda *_, **__: step)
    monkeypatch.setattr(memory, "has_gpu", lambda: True)
    return step


@pytest.mark.parametrize(("begin", "tried"), [(8, [8, 4, 2]), (1, [1, 2, 4]), (3, [2, 4])])
def test_steps_are_tried_on_a_gpu(full, begin, tried):
    assert choose_batch(tiny_settings("fast", training={"batch": begin})) == 2
    assert full.seen == tried


@pytest.mark.parametrize(("devices", "tried", "batch"), [(3, [2, 4], 6), (16, [1, 2, 4], 32)])
def test_devices_share_the_largest_batch(full, devices, tried, batch):
    assert choose_batch(tiny_settings("fast", training={"batch": 8, "pairs": 8}), devices) == batch
    assert full.seen == tried, "one device's part of it"


def test_not_even_one_face_fits(full):
    full.most = 0
    with pytest.raises(SettingsError, match="--preset or --precision"):
        choose_batch(tiny_settings("fast"))


def test_another_error_is_not_taken_for_memory(monkeypatch, full):
    full.error = RuntimeError("bug")
    with pytest.raises(RuntimeError, match="bug"):
        choose_batch(tiny_settings("fast"))
    assert not is_out_of_memory(None)
    assert not is_out_of_memory(ValueError("out of memory of the past"))


def test_a_true_step_is_tried(monkeypatch):
    monkeypatch.setattr(memory, "has_gpu", lambda: True)
    monkeypatch.setattr(memory, "LARGEST_BATCH", 1)
    assert choose_batch(tiny_settings("fast")) == 1


def test_a_true_step_has_lessons_and_a_perceptual_loss(monkeypatch):
    monkeypatch.setattr(memory, "has_gpu", lambda: True)
    monkeypatch.setattr(memory, "LARGEST_BATCH", 1)
    monkeypatch.setattr(memory, "build_step", build_eagerly)
    assert choose_batch(tiny_settings("fast", lesson=1.0, perceptual="onet")) == 1


def test_the_estimate_chooses_without_a_gpu(monkeypatch):
    monkeypatch.setattr(memory, "has_gpu", lambda: False)
    settings = PRESETS["fast"]
    for batch in (1, 4, 32):
        wanted = step_bytes(with_batch(settings, batch))
        monkeypatch.setattr(memory, "free_bytes", lambda wanted=wanted: int(wanted / 0.7) + 9)
        assert choose_batch(settings) == batch


def test_a_step_takes_more_for_more_faces_pixels_and_bits():
    fast, classic = PRESETS["fast"], PRESETS["classic-64"]
    narrow = replace(fast, training=replace(fast.training, precision="bfloat16"))
    wide = replace(fast, training=replace(fast.training, precision="float32"))
    assert step_bytes(with_batch(wide, 16)) > step_bytes(wide) > step_bytes(narrow)
    assert step_bytes(with_batch(PRESETS["classic-256"], 8)) > step_bytes(classic)
    plain = replace(classic, losses=replace(classic.losses, perceptual="none"))
    assert step_bytes(classic) > step_bytes(plain), "the perceptual loss has a network of its own"
    cyclic = replace(plain, losses=replace(plain.losses, cyclic=10.0))
    assert step_bytes(cyclic) > 2 * step_bytes(plain)


def test_training_ends_in_one_line(full, tmp_path, monkeypatch, capsys):
    full.most = 0
    monkeypatch.setitem(PRESETS, "fast", tiny_settings("fast", training={"seed": 3}))
    for side in SIDES:
        write_faces(tmp_path / side, side)
    words = [f"--{side}={tmp_path / side}" for side in SIDES]
    assert cli.main(["train", *words, f"--model={tmp_path / 'model'}", "--preset=fast", "--batch=2"]) == 1
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("error: memory ran out: expected a step of fast with --batch 2 and --precision float32")
    assert all(flag in line for flag in ("turn to a smaller --batch", "--preset", "--precision bfloat16"))


def test_a_model_that_has_made_steps_keeps_its_batch(full, tmp_path):
    settings = tiny_settings("fast")
    model = write_model(tmp_path / "model", settings, state=State(step=9))
    with (
        pytest.raises(SettingsError, match="into another --model with a smaller --batch"),
        MemoryGuard(model, settings),
    ):
        raise full.error


def test_pairs_grow_with_the_batch():
    fast, classic = (with_batch(PRESETS[name], 8).training for name in ("fast", "classic-64"))
    assert (fast.batch, fast.pairs, classic.batch, classic.pairs) == (8, 24, 8, 0)
    assert with_batch(PRESETS["fast"], 1).training.pairs == 3
