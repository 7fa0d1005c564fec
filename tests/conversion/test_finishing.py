"""Finishing as a frame shows it: each flag beside the same face without it."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import cv2
import numpy as np
import pytest
from fakes import FakeSwap

from faceswap_gan.conversion.finish import FACE, FinishSettings
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.faces.alignment import Alignment, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

SIDE, SIZE = 160, 64  # of the aligned crop, and of the network's, px
WIDTH, HEIGHT = 300, 280
SCALE, TURN = 0.8, 12.0  # crop px for one of the frame; degrees
PLAIN = {"color": "none", "detail": 0.0}
GREY = FakeSwap((0.0, 0.0, 0.0))
FIVE = template(SIDE)
CHEEK = FIVE[0] * 0.4 + FIVE[3] * 0.6 - [5, 0]
MIDDLE = np.full(2, (SIDE - 1) / 2)


@pytest.fixture
def alignment():
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), TURN, SCALE)
    matrix[:, 2] += [(SIDE - 1 - WIDTH) / 2, (SIDE - 1 - HEIGHT) / 2]
    return Alignment(matrix, SIDE)


@pytest.fixture
def paint(alignment):
    """Swaps the face of a grey frame, float (H, W); gives the swapped frame."""
    points = _in_frame(FIVE, alignment).astype(np.float32)
    face = Face(np.concatenate([points.min(axis=0), points.max(axis=0)]), points, 1.0)

    def swap(grey, network, finish):
        image = np.dstack([grey.round().clip(0, 255).astype(np.uint8)] * 3)
        crop = FaceCrop(alignment.crop(image), 0, track=0, face=face, alignment=alignment)
        found = FoundFrame(Frame(0, 0, Fraction(1, 30), image), (crop,))
        return next(iter(swap_frames([found], network, size=SIZE, finish=finish, batch=1)))

    return swap


@pytest.fixture
def around(alignment):
    """Cuts what lies around a point of the crop out of a picture of the frame."""

    def cut(picture, point, radius=3):
        x, y = _in_frame(point, alignment).round().astype(int)
        return picture[y - radius : y + radius + 1, x - radius : x + radius + 1]

    return cut


@pytest.fixture
def skin():
    """A frame with fine texture."""
    return 140 + np.random.default_rng(2).normal(0, 12, (HEIGHT, WIDTH))


def _in_frame(points, alignment):
    """Where points of the crop lie."""
    return points @ alignment.inverse[:, :2].T + alignment.inverse[:, 2]


def _flat(level):
    return np.full((HEIGHT, WIDTH), level, np.float64)


def _fine(grey):
    return grey - cv2.GaussianBlur(grey, (0, 0), 1.5)


def _wholly(crops, grey):
    """What is painted everywhere in levels of grey in [-1, 1], (S, S)."""
    return Swap(np.broadcast_to(grey[..., None], crops.shape), np.ones((*crops.shape[:3], 1), np.float32))


def _alike(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def _luma(done):
    return done.image.mean(axis=-1)


def _disc(crops):
    """A grey face whose mask is a disc with a sharp edge, 0.3 of the crop's side in radius."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE - 0.5
    mask = np.clip((0.3 - np.hypot(x, y)) * SIZE + 0.5, 0, 1).astype(np.float32)
    return Swap(np.zeros_like(crops), np.repeat(mask[None, ..., None], len(crops), axis=0))


def _across(done):
    """Side of a square as large as what is painted, in parts of the crop's side."""
    return np.sqrt(done.mask.sum() / 255) * SCALE / SIDE


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_detail_lays_the_frames_texture_on_skin_and_none_on_features(paint, around, skin, amount):
    bare, done = (_luma(paint(skin, GREY, FinishSettings("none", detail=each))) for each in (0.0, amount))
    change = done - bare
    given, wanted = around(change, CHEEK, 6), around(_fine(skin), CHEEK, 6)
    assert _alike(given, wanted) > 0.95
    assert given.std() == pytest.approx(amount * wanted.std(), rel=0.15)
    for feature in (*FIVE[:2], FIVE[3:].mean(axis=0)):
        assert not around(change, feature).any()


def test_by_default_the_frames_mean_colour_and_detail_are_taken(paint, around, skin):
    red = FakeSwap()
    done = paint(skin, red, None)
    same = paint(skin, red, FinishSettings(color="mean_std", blend="feather", detail=1.0, sharpen=0.0))
    assert np.array_equal(done.image, same.image)
    cheek = around(done.image, CHEEK, 6)
    assert np.abs(cheek.mean(axis=(0, 1)) - 140).max() < 12
    assert _alike(cheek.mean(axis=-1), around(_fine(skin), CHEEK, 6)) > 0.9


def test_sharpening_raises_edges_and_keeps_the_mean(paint):
    wave = np.float32(0.3) * np.sin(np.arange(SIZE, dtype=np.float32) * 1.2)
    stripes = partial(_wholly, grey=np.tile(wave, (SIZE, 1)))
    shown = [paint(_flat(128), stripes, FinishSettings(**PLAIN, sharpen=amount)) for amount in (0.0, 1.0, 2.0)]
    inside = cv2.erode(shown[0].mask, np.ones((9, 9))) == 255
    edges = [np.abs(cv2.Laplacian(_luma(each), cv2.CV_64F))[inside].mean() for each in shown]
    assert edges[1] > 1.15 * edges[0]
    assert edges[2] > 1.3 * edges[0]
    means = [_luma(each)[inside].mean() for each in shown]
    assert means == pytest.approx(means[:1] * 3, abs=1)


def test_seamless_takes_the_step_at_the_rim_away_and_leaves_what_lies_inside(paint, around):
    spot = np.float32(40 / 127.5) * (np.hypot(*(np.mgrid[:SIZE, :SIZE] - 31.5)) < 8)
    dark = partial(_wholly, grey=spot - np.float32(0.5))
    slope = np.broadcast_to(np.linspace(90, 150, WIDTH), (HEIGHT, WIDTH))
    for blend, step, centre in (("feather", 56, -16), ("seamless", 0, 40)):
        done = paint(slope, dark, FinishSettings(**PLAIN, blend=blend))
        added = _luma(done) - slope
        rim = (done.mask > 30) & (done.mask < 220)
        assert np.abs(added[rim]).mean() == pytest.approx(step * (done.mask[rim] / 255).mean(), abs=2.5)
        assert around(added, MIDDLE).mean() == pytest.approx(centre, abs=3)


def test_laplacian_softens_coarse_colours_at_a_sharp_edge_and_keeps_the_middle(paint, around):
    part = {}
    for blend in ("feather", "laplacian"):
        done = paint(_flat(60), _disc, FinishSettings(**PLAIN, blend=blend))
        share = (_luma(done) - 60) / (127.5 - 60)
        assert around(share, MIDDLE).mean() == pytest.approx(1, abs=0.03)
        near = (done.mask == 255) & (cv2.erode(done.mask, np.ones((7, 7))) < 255)
        part[blend] = share[near].mean()
    assert part["feather"] > 0.97
    assert 0.5 < part["laplacian"] < 0.9


@pytest.mark.parametrize("erode", [-0.05, 0.05, 0.15])
def test_erode_moves_the_edge_by_parts_of_the_face(paint, erode):
    radius = _across(paint(_flat(60), _disc, FinishSettings(**PLAIN, erode=erode))) / np.sqrt(np.pi)
    assert radius == pytest.approx(0.3 - erode * FACE, abs=0.01)


def test_feather_softens_the_edge_inwards(paint, around):
    sharp, soft = (paint(_flat(60), _disc, FinishSettings(**PLAIN, feather=width)) for width in (0.0, 0.3))
    assert (soft.mask <= sharp.mask).all()
    assert _across(soft) < 0.9 * _across(sharp)
    half, whole = (((each.mask > 20) & (each.mask < 235)).sum() for each in (sharp, soft))
    assert whole > 2 * half
    assert (around(soft.mask, MIDDLE) == 255).all()


def test_coverage_bounds_what_is_painted(paint):
    done = [paint(_flat(60), GREY, FinishSettings(**PLAIN, coverage=part)) for part in (0.9, 0.5)]
    large, small = (np.sqrt((each.mask > 0).sum()) for each in done)
    assert small / large == pytest.approx(5 / 9, abs=0.02)


def test_grain_is_as_strong_as_the_frames_and_its_own(paint, around, skin):
    wanted = around(_fine(skin), MIDDLE, 25)
    for match, low, high in ((False, 0, 0.05), (True, 0.5, 1.3)):
        given = around(_fine(_luma(paint(skin, GREY, FinishSettings(**PLAIN, match_grain=match)))), MIDDLE, 25)
        assert low * wanted.std() <= given.std() <= high * wanted.std()
        assert not match or abs(_alike(given, wanted)) < 0.2
