"""The table of presets: one line each, with figures that are known."""

from __future__ import annotations

import pytest

from faceswap_gan import __main__ as cli
from faceswap_gan.config import PRESETS
from faceswap_gan.training.presets import USES


@pytest.fixture(scope="module")
def table():
    from faceswap_gan.training.presets import preset_table

    return {line.split()[0]: line for line in preset_table().splitlines()}


def test_every_preset_has_a_line_and_a_use(table):
    assert list(table) == ["preset", *PRESETS]
    assert all(table[name].endswith(USES[name]) for name in PRESETS)


def test_known_figures(table):
    for figure in ("71.7 M", "1.5 M", "6.71", "64 px"):
        assert f" {figure} " in table["classic-64"]
    assert " none " in table["fast"]


def test_the_flag_prints_it_and_does_nothing_else(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", "--list-presets"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in PRESETS)
    assert not list(tmp_path.iterdir())


def test_without_it_the_folders_are_needed(capsys):
    assert cli.main(["train", "--steps", "1"]) == 1
    assert "--src and --dst" in capsys.readouterr().err
