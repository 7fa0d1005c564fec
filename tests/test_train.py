"""The train verb: what it refuses and what it chooses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import tiny_settings, write_faces, write_model

from faceswap_gan import train
from faceswap_gan.config import PRESETS
from faceswap_gan.errors import FaceFolderError, ModelError, SettingsError, WeightsError
from faceswap_gan.media import weights
from faceswap_gan.media.weights import WEIGHTS
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import devices, material, memory, perceptual, settle, teacher
from faceswap_gan.training.checkpoint import State, find_checkpoint, read_settings

TINY = tiny_settings("fast", training={"batch": 1, "seed": 5})


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    return {side: write_faces(folder / f"face_{side}", side) for side in SIDES}


@pytest.fixture
def model(tmp_path):
    """A model of small networks that has made no step yet."""
    return write_model(tmp_path / "model", TINY)


@pytest.fixture
def trained(model):
    """The same after 30 steps, as far as its name and state say."""
    newest = find_checkpoint(model).folder
    newest.rename(newest.with_name("00000030"))
    (model / "checkpoints" / "00000030" / "state.json").write_text('{"step": 30, "seconds": 90.0}')
    return model


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """What would be trained, without training."""
    seen = []
    monkeypatch.setattr(material, "read_material", lambda folders, model, settings: None)
    monkeypatch.setattr(train, "_fit", lambda material, model, settings, *more: seen.append(settings))
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
        ({"minutes": float("inf")}, "--minutes above 0, got inf"),
        ({"batch": 0}, "--batch"),
        ({"seed": -1}, "--seed of 0 or more, got -1"),
        ({"save_minutes": -0.1}, "--save-minutes"),
        ({"clip_norm": -1.0}, "--clip-norm of 0 or more"),
        ({"clip_norm": float("inf")}, "--clip-norm of 0 or more, got inf"),
        ({"preset": "fast", "perceptual": "vggface"}, "--perceptual none or onet with the preset fast, got vggface"),
        ({"preset": "classic-64", "perceptual": "onet"}, "--perceptual none or vggface with the preset classic-64"),
        ({"preset": "fast", "vggface_weights": Path("x.h5")}, "no --vggface-weights with --perceptual onet"),
        ({"preview_minutes": -2.0}, "--preview-minutes"),
        ({"preset": "fst"}, "classic-lite-256"),
        ({"balance": 1.5}, "--balance from 0 to 1, got 1.5"),
        ({"preset": "fast", "swap_decoders": True}, "--swap-decoders with a classic preset, got fast"),
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
def test_a_flag_that_contradicts_the_model(trained, tmp_path, chosen, flags, words):
    with pytest.raises(ModelError) as error:
        train.run(tmp_path, tmp_path, model=trained, steps=40, **flags)
    assert words in str(error.value)
    assert "another --model" in str(error.value)
    assert not chosen


def test_a_model_goes_on_with_its_own_settings(model, tmp_path, chosen):
    train.run(tmp_path, tmp_path, model=model, steps=10)
    train.run(tmp_path, tmp_path, model=model, steps=10, preset="fast", batch=1, seed=5)
    assert chosen == [TINY, TINY]


@pytest.mark.parametrize("flags", [{"batch": 9}, {"preset": "fast", "precision": "float16"}, {"batch": "auto"}])
def test_before_the_first_step_a_model_begins_anew_with_other_flags(model, tmp_path, chosen, monkeypatch, flags):
    """As its own message asks for where memory did not suffice for the first step."""
    monkeypatch.setattr(memory, "choose_batch", lambda settings, devices: 7)
    train.run(tmp_path, tmp_path, model=model, steps=10, **flags)
    assert read_settings(model) == chosen[0] != TINY
    assert chosen[0].training.batch == {"auto": 7}.get(flags.get("batch"), flags.get("batch", 2))
    assert find_checkpoint(model) is None, "the weights were those of other settings"


def test_the_batch_of_a_trained_model_stays(trained, tmp_path, chosen, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    train.run(tmp_path, tmp_path, model=trained, steps=40, batch="auto")
    assert chosen == [TINY]
    assert "--batch auto was settled when the model was begun: 1" in caplog.text


def test_a_begun_batch_that_no_devices_share_is_refused(trained, tmp_path, chosen, monkeypatch):
    monkeypatch.setattr(devices, "count_devices", lambda wanted: 4)
    with pytest.raises(SettingsError, match="--batch to be a multiple of 4 devices, got 1"):
        train.run(tmp_path, tmp_path, model=trained, steps=40, batch="auto", devices="all")
    assert not chosen


def test_the_largest_batch_is_chosen_beside_the_faces(tmp_path, chosen, monkeypatch):
    order = []
    monkeypatch.setattr(material, "read_material", lambda *_: order.append("faces"))
    monkeypatch.setattr(memory, "choose_batch", lambda settings, devices: order.append("batch") or 3)
    train.run(tmp_path, tmp_path, model=tmp_path / "new", preset="fast", batch="auto")
    assert order == ["faces", "batch"]


def test_pretraining_and_a_pair_need_models_of_their_own(tmp_path, chosen, trained):
    with pytest.raises(
        ModelError, match="trained on a pair, now --pretrain is asked for; do that in another --model"
    ):
        train.run(pretrain=tmp_path, model=trained, steps=40)
    alone = replace(TINY, training=replace(TINY.training, teacher="footage"))
    general = write_model(tmp_path / "general", alone, state=State(step=30))
    with pytest.raises(ModelError, match="with --pretrain; begin the pair in another --model, with --from"):
        train.run(tmp_path, tmp_path, model=general, steps=40)
    assert not chosen
    train.run(pretrain=tmp_path, model=general, steps=40)
    assert chosen == [alone]


def test_nothing_to_do(trained, tmp_path, chosen, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    for budget in ({"steps": 30}, {"minutes": 1.5}, {"steps": 1000, "minutes": 1.0}):
        train.run(tmp_path, tmp_path, model=trained, **budget)
    assert caplog.text.count("already trained for 30 steps, 1.5 minutes") == 3
    assert not chosen
    train.run(tmp_path, tmp_path, model=trained, steps=31)
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
    training = replace(PRESETS[preset].training, batch=3, pairs=9, seed=7)
    assert chosen == [replace(PRESETS[preset], training=training)]
    assert read_settings(tmp_path / "model") == chosen[0]
    assert f"preset {preset}, because {'a' if gpu else 'no'} GPU was found" in caplog.text


def test_pretraining_takes_one_folder_twice(tmp_path, chosen, monkeypatch):
    folders = []
    monkeypatch.setattr(material, "read_material", lambda *more: folders.append(more[0]))
    train.run(pretrain=tmp_path, model=tmp_path / "model", preset="fast")
    assert folders == [{"src": tmp_path, "dst": tmp_path}]
    assert chosen[0].training.teacher == "footage"
    with pytest.raises(SettingsError, match="--pretrain or --src and --dst, got both"):
        train.run(src=tmp_path, pretrain=tmp_path, model=tmp_path / "model")
    with pytest.raises(SettingsError, match="no --teacher with --pretrain, got mesh"):
        train.run(pretrain=tmp_path, model=tmp_path / "model", teacher="mesh")


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
