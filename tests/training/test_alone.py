"""One training at a time in a model folder."""

from __future__ import annotations

import pytest
from tiny import tiny_settings, write_faces, write_model

from faceswap_gan import train
from faceswap_gan.errors import ModelError
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import trainer
from faceswap_gan.training.alone import alone_at
from faceswap_gan.training.checkpoint import State, find_checkpoint


def test_a_second_training_is_refused_and_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "train", lambda *_, **__: pytest.fail("it was let in"))
    faces = {side: write_faces(tmp_path / f"face_{side}", side) for side in SIDES}
    model = write_model(tmp_path / "model", tiny_settings("fast"), state=State(step=3))
    before = sorted(model.rglob("*"))
    with alone_at(model):
        with pytest.raises(
            ModelError, match="alone at work in .*model, .* wait for it to end, or .* another --model"
        ):
            train.run(**faces, model=model, steps=9)
        assert find_checkpoint(model).state.step == 3
    assert sorted(model.rglob("*")) == before


def test_a_folder_in_which_nothing_was_done_is_gone(tmp_path):
    with alone_at(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()


def test_what_another_run_did_meanwhile_is_not_undone(tmp_path, monkeypatch):
    """It ended between the look at its checkpoint and the lock."""
    model = write_model(tmp_path / "model", tiny_settings("fast"))
    found = iter([None, find_checkpoint(model)])
    monkeypatch.setattr("faceswap_gan.training.settle.find_begun", lambda *_, **__: next(found))
    with pytest.raises(ModelError, match="by another run just now; run again"):
        train.run(tmp_path, tmp_path, model=model, preset="classic-64", perceptual="none", steps=9)
