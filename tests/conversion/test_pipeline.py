"""The second pass: order, batches, borders, several people, and going on from a border."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from faceswap_gan.conversion.deflicker import Deflicker, PaintedFace, PaintedFrame
from faceswap_gan.conversion.pipeline import Border, Role, paint_frames, restore
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.scan import FaceScan, SeenFrame
from faceswap_gan.faces.tracker import TrackedFace
from faceswap_gan.media.video import Frame


class Counting:
    """Paints each face's place in one colour channel, brighter with every face it has seen: its state."""

    def __init__(self, channel: int = 0) -> None:
        self.channel, self.seen, self.batches = channel, 0, []
        self.deflicker = Deflicker(0.02)

    def run(self, entries, *, last):
        self.batches.append(len(entries))
        blank = PaintedFace(*np.zeros((3, 1, 1, 3), np.float32))
        return self.deflicker.feed([PaintedFrame(e, (blank,) * len(e.faces)) for e in entries], last=last)

    def paint_over(self, below, painted):
        for done, each in zip(below, painted, strict=True):
            own = each.found.faces
            assert done.frame is each.found.frame
            image, mask = done.image, done.mask.copy()
            if own:
                image = image.copy()
            for face in own:
                self.seen += 1
                x, y = face.face.box[:2].astype(int)
                image[y : y + 8, x : x + 8, self.channel] = self.seen
                mask[y : y + 8, x : x + 8] = 255
            yield replace(done, image=image, mask=mask, faces=done.faces + len(own))

    def state(self):
        return {"seen": self.seen}

    def restore(self, state):
        self.seen = state["seen"]


def _frames(count, start=0):
    for i in range(start, count):
        yield Frame(i, i * 512, Fraction(1, 15360), np.full((48, 96, 3), 100 + i % 50, np.uint8), 512)


def _face(x):
    return Face(np.float32([x, 4, x + 40, 44]), (template(40) + [x, 4]).astype(np.float32), 0.99)


@pytest.fixture
def scan():
    """Two people, tracks 0 and 1, in 23 frames; nobody in frames 5 to 7."""
    both = (TrackedFace(_face(2), 0), TrackedFace(_face(50), 1))
    return FaceScan(tuple(SeenFrame(i, i * 512, i / 30, 0, () if 5 <= i <= 7 else both) for i in range(23)))


def _people(scan, *tracks):
    return {frame.index: tuple(t if t in frame.faces_by_track else None for t in tracks) for frame in scan.frames}


def _split(painted):
    painted = list(painted)
    return [p for p in painted if not isinstance(p, Border)], [p for p in painted if isinstance(p, Border)]


def test_frames_come_in_order_and_batches_end_at_borders(scan):
    painter = Counting()
    painted = list(paint_frames(_frames(23), scan, [Role(painter, _people(scan, 0), 64)], batch=4, stretch=10))
    assert [i for i, p in enumerate(painted) if isinstance(p, Border)] == [10, 21, 25]
    frames, borders = _split(painted)
    assert [p.frame.index for p in frames] == list(range(23))
    assert [b.next_frame for b in borders] == [10, 20, 23]
    assert painter.batches == [4, 4, 2, 4, 4, 2, 3]


def test_faces_fill_a_batch_too(scan):
    painter = Counting()
    list(paint_frames(_frames(5), scan, [Role(painter, _people(scan, 0, 1), 64)], batch=4, stretch=10))
    assert painter.batches == [2, 2, 1]


def test_frames_without_a_face_keep_their_own_array(scan):
    frames = list(_frames(23))
    painted, _ = _split(paint_frames(frames, scan, [Role(Counting(), _people(scan, 0), 64)], batch=4, stretch=10))
    assert [p.frame.index for p in painted if p.image is frames[p.frame.index].image] == [5, 6, 7]
    assert [p.faces for p in painted[4:9]] == [1, 0, 0, 0, 1]


def test_each_person_gets_their_own_painter_in_one_pass(scan):
    roles = [Role(Counting(0), _people(scan, 0), 64), Role(Counting(2), _people(scan, 1), 64)]
    painted, (border,) = _split(paint_frames(_frames(4), scan, roles, batch=4, stretch=10))
    last = painted[-1]
    assert last.faces == 2
    assert last.image[4, 2].tolist() == [4, 103, 103]
    assert last.image[4, 50].tolist() == [103, 103, 4]
    assert last.frame.image[4, 2].tolist() == [103, 103, 103]
    assert (last.mask[4, 2], last.mask[4, 50], last.mask[4, 30]) == (255, 255, 0)
    assert border.state == {"0": {"seen": 4}, "1": {"seen": 4}}


@pytest.mark.parametrize("done", [1, 2])
def test_going_on_from_a_border_makes_the_same_frames(scan, done):
    def roles():
        return [Role(Counting(0), _people(scan, 0), 64), Role(Counting(1), _people(scan, 1), 64)]

    whole, borders = _split(paint_frames(_frames(23), scan, roles(), batch=4, stretch=10))
    state = json.loads(json.dumps(borders[done - 1].state))
    start = borders[done - 1].next_frame
    later = roles()
    restore(later, state)
    rest, ends = _split(paint_frames(_frames(23, start), scan, later, batch=4, stretch=10))
    assert len(rest) == 23 - start
    assert all(np.array_equal(a.image, b.image) for a, b in zip(whole[start:], rest, strict=True))
    assert ends == borders[done:]


def test_it_reads_no_further_than_the_batch_after_the_next(scan):
    read = []

    def frames():
        for frame in _frames(23):
            read.append(frame.index)
            yield frame

    painted = paint_frames(frames(), scan, [Role(Counting(), _people(scan, 0), 64)], batch=4, stretch=10)
    list(islice(painted, 5))
    assert 8 <= len(read) <= 13
