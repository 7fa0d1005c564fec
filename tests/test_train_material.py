"""The train verb: what it makes of face folders, and a step with all of it."""

from __future__ import annotations

import csv
import shutil

import pytest
from tiny import COUNT, build_eagerly, tiny_settings, write_faces

from faceswap_gan import train
from faceswap_gan.config import PRESETS
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import steps, trainer
from faceswap_gan.training.checkpoint import find_checkpoint, read_settings
from faceswap_gan.training.material import read_material


def test_pretraining_learns_from_its_footage(tmp_path, monkeypatch):
    tiny = tiny_settings("fast", training={"batch": 1, "teacher": "mesh"}, lesson=1.0)
    monkeypatch.setitem(PRESETS, "fast", tiny)
    monkeypatch.setattr(steps, "build_step", build_eagerly)
    monkeypatch.setattr(trainer, "_REPORT_STEPS", 1)
    model = tmp_path / "model"
    train.run(pretrain=write_faces(tmp_path / "faces", "src"), model=model, preset="fast", steps=1)
    assert find_checkpoint(model).state.step == 1
    assert read_settings(model).training.teacher == "footage"
    with (model / "logs" / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["lesson"]) > 0.0


@pytest.mark.parametrize("is_cleaned", [True, False])
def test_a_picture_that_is_there_twice_is_drawn_once_where_that_is_asked_for(tmp_path, is_cleaned):
    folders = {side: write_faces(tmp_path / side, side, count=COUNT + 1) for side in SIDES}
    first, *_, last = sorted(folders["src"].glob("*.png"))
    shutil.copy(first, last)
    settings = tiny_settings("fast", training={"clean": is_cleaned})
    people, _ = read_material(folders, tmp_path / "model", settings)
    report = tmp_path / "model" / "logs" / "left_out.csv"
    assert report.exists() == is_cleaned
    if not is_cleaned:
        assert people["src"].drawn is people["dst"].drawn is None
        return
    assert people["src"].drawn.tolist() == [True] * COUNT + [False]
    assert people["dst"].drawn.all()
    assert report.read_text().splitlines()[1:] == [f"src,{last.name},near-duplicate,{first.name}"]
