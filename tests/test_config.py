"""Settings survive their text form, and damaged text is one clear error."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from faceswap_gan.config import PRESETS, Augmentation, Settings, find_preset, without_teacher
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.training.stored_settings import read_toml

TEXT = PRESETS["classic-lite-128"].to_toml()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_its_text(name):
    assert read_toml(find_preset(name).to_toml()) == PRESETS[name]


def test_changed_numbers_survive():
    settings = replace(PRESETS["fast"], augmentation=Augmentation(rotation=1e-7, zoom=1e22, warp=-0.1 / 3))
    assert read_toml(settings.to_toml()) == settings
    assert read_toml(settings.to_toml()) != PRESETS["fast"]


def test_presets_are_what_their_names_say():
    classic = {f"classic-{kind}{size}" for kind in ("", "lite-") for size in (64, 128, 256)}
    assert set(PRESETS) == {"fast", "quality"} | classic
    for name, settings in PRESETS.items():
        assert settings.preset == name
        if name not in ("fast", "quality"):
            assert settings.model.size == int(name.split("-")[-1])
            assert (settings.model.capacity, settings.model.norm) == (
                ("lite", "hybrid") if "lite" in name else ("standard", "instancenorm")
            )


def test_no_two_presets_are_the_same():
    texts = {str(asdict(replace(settings, preset=""))) for settings in PRESETS.values()}
    assert len(texts) == len(PRESETS)


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        PRESETS["fast"].training.batch = 3


def test_unknown_preset():
    with pytest.raises(SettingsError, match="'fst'") as error:
        find_preset("fst")
    assert "classic-lite-256" in str(error.value)


def test_whole_numbers_may_stand_for_fractions():
    assert read_toml(TEXT.replace("cyclic = 0.0", "cyclic = 10")).losses.cyclic == 10


def test_settings_that_an_older_version_did_not_write_are_the_defaults():
    older = "".join(line + "\n" for line in TEXT.splitlines() if not line.startswith("pairs"))
    assert older != TEXT
    assert read_toml(older) == PRESETS["classic-lite-128"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (TEXT, "", "model"),
        (TEXT, TEXT[: len(TEXT) // 2], "expected the settings"),
        (TEXT, "\0" * 99, "expected the settings"),
        ("[losses]", "[loss]", "losses"),
        ("[model]", "[model", "expected the settings"),
        ("width =", "breadth =", "breadth"),
        ("preset =", "prset =", "prset"),
        ("batch = 4", 'batch = "4"', "training.batch to be of type int, got '4'"),
        ("batch = 4", "batch = 4.5", "training.batch"),
        ("batch = 4", "batch = true", "training.batch"),
        ("attention = true", "attention = 1", "model.attention to be of type bool"),
        ("generator_rate = 0.0001", "generator_rate = false", "training.generator_rate"),
        ('norm = "hybrid"', "norm = 3", "model.norm"),
        ('norm = "hybrid"', 'norm = "hybird"', "groupnorm, none, hybrid, got 'hybird'"),
        ('schedule = "classic-lite"', 'schedule = "linear"', "training.schedule"),
        ('perceptual = "vggface"', 'perceptual = "vgg"', "losses.perceptual to be one of none, vggface, onet"),
        ('family = "classic"', 'family = "slow"', "model.family"),
        ('preset = "classic-lite-128"', "preset = 7", "preset"),
    ],
)
def test_damaged_text(old, new, words):
    assert old in TEXT
    with pytest.raises(ModelError) as error:
        read_toml(TEXT.replace(old, new))
    assert words in str(error.value)
    assert "restore the file" in str(error.value)


def test_the_defaults_are_the_smallest_classic_without_what_older_models_did_not_know():
    classic = PRESETS["classic-64"]
    plain = replace(classic, losses=replace(classic.losses, perceptual="none"))
    assert Settings() == replace(plain, training=replace(classic.training, schedule="constant"))


def test_without_a_teacher_half_of_a_step_is_reconstruction():
    before, after = PRESETS["fast"].training, without_teacher(PRESETS["fast"]).training
    assert after.batch == after.pairs == (before.batch + before.pairs) // 2
    assert after.generator_rate < before.generator_rate
