"""Swapping: in order, in batches of one shape, within bounded memory."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from fakes import FakeSwap, draw

from faceswap_gan.conversion.layout import lay_out, layout_size
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

CENTRES = ((40.0, 48.0), (100.0, 48.0))


def _crop(frame, centre, *, track=0):
    matrix = np.array([[1.0, 0, 31.5 - centre[0]], [0, 1.0, 31.5 - centre[1]]])
    alignment = Alignment(matrix, 64)
    return FaceCrop(alignment.crop(frame.image), frame.index, track=track, alignment=alignment)


def _found(faces):
    """One frame for each number of faces."""
    for index, count in enumerate(faces):
        image = draw(1, width=144, height=96)[0] + np.uint8(index)
        frame = Frame(index, index * 512, Fraction(1, 15360), image)
        yield FoundFrame(frame, tuple(_crop(frame, CENTRES[i], track=i) for i in range(count)))


def test_order_and_batches():
    swap = FakeSwap()
    faces = [0, 1, 2, 0, 0, 1, 1, 2, 1, 0, 1]
    out = list(swap_frames(_found(faces), swap, size=32, batch=4, color="none"))
    assert [o.frame.index for o in out] == list(range(len(faces)))
    assert [o.faces for o in out] == faces
    assert set(swap.shapes) == {(4, 32, 32, 3)}
    for entry, count in zip(out, faces, strict=True):
        assert np.array_equal(entry.image[entry.mask == 0], entry.frame.image[entry.mask == 0])
        assert entry.mask.any() == (count > 0)
        painted = [(entry.image[int(y), int(x)] == (255, 0, 0)).all() for x, y in CENTRES]
        assert painted == [count > 0, count > 1]


def test_holds_at_most_a_batch_of_frames():
    taken = []

    def watch():
        for entry in _found([0] * 40):
            taken.append(entry.frame.index)
            yield entry

    for entry in islice(swap_frames(watch(), FakeSwap(), size=32, batch=4), 10):
        assert taken[-1] - entry.frame.index < 4


def test_colour_is_matched_to_the_frame():
    red = FakeSwap(colour=(0.9, -0.9, -0.9))
    (plain,) = swap_frames(_found([1]), red, size=32, color="none")
    (matched,) = swap_frames(_found([1]), red, size=32, color="mean_std")
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
