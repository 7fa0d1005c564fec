"""Held-out faces: which they are, and what their scores tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import draw_faces

from faceswap_gan.media.images import to_float
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.held_out import FEWEST, HeldOut, Scores, hold_out


def _faces(side, count):
    crops = np.stack(draw_faces(side, count=count))
    masks = np.zeros_like(crops)
    masks[:, 16:48, 16:48, 2] = 255
    return FaceSet(crops, masks, crops, masks, files=tuple(f"{index}.png" for index in range(count)))


@pytest.fixture(scope="module")
def people():
    return {"src": _faces("src", 240), "dst": _faces("dst", 400)}


class Painter:
    """Paints what a function makes of crops, through a mask that is the same everywhere."""

    def __init__(self, function, mask=1.0):
        self.function, self.mask = function, mask

    def predict_on_batch(self, crops):
        return np.concatenate([np.full_like(crops[..., :1], self.mask), self.function(crops)], axis=-1)


def test_the_last_faces_of_both_are_held_out_and_nothing_is_copied(people):
    trained, held_out = hold_out(people, 0.05)
    assert {side: len(faces.crops) for side, faces in held_out.items()} == {"src": 12, "dst": 20}
    for side, whole in people.items():
        for name in ("faces", "masks", "crops", "crop_masks"):
            parts = [getattr(each[side], name) for each in (trained, held_out)]
            assert all(np.shares_memory(part, getattr(whole, name)) for part in parts)
            np.testing.assert_array_equal(np.concatenate(parts), getattr(whole, name))
        assert trained[side].files + held_out[side].files == whole.files


def test_few_faces_and_no_share_hold_nothing_out(people):
    few = people | {"src": _faces("src", FEWEST - 1)}
    for each, share in ((few, 0.05), (people, 0.0)):
        trained, held_out = hold_out(each, share)
        assert not held_out
        assert all(trained[side] is each[side] for side in SIDES)


def _measure(people, *, as_src, as_dst, mask=1.0):
    trained, held_out = hold_out(people, 0.05)
    return HeldOut(held_out, trained, {"src": Painter(as_src, mask), "dst": Painter(as_dst, mask)}).measure()


def _same(crops):
    return crops


def test_a_copy_reconstructs_but_does_not_transfer(people):
    scores = _measure(people, as_src=_same, as_dst=_same)
    assert scores.reconstruction == pytest.approx(1.0, abs=1e-3)
    assert scores.transfer == pytest.approx(0.0, abs=1e-3)
    assert scores.score == pytest.approx(0.0, abs=1e-3)


def test_one_face_of_src_transfers_but_does_not_reconstruct(people):
    mean = to_float(people["src"].crops).mean(axis=0)
    scores = _measure(people, as_src=lambda crops: np.broadcast_to(mean, crops.shape), as_dst=_same)
    assert scores.transfer > 0.9
    follows = _measure(people, as_src=lambda crops: 0.5 * (crops + mean), as_dst=_same)
    assert scores.reconstruction < follows.reconstruction < 1.0
    assert 0.3 < follows.transfer < 0.7


@pytest.mark.parametrize("mask", [0.0, 0.5, 1.0])
def test_only_what_the_mask_shows_transfers(people, mask):
    mean = to_float(hold_out(people, 0.05)[0]["src"].crops).mean(axis=0)
    scores = _measure(people, as_src=lambda crops: np.broadcast_to(mean, crops.shape), as_dst=_same, mask=mask)
    assert scores.transfer == pytest.approx(mask, abs=1e-3)


def test_what_is_painted_beside_the_face_does_not_count(people):
    noise = np.random.default_rng(0).uniform(-1, 1, (64, 64, 3)).astype(np.float32)
    near, face = np.zeros((2, 64, 64, 1), bool)
    near[11:53, 11:53] = face[16:48, 16:48] = True  # as far as a window of a pixel in the face reaches
    beside, inside = (lambda crops, kept=kept: np.where(kept, crops, noise) for kept in (near, ~face))
    scores = _measure(people, as_src=beside, as_dst=beside)
    assert scores.reconstruction == pytest.approx(1.0, abs=1e-3)
    assert scores.transfer == pytest.approx(0.0, abs=1e-3)
    assert _measure(people, as_src=inside, as_dst=inside).reconstruction < 0.2


def test_another_colour_is_no_transfer(people):
    scores = _measure(people, as_src=lambda crops: crops + np.float32([0.2, -0.1, 0.1]), as_dst=_same)
    assert scores.transfer == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("reconstruction", "transfer", "score"), [(0.5, 0.6, 0.3), (0.5, -0.2, 0.0), (-0.1, -0.2, 0.0)]
)
def test_the_score_is_the_product(reconstruction, transfer, score):
    assert Scores(reconstruction, transfer).score == pytest.approx(score)
