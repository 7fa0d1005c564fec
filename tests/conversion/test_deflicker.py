"""Painted faces averaged with their neighbours: weights, order, and who is no neighbour."""

from __future__ import annotations

from fractions import Fraction
from math import exp

import numpy as np
import pytest

from faceswap_gan.conversion.deflicker import Deflicker, PaintedFace, PaintedFrame
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.faces.alignment import Alignment, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

SIDE = exp(-0.5 * (1 / 30 / 0.02) ** 2)  # a neighbour's weight in a video of 30 frames a second; the face's own is 1


def _frame(index, faces, *, rate=30):
    """A frame whose faces, by track, are painted in one level each."""
    frame = Frame(index, index, Fraction(1, rate), np.zeros((8, 8, 3), np.uint8))
    crops = tuple(FaceCrop(frame.image, index, track=track) for track in faces)
    blank = np.zeros((4, 4, 3), np.float32)
    painted = tuple(PaintedFace(blank, blank + np.float32(level), blank[..., 0] + 1) for level in faces.values())
    return PaintedFrame(FoundFrame(frame, crops), painted)


def _levels(frames, track=0):
    """The level in which a track is painted, frame by frame."""
    found = [dict(zip((c.track for c in f.found.faces), f.faces, strict=True)) for f in frames]
    return [float(faces[track].rgb.mean()) for faces in found if track in faces]


def test_each_face_is_the_mean_of_three_frames():
    levels = [10.0, 16.0, 10.0, 13.0]
    done = Deflicker(0.02).feed([_frame(i, {0: level}) for i, level in enumerate(levels)], last=True)
    middle = 1 + 2 * SIDE
    wanted = [
        (10 + 16 * SIDE) / (1 + SIDE),
        (16 + 20 * SIDE) / middle,
        (10 + 29 * SIDE) / middle,
        (13 + 10 * SIDE) / (1 + SIDE),
    ]
    assert _levels(done) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_batches_make_no_difference(size):
    levels = np.random.default_rng(1).uniform(100, 110, 7)
    frames = [_frame(i, {0: level}) for i, level in enumerate(levels)]
    whole = Deflicker(0.02).feed(frames, last=True)
    flow, done = Deflicker(0.02), []
    for start in range(0, 7, size):
        part = frames[start : start + size]
        done += flow.feed(part, last=start + size >= 7)
        assert len(done) == min(start + size, 7) - (start + size < 7)  # one frame late, no later
    assert [f.found.frame.index for f in done] == list(range(7))
    assert _levels(done) == _levels(whole)


def test_an_end_without_frames_gives_the_one_held_back():
    flow = Deflicker(0.02)
    assert len(flow.feed([_frame(0, {0: 10.0})], last=False)) == 0
    assert _levels(flow.feed([], last=True)) == [10.0]
    assert flow.feed([], last=True) == []


def test_nothing_is_carried_over_an_end():
    flow = Deflicker(0.02)
    flow.feed([_frame(0, {0: 10.0}), _frame(1, {0: 12.0})], last=True)
    assert _levels(flow.feed([_frame(2, {0: 14.0})], last=True)) == [14.0]


def test_only_the_same_person_counts():
    frames = [
        _frame(0, {0: 10.0, 1: 20.0}),
        _frame(1, {1: 22.0}),
        _frame(2, {0: 12.0, -1: 1.0}),
        _frame(3, {-1: 2.0}),
    ]
    done = Deflicker(0.02).feed(frames, last=True)
    assert _levels(done) == [10.0, 12.0]  # nobody of track 0 in the frame between
    assert _levels(done, 1) == pytest.approx([(20 + 22 * SIDE) / (1 + SIDE), (22 + 20 * SIDE) / (1 + SIDE)], rel=1e-5)
    assert _levels(done, -1) == [1.0, 2.0]  # not followed: nobody knows whether they are one


def test_another_picture_is_no_neighbour():
    """A cut that the tracker missed must not shine through."""
    done = Deflicker(0.02).feed([_frame(0, {0: 10.0}), _frame(1, {0: 60.0}), _frame(2, {0: 62.0})], last=True)
    assert _levels(done) == pytest.approx(
        [10.0, (60 + 62 * SIDE) / (1 + SIDE), (62 + 60 * SIDE) / (1 + SIDE)], rel=1e-5
    )


def test_what_a_neighbour_does_not_paint_does_not_count():
    """A hand that leaves the face: behind it, the frame before has no colours of the face."""
    before, now = _frame(0, {0: 10.0}), _frame(1, {0: 14.0})
    before.faces[0].mask[:, :2] = 0
    before.faces[0].mask[:, 2] = 0.5
    (_, done) = Deflicker(0.02).feed([before, now], last=True)
    middle = done.faces[0].rgb[0, :, 0]
    half = SIDE / 2
    wanted = [14.0, 14.0, (14 + 10 * half) / (1 + half), (14 + 10 * SIDE) / (1 + SIDE)]
    assert middle.tolist() == pytest.approx(wanted, rel=1e-5)


def test_a_deviation_next_to_nothing_is_none():
    assert _levels(Deflicker(1e-300).feed([_frame(i, {0: 10.0 + i}) for i in range(3)], last=True)) == [
        10.0,
        11.0,
        12.0,
    ]


def test_slower_videos_are_averaged_less_and_none_at_zero():
    def change(rate, seconds=0.02):
        done = Deflicker(seconds).feed([_frame(i, {0: 10.0 + 6 * (i == 1)}, rate=rate) for i in range(3)], last=True)
        return 16 - _levels(done)[1]

    assert change(60) > change(30) > change(24) > 10 * change(10)
    assert change(30, 0.0) == 0


def test_a_trembling_swap_trembles_less():
    """Through the whole painter: faces painted lighter and darker in turn come out nearer to each other."""
    points = template(64).astype(np.float32)
    face = Face(np.concatenate([points.min(axis=0), points.max(axis=0)]), points, 1.0)
    found = []
    for index in range(8):
        frame = Frame(index, index, Fraction(1, 30), np.full((64, 64, 3), 120, np.uint8))
        found.append(
            FoundFrame(frame, (FaceCrop(frame.image, index, 0, index, 0, face, Alignment(np.eye(2, 3), 64)),))
        )
    calls = iter(np.arange(8) % 2)

    def swap(crops):
        rgb = np.zeros_like(crops)
        rgb[0] = 0.04 * next(calls)
        return Swap(rgb, np.ones((*crops.shape[:3], 1), np.float32))

    def swing(seconds):
        nonlocal calls
        calls = iter([0, 1] * 4)
        finish = FinishSettings(color="none", detail=0.0, deflicker=seconds)
        middle = [s.image[32, 32, 0] for s in swap_frames(found, swap, size=64, finish=finish, batch=1)]
        return np.abs(np.diff(np.float32(middle))[1:-1]).mean()

    assert swing(0.0) >= 5
    assert swing(0.02) < 0.5 * swing(0.0)
