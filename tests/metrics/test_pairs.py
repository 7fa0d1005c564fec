"""Frames side by side, and blocks of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from faceswap_gan.media.video import Frame
from faceswap_gan.metrics.pairs import Pair, choose_blocks, pair_frames, pick, with_truth


def _video(times, offset=0):
    unit = Fraction(1, 1000)
    return [Frame(i, int(1000 * t), unit, np.full((2, 2, 3), i + offset, np.uint8)) for i, t in enumerate(times)]


def _numbers(pairs):
    return [None if pair.image is None else int(pair.image[0, 0, 0]) for pair in pairs]


def test_by_number():
    dst, swap = _video([0, 0.1, 0.2]), _video([5, 5.1, 5.2])
    assert _numbers(pair_frames(dst, swap, tolerance=None)) == [0, 1, 2]
    assert _numbers(pair_frames(dst, swap[:2], tolerance=None)) == [0, 1, None]


def test_by_time_a_dropped_frame_shifts_nothing():
    dst = _video([0, 0.1, 0.2, 0.3, 0.4])
    swap = _video([0, 0.1, 0.3, 0.4])
    assert _numbers(pair_frames(dst, swap, tolerance=0.05)) == [0, 1, None, 2, 3]
    more = _video([0, 0.1, 0.16, 0.2, 0.3, 0.4])
    assert _numbers(pair_frames(dst, more, tolerance=0.05)) == [0, 1, 3, 4, 5]
    assert _numbers(pair_frames(dst, [], tolerance=0.05)) == [None] * 5


def test_truth_joins_by_number():
    dst = _video([0, 0.1, 0.2, 0.3])
    pairs = [Pair(frame, frame.image) for frame in pick(dst, np.asarray([1, 3]))]
    assert _truths(with_truth(pairs, _video([0, 0.1, 0.2], offset=50), tolerance=None)) == [51, None]


def test_truth_joins_by_time():
    dst = _video([0, 0.1, 0.2, 0.3])
    pairs = [Pair(frame, frame.image) for frame in pick(dst, np.asarray([0, 1, 3]))]
    assert _truths(with_truth(pairs, _video([0, 0.2, 0.3], offset=50), tolerance=0.05)) == [50, None, 52]
    twice = _video([i / 20 for i in range(7)], offset=50)
    assert _truths(with_truth(pairs, twice, tolerance=0.05)) == [50, 52, 56]


def _truths(pairs):
    return [None if pair.truth is None else int(pair.truth[0, 0, 0]) for pair in pairs]


def test_blocks_are_consecutive_and_spread():
    chosen = choose_blocks(600, 150)
    assert len(chosen) == 150
    assert (chosen[0], chosen[-1]) == (0, 599)
    assert (np.diff(chosen) > 1).sum() == 9
    assert choose_blocks(20, 150).tolist() == list(range(20))
    assert choose_blocks(0, 150).tolist() == []


def test_pick_stops_after_the_last():
    def frames():
        yield from _video(range(5))
        raise AssertionError("read on")

    assert [frame.index for frame in pick(frames(), np.asarray([1, 4]))] == [1, 4]
