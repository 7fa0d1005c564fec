"""Whose face it is, on embeddings whose cosines are known."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.metrics.identity import cosines, meet_people, nearer, transfer


def _around(axis: int, count: int = 40, *, seed: int = 0) -> np.ndarray:
    rows = np.eye(8)[axis] + np.random.default_rng(seed).normal(size=(count, 8)) * 0.1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


SRC, DST = _around(0), _around(1, seed=1)
PEOPLE = meet_people(SRC, DST)
ALL = np.ones(40, bool)


def test_scale_is_that_of_all_pairs():
    pairs = SRC @ SRC.T
    assert pytest.approx(pairs[~np.eye(40, dtype=bool)].mean()) == PEOPLE.ceiling
    assert pytest.approx((DST @ SRC.T).mean()) == PEOPLE.floor
    assert cosines(DST, PEOPLE.src) == pytest.approx((DST @ SRC.T).mean(axis=1))


def test_dst_is_zero_and_src_is_one():
    assert transfer(DST, PEOPLE, shown=ALL).mean() == pytest.approx(0, abs=1e-12)
    assert transfer(SRC, PEOPLE, shown=ALL).mean() == pytest.approx(1, abs=0.01)
    assert transfer(_around(0, seed=5), PEOPLE, shown=ALL).mean() == pytest.approx(1, abs=0.05)


def test_halfway_is_half():
    half = (SRC.mean(axis=0) * PEOPLE.ceiling + 0)[None]  # only its cosine to src matters
    span = PEOPLE.ceiling - PEOPLE.floor
    scale = (PEOPLE.floor + 0.5 * span) / (half @ PEOPLE.src).item()
    assert transfer(half * scale, PEOPLE, shown=ALL[:1]).item() == pytest.approx(0.5)


def test_nearer_counts_and_lost_faces_count_against():
    faces = np.concatenate([SRC[:2], DST[:1], np.full((1, 8), np.nan), SRC[:1]])
    shown = np.asarray([True, True, True, True, False])
    assert nearer(faces, PEOPLE, shown=shown)[:4].tolist() == [1, 1, 0, 0]
    assert np.isnan(nearer(faces, PEOPLE, shown=shown)[4]), "the footage shows no face there"
    assert transfer(faces, PEOPLE, shown=shown)[3] == 0


def test_one_person_has_no_identity_to_transfer():
    same = meet_people(SRC, SRC)
    assert abs(same.ceiling - same.floor) < 0.01
    assert np.isnan(transfer(SRC, meet_people(SRC[:15], SRC), shown=ALL)).all(), "a hundredth is no scale"
    alike = np.tile(SRC[:1], (5, 1))
    assert np.isnan(transfer(alike, meet_people(alike, alike), shown=np.ones(5, bool))).all()


def test_too_few_faces_is_an_error():
    with pytest.raises(SettingsError, match="at least 2 faces"):
        meet_people(np.full((5, 8), np.nan), DST)
