"""Laying a painted crop into a frame: exact where nothing is painted, smooth where it begins."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.conversion.blending import lay, warp
from faceswap_gan.conversion.edge import square
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.media.images import resize


def _alignment(*, size=128, scale=0.5, degrees=20.0, centre=(160.0, 120.0)):
    """A crop of `size` px around a centre of the frame, turned, `scale` crop px for one of the frame."""
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shift = (size - 1) / 2 - linear @ centre
    return Alignment(np.concatenate([linear, shift[:, None]], axis=1), size)


def _lay(image, rgb, alpha, alignment):
    """A copy of a frame with a crop laid in, and the mask of what is painted."""
    result, mask = image.copy(), np.zeros(image.shape[:2], np.uint8)
    layer = warp(rgb, alpha, alignment, image.shape)
    if layer is not None:
        lay(result, mask, layer)
    return result, mask


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (16, 20, 3), dtype=np.uint8)
    return resize(small, (320, 240))


@pytest.mark.parametrize("centre", [(160.0, 120.0), (5.0, 8.0), (318.0, 235.0)])
def test_outside_the_mask_every_bit_is_the_frame(frame, centre):
    before = frame.copy()
    rgb = np.full((64, 64, 3), 255, np.float32)
    pasted, mask = _lay(frame, rgb, square(64, 0.9), _alignment(centre=centre))
    assert np.array_equal(frame, before)
    assert np.array_equal(pasted[mask == 0], frame[mask == 0])
    assert (pasted != frame).any()
    assert (mask == 0).any()


def test_a_crop_outside_the_frame_is_no_layer(frame):
    away = _alignment(centre=(-900.0, 50.0))
    assert warp(np.zeros((64, 64, 3), np.float32), square(64, 0.9), away, frame.shape) is None


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 2.5])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_crop_pasted_back_is_where_it_was(frame, scale, size):
    alignment = _alignment(size=128, scale=scale)
    crop = resize(alignment.crop(frame), size).astype(np.float32)
    pasted, mask = _lay(frame, crop, square(size, 0.9), alignment)
    inside = mask > 250
    assert inside.sum() > 100
    error = pasted[inside].astype(float) - frame[inside]
    assert np.abs(error).mean() < 6
    # Moved by a pixel, it no longer fits: the place is right, not only the colours.
    moved = np.roll(frame, 2, axis=(0, 1))
    assert np.abs(error).mean() < 0.5 * np.abs(pasted[inside].astype(float) - moved[inside]).mean()


def test_alpha_mixes_linearly(frame):
    rgb = np.full((128, 128, 3), 200, np.float32)
    alpha = 0.25 * square(128, 0.9)
    pasted, mask = _lay(frame, rgb, alpha, _alignment())
    y, x = 120, 160
    assert pasted[y, x] == pytest.approx(0.25 * 200 + 0.75 * frame[y, x], abs=1)
    assert mask[y, x] == 64


def test_a_layer_says_what_is_mixed(frame):
    rgb, alpha = np.full((64, 64, 3), 200, np.float32), 0.5 * square(64, 0.9)
    layer = warp(rgb, alpha, _alignment(), frame.shape)
    pasted, mask = _lay(frame, rgb, alpha, _alignment())
    below = frame[layer.place].astype(float)
    mixed = below + layer.alpha[..., None] * (layer.color - below)
    assert np.abs(mixed - pasted[layer.place]).max() <= 0.51
    assert np.array_equal(mask[layer.place], np.ceil(layer.alpha.astype(float) * 255 - 1e-4))
    outside = np.ones(mask.shape, bool)
    outside[layer.place] = False
    assert not mask[outside].any()


def test_no_edge_is_visible(frame):
    """Along the rim the picture changes no faster than a soft ramp between both colours allows."""
    grey = np.full_like(frame, 90)
    pasted, _ = _lay(grey, np.full((64, 64, 3), 130, np.float32), square(64, 0.9), _alignment(scale=0.4))
    for axis in (0, 1):
        assert np.abs(np.diff(pasted.astype(int), axis=axis)).max() <= 4


def test_a_deep_frame_is_mixed_at_its_depth(frame):
    noise = np.random.default_rng(2).integers(0, 200, frame.shape)
    deep = np.clip(frame.astype(int) * 257 + noise, 0, 65535).astype(np.uint16)
    rgb = np.full((64, 64, 3), 100.25, np.float32)
    pasted, mask = _lay(deep, rgb, square(64, 0.9), _alignment())
    assert pasted.dtype == np.uint16
    assert np.array_equal(pasted[mask == 0], deep[mask == 0])
    assert np.abs(pasted[100:140, 140:180].astype(int) - round(100.25 * 257)).max() <= 1
    shallow, shallow_mask = _lay(frame, rgb, square(64, 0.9), _alignment())
    assert np.array_equal(mask, shallow_mask)
    assert np.abs(pasted / 257 - shallow).max() < 1.5


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_black_and_white_stay_within_range(kind):
    """Cubic resampling overshoots at edges; no level wraps around."""
    top = np.iinfo(kind).max
    board = (np.indices((16, 16)).sum(axis=0) % 2 * np.float32(255))[..., None].repeat(3, axis=2)
    for level in (0, top):
        pasted, mask = _lay(np.full((240, 320, 3), level, kind), board, square(16, 1.0), _alignment(scale=0.5))
        inside = pasted[mask == 255]
        assert inside.min() < 0.2 * top
        assert inside.max() > 0.8 * top
        assert (pasted[mask == 0] == level).all()
        assert 0.4 * top < inside.mean() < 0.6 * top
