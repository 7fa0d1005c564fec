"""Checkpoints are whole or not there, the newest stay, and a damaged one is one clear line."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny import SIDE, tiny_settings

from faceswap_gan.errors import ModelError
from faceswap_gan.training import checkpoint as module
from faceswap_gan.training.best import Best, find_best, forget_best, mark_best
from faceswap_gan.training.checkpoint import (
    KEEP,
    State,
    drop_since,
    find_checkpoint,
    load_networks,
    load_swap,
    load_variables,
    read_settings,
    save_checkpoint,
    write_settings,
)
from faceswap_gan.training.networks import build_networks


def _network(value=1.0, width=3):
    layer = keras.layers.Dense(width, kernel_initializer=keras.initializers.Constant(value))
    return {"encoder": keras.Sequential([keras.layers.Input((2,)), layer])}


def _variables(value=1.0, width=3):
    return [keras.Variable(np.full((width, 40), value, "float32")), keras.Variable(7, dtype="int32", trainable=False)]


def _save(model, step, *, value=1.0):
    return save_checkpoint(model, _network(value), _variables(value), State(step, seconds=step / 2))


def _names(model):
    return sorted(each.name for each in (model / "checkpoints").iterdir())


def _value(model):
    """The number that a model's newest checkpoint was saved with, read from both files."""
    networks, variables, newest = _network(0.0), _variables(0.0), find_checkpoint(model)
    load_networks(newest, networks)
    load_variables(newest, variables)
    kernel, saved = networks["encoder"].get_weights()[0], keras.ops.convert_to_numpy(variables[0])
    assert (kernel == kernel[0, 0]).all()
    assert (saved == kernel[0, 0]).all()
    return float(kernel[0, 0])


def test_a_checkpoint_of_before_the_last_variables_were_there(tmp_path):
    newest = _save(tmp_path, 1, value=4.0)
    more = [*_variables(0.0), keras.Variable(8.0), keras.Variable(9.0)]
    load_variables(newest, more, newer=2)
    assert keras.ops.convert_to_numpy(more[0]).max() == 4.0
    assert [float(each.value) for each in more[2:]] == [8.0, 9.0]
    for newer in (0, 1):
        with pytest.raises(ModelError, match="does not fit the model"):
            load_variables(newest, more, newer=newer)


def test_a_users_copy_is_left_alone(tmp_path):
    _save(tmp_path, 5).folder.rename(tmp_path / "checkpoints" / "00000005 good")
    for step in range(6, 9 + KEEP):
        _save(tmp_path, step)
    drop_since(tmp_path, 8)
    assert "00000005 good" in _names(tmp_path)
    assert find_checkpoint(tmp_path).state.step == 7 + KEEP


def test_what_is_saved_is_read(tmp_path):
    _save(tmp_path, 5, value=2.5)
    assert find_checkpoint(tmp_path).state == State(5, 2.5)
    assert _value(tmp_path) == 2.5


def test_the_newest_are_kept(tmp_path):
    for step in (1, 2, 10, 9000):
        _save(tmp_path, step, value=step)
    assert _names(tmp_path) == ["00000010", "00009000"]
    assert len(_names(tmp_path)) == KEEP
    assert _value(tmp_path) == 9000


def test_no_model_no_checkpoint(tmp_path):
    assert find_checkpoint(tmp_path / "nowhere") is None


def test_a_step_that_is_saved_is_not_touched(tmp_path):
    _save(tmp_path, 3, value=1)
    _save(tmp_path, 3, value=2)
    assert _names(tmp_path) == ["00000003"]
    assert _value(tmp_path) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["np.savez", "flush", "json.dumps"])
def test_a_failure_while_writing_leaves_the_last_one(tmp_path, monkeypatch, error, moment):
    _save(tmp_path, 3, value=3)

    def fail(*arguments, **more):
        raise error

    monkeypatch.setattr(f"faceswap_gan.training.checkpoint.{moment}", fail)
    with pytest.raises(ModelError if isinstance(error, OSError) else KeyboardInterrupt):
        _save(tmp_path, 4, value=4)
    monkeypatch.undo()
    assert _names(tmp_path) == ["00000003"]
    assert _value(tmp_path) == 3


def test_nothing_is_deleted_before_the_new_one_is_whole(tmp_path, monkeypatch):
    for step in range(KEEP):
        _save(tmp_path, step)
    before = _names(tmp_path)
    seen = []
    monkeypatch.setattr(module, "flush", lambda path: seen.append(_names(tmp_path)))
    _save(tmp_path, 9)
    assert all(set(before) <= set(names) for names in seen)
    assert "00000009" not in seen[0]


def test_what_a_killed_process_left_is_ignored_then_removed(tmp_path):
    _save(tmp_path, 3, value=3)
    for name in (".writing-00000004", ".writing-00000002-old"):
        left = tmp_path / "checkpoints" / name
        left.mkdir()
        (left / "encoder.weights.h5").write_bytes(b"half")
    assert find_checkpoint(tmp_path).state.step == 3
    _save(tmp_path, 5, value=5)
    assert _names(tmp_path) == ["00000003", "00000005"]


def test_an_old_one_is_out_of_sight_before_it_is_deleted(tmp_path, monkeypatch):
    deleted = []
    remove = module.shutil.rmtree

    def note(path, **more):
        if path.exists():
            deleted.append(path.name)
        remove(path, **more)

    monkeypatch.setattr(module.shutil, "rmtree", note)
    for step in (1, 2, 3, 4):
        _save(tmp_path, step)
    assert deleted == [".writing-00000001-old", ".writing-00000002-old"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_gone_wild_are_not_saved(tmp_path, value):
    _save(tmp_path, 3, value=3)
    with pytest.raises(ModelError, match="by step 4 .* no finite number"):
        save_checkpoint(tmp_path, _network(4.0), _variables(value), State(4))
    assert _names(tmp_path) == ["00000003"]
    assert _value(tmp_path) == 3


def _cut(share):
    return lambda file: file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


def _flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 3 :: 7] = b"?" * len(data[len(data) // 3 :: 7])
    file.write_bytes(bytes(data))


DAMAGE = {"gone": Path.unlink, "empty": _cut(0), "half": _cut(0.5), "nearly": _cut(0.97), "garbled": _flip}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["encoder.weights.h5", "training.npz", "state.json"])
def test_damage_is_one_line(tmp_path, name, damage):
    newest = _save(tmp_path, 3)
    DAMAGE[damage](newest.folder / name)
    with pytest.raises(ModelError) as error:
        _value(tmp_path)
    assert "\n" not in str(error.value)
    assert str(newest.folder) in str(error.value)
    assert "delete" in str(error.value)


@pytest.mark.parametrize("text", ["[]", "null", '{"epoch": 1}', '{"step": "3", "seconds": 0}', '{"step": 3.5}'])
def test_another_state(tmp_path, text):
    newest = _save(tmp_path, 3)
    (newest.folder / "state.json").write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        find_checkpoint(tmp_path)


def test_state_is_plain_json(tmp_path):
    newest = _save(tmp_path, 3)
    assert json.loads((newest.folder / "state.json").read_text()) == asdict(newest.state)


def test_weights_of_another_shape(tmp_path):
    newest = _save(tmp_path, 3)
    with pytest.raises(ModelError, match=r"encoder\.weights\.h5 does not fit") as error:
        load_networks(newest, _network(width=4))
    assert "\n" not in str(error.value)
    for variables in (_variables(width=4), _variables()[:1], [*_variables(), *_variables()]):
        with pytest.raises(ModelError, match=r"training\.npz does not fit") as error:
            load_variables(newest, variables)
        assert "\n" not in str(error.value)


def test_settings_survive(tmp_path):
    settings = tiny_settings("fast", edge=0.125)
    write_settings(tmp_path / "new" / "model", settings)
    assert read_settings(tmp_path / "new" / "model") == settings


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x9c", b"", b"\0" * 64])
def test_damaged_settings(tmp_path, content):
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(ModelError, match=r"config\.toml"):
        read_settings(tmp_path)


def test_a_model_that_is_none_does_not_paint(tmp_path):
    with pytest.raises(ModelError, match="train a model there first"):
        load_swap(tmp_path, face="src")
    write_settings(tmp_path, tiny_settings("fast"))
    with pytest.raises(ModelError, match="without a checkpoint; train it first"):
        load_swap(tmp_path, face="src")


def test_a_model_paints(tmp_path):
    settings = tiny_settings("fast")
    write_settings(tmp_path, settings)
    networks = build_networks(settings.model, rng=np.random.default_rng(1))
    rng = np.random.default_rng(2)
    networks["decoder"].set_weights(
        [w + rng.normal(0, 0.03, w.shape).astype("float32") for w in networks["decoder"].get_weights()]
    )
    save_checkpoint(tmp_path, networks, [], State(1))
    crops = rng.uniform(-1, 1, (3, SIDE, SIDE, 3)).astype("float32")
    painted = {}
    for person, face in enumerate(("src", "dst")):
        loaded = load_swap(tmp_path, face=face)
        assert (loaded.size, loaded.align_size) == (SIDE, 256)
        painted[face] = loaded.swap(crops)
        assert painted[face].rgb.shape == (3, SIDE, SIDE, 3)
        assert painted[face].mask.shape == (3, SIDE, SIDE, 1)
        code = networks["encoder"](crops)
        head = networks["decoder"]([code, keras.ops.full((3,), person, "int32")])["head"]
        np.testing.assert_allclose(painted[face].rgb, keras.ops.convert_to_numpy(head)[..., 1:], atol=1e-5)
    assert np.abs(painted["src"].rgb - painted["dst"].rgb).max() > 0.01

    with pytest.raises(ModelError, match="expected a best checkpoint .* take the last one"):
        load_swap(tmp_path, face="src", checkpoint="best")
    mark_best(tmp_path, Best(1, 0.5))
    for step in range(2, 3 + KEEP):
        networks["decoder"].set_weights([0.0 * w for w in networks["decoder"].get_weights()])
        save_checkpoint(tmp_path, networks, [], State(step))
    best, last = (load_swap(tmp_path, face="src", checkpoint=each).swap(crops).rgb for each in ("best", "last"))
    np.testing.assert_array_equal(best, painted["src"].rgb)
    assert np.abs(last).max() == 0.0


def test_the_best_is_kept_beside_the_newest(tmp_path):
    _save(tmp_path, 2)
    mark_best(tmp_path, Best(2, 0.5))
    for step in (3, 4, 5):
        _save(tmp_path, step)
    assert _names(tmp_path) == ["00000002", "00000004", "00000005", "best.json"]
    mark_best(tmp_path, Best(5, 0.6))
    _save(tmp_path, 6)
    assert _names(tmp_path) == ["00000005", "00000006", "best.json"]
    assert find_best(tmp_path) == Best(5, 0.6)
    forget_best(tmp_path)
    assert find_best(tmp_path) is None


def test_a_best_that_is_gone_or_damaged(tmp_path):
    mark_best(tmp_path, Best(2, 0.5))
    assert find_best(tmp_path) is None
    for text in ("", "[]", '{"step": 2}'):
        (tmp_path / "checkpoints" / "best.json").write_text(text)
        with pytest.raises(ModelError, match=r"best\.json is damaged .*; delete it"):
            find_best(tmp_path)
