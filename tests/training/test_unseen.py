"""Held-out faces in the loop: none is trained on, and what their scores make the best checkpoint."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeHeldOut, FakeStep
from tiny import COUNT, UNCHANGED, tiny_settings, train_fake

from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training import guard, held_out, trainer
from faceswap_gan.training.best import Best, find_best
from faceswap_gan.training.budget import Budget

TRAINED = COUNT * 3 // 4


@pytest.fixture
def asked(monkeypatch):
    """A quarter of the faces is held out; what they are measured with, for scores of one half."""
    found = []
    monkeypatch.setattr(held_out, "FEWEST", 8)
    monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: found.append(arguments) or FakeHeldOut(0.5))
    return found


@pytest.fixture
def score(monkeypatch):
    """Lets held-out faces score as told."""
    monkeypatch.setattr(trainer, "hold_out", lambda people, share: (people, people))
    return lambda *scores: monkeypatch.setattr(trainer, "HeldOut", lambda *arguments: FakeHeldOut(*scores))


def _find(people, pictures):
    """Which faces pictures show, mirrored or not: a person and a number of each."""
    crops = np.concatenate([people[side].crops for side in SIDES]).astype(int)
    both = np.stack([crops, crops[:, :, ::-1]])[:, :, ::4, ::4]
    found = {int(np.abs(both - each[::4, ::4]).mean(axis=(2, 3, 4)).min(axis=0).argmin()) for each in pictures}
    return {(SIDES[number // COUNT], number % COUNT) for number in found}


def test_no_step_sees_a_face_that_is_held_out(people, tmp_path, preview, asked):
    settings = tiny_settings("fast", training={"held_out": 0.25, "pairs": 4})
    step = FakeStep()
    budget = Budget(steps=30, preview_minutes=99)
    train_fake(people, tmp_path, step, budget, settings=replace(settings, augmentation=UNCHANGED))
    for kind, sides in (("src_target", ["src"]), ("dst_target", ["dst"]), ("pair_crops", SIDES)):
        shown = _find(people, np.concatenate([batch[kind] for batch in step.batches]))
        assert shown == {(side, number) for side in sides for number in range(TRAINED)}, kind


def test_scores_are_of_faces_that_are_held_out(people, tmp_path, preview, asked):
    settings = tiny_settings("fast", training={"held_out": 0.25})
    train_fake(people, tmp_path, FakeStep(), Budget(steps=1), settings=settings)
    ((unseen, seen, _),) = asked
    for side in SIDES:
        assert unseen[side].files == people[side].files[TRAINED:]
        assert seen[side].files == people[side].files[:TRAINED]


def test_a_collapsed_model_is_never_the_best(people, tmp_path, preview, often, clock, score, monkeypatch):
    monkeypatch.setattr(guard, "_SHAPED", 0)
    score(0.2, 0.3, 0.25, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1)  # after steps 2, 4, ...; 8, 10 and 12 while the mask is dead
    step = FakeStep({each: lambda: clock.passes(60) for each in range(1, 99)})
    step.read_means = lambda: {"mask_area": 0.0 if 5 < len(step.rates) < 13 else 0.5}
    train_fake(people, tmp_path, step, Budget(steps=16, save_minutes=99, preview_minutes=2))
    assert find_best(tmp_path) == Best(4, 0.3)


def test_a_new_training_knows_no_best_of_an_earlier_one(people, tmp_path, preview, score):
    score(0.9)
    train_fake(people, tmp_path, FakeStep(), Budget(steps=3))
    for folder in (tmp_path / "checkpoints").glob("0*"):
        shutil.rmtree(folder)
    score(0.2)
    train_fake(people, tmp_path, FakeStep(), Budget(steps=3))
    assert find_best(tmp_path) == Best(3, 0.2)
