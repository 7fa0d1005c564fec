"""Swapping: in order, in batches of one shape, within bounded memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from fakes import FakeSwap, draw

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.layout import lay_out, layout_size
from faceswap_gan.conversion.swapper import Painter, swap_frames, untouched
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.faces.alignment import Alignment, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

PLAIN = FinishSettings(color="none", detail=0.0)
FINISHES = [
    FinishSettings(),
    FinishSettings(color="lab", blend="seamless", erode=0.05, feather=0.2, sharpen=1.0),
    FinishSettings(color="sot", blend="laplacian", detail=0.8),
    FinishSettings(color="mean_std_xyz", match_grain=True),
]
CENTRES = ((40.0, 48.0), (100.0, 48.0))


def _crop(frame, centre, *, track=0):
    matrix = np.array([[1.0, 0, 31.5 - centre[0]], [0, 1.0, 31.5 - centre[1]]])
    alignment = Alignment(matrix, 64)
    landmarks = (template(64) - matrix[:, 2]).astype(np.float32)
    face = Face(np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)]), landmarks, 1.0)
    return FaceCrop(alignment.crop(frame.image), frame.index, track=track, face=face, alignment=alignment)


def _found(faces, *, lit=0):
    """One frame for each number of faces, ``lit`` levels brighter than black at its darkest."""
    for index, count in enumerate(faces):
        image = draw(1, width=144, height=96)[0] + np.uint8(index)
        image = (lit + image * ((255 - lit) / 255)).astype(np.uint8)
        frame = Frame(index, index * 512, Fraction(1, 15360), image)
        yield FoundFrame(frame, tuple(_crop(frame, CENTRES[i], track=i) for i in range(count)))


def test_order_and_batches():
    swap = FakeSwap()
    faces = [0, 1, 2, 0, 0, 1, 1, 2, 1, 0, 1]
    out = list(swap_frames(_found(faces), swap, size=32, batch=4, finish=PLAIN))
    assert [o.frame.index for o in out] == list(range(len(faces)))
    assert [o.faces for o in out] == faces
    assert set(swap.shapes) == {(4, 32, 32, 3)}
    for entry, count in zip(out, faces, strict=True):
        assert np.array_equal(entry.image[entry.mask == 0], entry.frame.image[entry.mask == 0])
        assert entry.mask.any() == (count > 0)
        painted = [(entry.image[int(y), int(x)] == (255, 0, 0)).all() for x, y in CENTRES]
        assert painted == [count > 0, count > 1]


@pytest.mark.parametrize(("deflicker", "held"), [(0.0, 3), (0.02, 4)])
def test_holds_at_most_a_batch_of_frames_and_one_to_steady_them(deflicker, held):
    finish, taken = replace(PLAIN, deflicker=deflicker), []

    def watch():
        for entry in _found([0] * 40):
            taken.append(entry.frame.index)
            yield entry

    for entry in islice(swap_frames(watch(), FakeSwap(), size=32, batch=4, finish=finish), 10):
        assert taken[-1] - entry.frame.index <= held


def test_colour_is_matched_to_the_frame():
    red, lit = FakeSwap(colour=(0.9, -0.9, -0.9)), 64  # what is much darker than the rest passes for hair
    (plain,) = swap_frames(_found([1], lit=lit), red, size=32, finish=PLAIN)
    found = _found([1], lit=lit)
    (matched,) = swap_frames(found, red, size=32, finish=FinishSettings(color="mean_std", detail=0.0))
    inside = plain.mask > 200
    truth = plain.frame.image[inside].mean(axis=0)
    assert np.abs(matched.image[inside].mean(axis=0) - truth).max() < 12
    assert np.abs(plain.image[inside].mean(axis=0) - truth).max() > 60


def test_the_network_mask_decides_what_shows():
    (hidden,) = swap_frames(_found([1]), FakeSwap(opacity=0.0), size=32)
    assert np.array_equal(hidden.image, hidden.frame.image)
    assert not hidden.mask.any()


def test_a_network_gone_astray_is_a_clear_error():
    def nan(crops):
        return Swap(crops * np.nan, np.ones((*crops.shape[:3], 1), np.float32))

    def small(crops):
        return Swap(crops[:, ::2, ::2], np.ones((*crops.shape[:3], 1), np.float32))

    with pytest.raises(ModelError, match="NaN"):
        list(swap_frames(_found([1]), nan, size=32))
    with pytest.raises(ModelError, match="expected the network"):
        list(swap_frames(_found([1]), small, size=32))
    with pytest.raises(SettingsError, match="batch"):
        list(swap_frames(_found([1]), FakeSwap(), size=32, batch=0))


def test_layouts():
    (entry,) = swap_frames(_found([1]), FakeSwap(), size=32)
    for layout, panes in (("swap", 1), ("side-by-side", 2), ("triple", 3)):
        image = lay_out(entry, layout)
        assert layout_size(layout, 144, 96) == (image.shape[1], image.shape[0]) == (144 * panes, 96)
    assert np.array_equal(image[:, :144], entry.frame.image)
    assert np.array_equal(image[:, 144:288], entry.image)
    assert np.array_equal(image[:, 288:, 1], entry.mask)
    with pytest.raises(SettingsError, match="side-by-side"):
        layout_size("grid", 1, 1)


def test_one_person_after_another_is_painted_into_the_same_frames():
    found = list(_found([2, 2, 2]))
    settings = PLAIN
    red = Painter(FakeSwap(colour=(1, -1, -1)), size=32, finish=settings, batch=4)
    green = Painter(FakeSwap(colour=(-1, 1, -1)), size=32, finish=settings, batch=4)
    blank = [untouched(entry.frame) for entry in found]
    left, right = ([replace(entry, faces=entry.faces[side]) for entry in found] for side in (np.s_[:1], np.s_[1:]))
    first = list(red.paint_over(blank, red.run(left, last=True)))
    both = list(green.paint_over(first, green.run(right, last=True)))
    for entry in both:
        (x, y), (u, v) = ((int(a), int(b)) for a, b in CENTRES)
        assert (entry.image[y, x] == (255, 0, 0)).all()
        assert (entry.image[v, u] == (0, 255, 0)).all()
        assert entry.faces == 2
        assert np.array_equal(entry.image[entry.mask == 0], entry.frame.image[entry.mask == 0])
    assert not blank[0].mask.any()


@pytest.mark.parametrize("settings", FINISHES)
def test_a_restored_painter_goes_on_bit_for_bit(settings):
    def swap(crops):
        return Swap(
            np.float32(0.5) * crops[:, ::-1] + np.float32(0.2), np.full((*crops.shape[:3], 1), 0.9, np.float32)
        )

    found = list(_found([2, 1, 2, 2, 0, 2]))
    whole, first, second = (Painter(swap, size=32, finish=settings, batch=4) for _ in range(3))
    wanted = [*whole.paint(found[:3]), *whole.paint(found[3:])]
    done = list(first.paint(found[:3]))
    second.restore(json.loads(json.dumps(first.state())))
    done += second.paint(found[3:])
    for one, other in zip(wanted, done, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.image[one.mask == 0], one.frame.image[one.mask == 0])
    alone = list(Painter(swap, size=32, finish=settings, batch=4).paint(found[3:]))
    assert (settings.color == "none") or any(
        (a.image != w.image).any() for a, w in zip(alone, wanted[3:], strict=True)
    )


def test_a_face_long_gone_leaves_no_state():
    found = [FoundFrame(replace(f.frame, pts=f.frame.pts * 30), f.faces) for f in _found([2, 1])]
    painter = Painter(FakeSwap(), size=32, batch=4)
    list(painter.paint(found))
    assert set(painter.state()) == {"0"}


@dataclass(frozen=True)
class _Deep(Frame):
    @property
    def deep(self):
        return self.image.astype(np.uint16) * 257 + 100


def test_a_deep_source_is_painted_at_its_depth():
    frames = [_Deep(f.frame.index, f.frame.pts, f.frame.time_base, f.frame.image) for f in _found([1, 0])]
    found = [FoundFrame(frame, f.faces) for frame, f in zip(frames, _found([1, 0]), strict=True)]
    painted, bare = swap_frames(found, FakeSwap(), size=32, finish=PLAIN)
    assert painted.image.dtype == bare.image.dtype == np.uint16
    assert np.array_equal(bare.image, frames[1].deep)
    assert np.array_equal(painted.image[painted.mask == 0], frames[0].deep[painted.mask == 0])
    assert (painted.image[48, 40] == (65535, 0, 0)).all()
    triple = lay_out(painted, "triple")
    assert triple.dtype == np.uint16
    assert triple[48, 288 + 40].tolist() == [65535] * 3
