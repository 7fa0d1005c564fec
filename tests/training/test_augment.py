"""Samples are reproducible, registered, at the scale of conversion, and bent only where they should be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tiny import UNCHANGED

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import umeyama
from faceswap_gan.training import augment as augmentation
from faceswap_gan.training.augment import OVERSAMPLING, Augmentation, augment
from faceswap_gan.training.recolor import measure_colors


def _faces(count=6, side=128, seed=3):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (count, 10, 10, 3), dtype=np.uint8)
    return np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_CUBIC) for each in coarse])


def _augment(faces, settings, *, seed=1, masks=None, size=64, **more):
    masks = np.zeros_like(faces[..., :1]) if masks is None else masks
    return augment(faces, masks, size=size, settings=settings, rng=np.random.default_rng(seed), **more)


def _difference(first, second):
    return abs(first.astype(int) - second.astype(int))


def _same(first, second):
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ("warped", "target", "masks"))


def test_same_rng_same_batch():
    faces = _faces()
    settings = Augmentation(motion_blur=0.5)
    first = _augment(faces, settings, masks=faces)
    assert _same(first, _augment(faces, settings, masks=faces))
    assert not _same(first, _augment(faces, settings, masks=faces, seed=2))


def test_same_batches_in_any_thread():
    faces = _faces()
    alone = [_augment(faces, Augmentation(), seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda seed: _augment(faces, Augmentation(), seed=seed), range(8)))
    assert all(_same(first, second) for first, second in zip(alone, together, strict=True))


def test_shapes_and_types():
    faces = _faces(count=3)
    sample = _augment(faces, Augmentation(), masks=faces)
    assert sample.warped.shape == sample.target.shape == (3, 64, 64, 3)
    assert sample.masks.shape == (3, 64, 64, 3)
    assert {each.dtype for each in (sample.warped, sample.target, sample.masks)} == {np.dtype("uint8")}


@pytest.mark.parametrize("side", [64, 128, 256])
def test_without_variation_a_sample_is_the_resized_crop(side):
    faces = _faces(side=side)
    sample = _augment(faces, UNCHANGED, masks=faces)
    expected = np.stack([cv2.resize(face, (64, 64), interpolation=cv2.INTER_AREA) for face in faces])
    assert _difference(sample.target, expected).max() <= 1
    assert _difference(sample.warped, expected).max() <= 1
    assert _difference(sample.masks, expected).max() <= 1


@pytest.mark.parametrize("size", [64, 128, 256])
def test_samples_keep_the_crops_scale(size):
    # a bright square of half the crop's side, seen through turns and shifts but no zoom, keeps its area
    face = np.zeros((1, 256, 256, 3), np.uint8)
    face[:, 64:192, 64:192] = 255
    settings = replace(UNCHANGED, rotation=10, shift=0.05, flip=0.5)
    areas = [_augment(face, settings, seed=seed, size=size).target.mean() / 255 for seed in range(5)]
    np.testing.assert_allclose(areas, 0.25, rtol=0.01)
    warped = [_augment(face, replace(settings, warp=1), seed=seed, size=size).target.mean() for seed in range(40)]
    assert np.mean(warped) / 255 == pytest.approx(0.25, rel=0.03)


def test_zoom_keeps_its_bounds():
    face = np.zeros((1, 128, 128, 3), np.uint8)
    face[:, 32:96, 32:96] = 255
    settings = replace(UNCHANGED, zoom=0.1)
    sides = [np.sqrt(_augment(face, settings, seed=seed).target.mean() / 255) * 2 for seed in range(60)]
    assert 0.89 < min(sides) < 0.93
    assert 1.07 < max(sides) < 1.11


def test_shift_keeps_its_bounds():
    face = np.zeros((128, 128, 3), np.uint8)
    face[32:96, 32:96] = 255
    target = _augment(np.stack([face] * 120), replace(UNCHANGED, shift=0.05)).target[..., 0] / 255.0
    places = (np.arange(64) + 0.5) / 64 - 0.5
    total = target.sum(axis=(1, 2))
    across, down = ((target.sum(axis=axis) * places).sum(axis=1) / total for axis in (1, 2))
    for moves in (across, down):
        assert -0.0505 < moves.min() < -0.045
        assert 0.045 < moves.max() < 0.0505
    assert abs(np.corrcoef(across, down)[0, 1]) < 0.3


def test_mirror():
    faces = _faces()
    plain, mirrored = _augment(faces, UNCHANGED), _augment(faces, replace(UNCHANGED, flip=1.0))
    assert _difference(mirrored.target, plain.target[:, :, ::-1]).max() <= 1


def test_rotation_of_a_known_angle():
    # the largest turn to either side is that of a rotation matrix about the crop's middle
    faces = _faces(count=200, side=64)
    settings = replace(UNCHANGED, rotation=10.0)
    sample = _augment(faces, settings)
    turns = np.random.default_rng(1).uniform(-10, 10, 200)
    index = int(np.argmax(turns))
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), turns[index], 1.0)
    expected = cv2.warpAffine(faces[index], matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE)
    assert _difference(sample.target[index], expected).mean() < 1


def test_target_and_mask_stay_registered():
    faces = np.repeat(_faces(side=128)[..., :1], 3, axis=-1)
    sample = _augment(faces, replace(Augmentation(), color_match=0.0), masks=faces)
    np.testing.assert_array_equal(sample.target, sample.masks)
    assert _difference(sample.warped, sample.masks).mean() > 1


def test_warped_differs_from_target_by_the_warp_alone():
    faces = _faces()
    straight = _augment(faces, replace(Augmentation(), warp=0.0))
    np.testing.assert_array_equal(straight.warped, straight.target)
    weak, strong = (
        _difference(sample.warped, sample.target).mean()
        for sample in (_augment(faces, replace(Augmentation(), warp=warp)) for warp in (0.3, 1.0))
    )
    assert 0 < weak < strong


def test_warp_has_the_stated_strength():
    # a horizontal ramp shows displacements along x: at a node, 5 to 6.2 px of 256, here 1.4 px of 64
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    faces = np.repeat(np.repeat(ramp[None, :, :, None], 3, axis=3), 300, axis=0)
    sample = _augment(faces, replace(UNCHANGED, warp=1.0))
    middle = sample.warped[:, 31:33, 31:33, 0].mean(axis=(1, 2))
    assert middle.std() == pytest.approx(5.6, rel=0.2)


def _warp_nodes(picture, hats):
    """The 5 x 5 places in a face of two ramps that a sample's nodes show, px (25, 2); a border shows no more."""
    shares = np.einsum("yi,xj->yxij", hats, hats).reshape(-1, 25)
    nodes = []
    for seen in picture.reshape(-1, 3)[:, :2].T:
        inside = (seen > 0) & (seen < 255)
        nodes.append(np.linalg.lstsq(shares[inside], seen[inside].astype(float), rcond=None)[0])
    return np.stack(nodes, axis=1)


def test_a_target_is_turned_and_moved_as_its_warp_on_the_whole():
    x, y = np.meshgrid(np.arange(256), np.arange(256))
    faces = np.stack([np.dstack([x, y, x])] * 6).astype(np.uint8)
    sample = _augment(faces, replace(Augmentation(), flip=0.0, color_match=0.0), size=128)
    places = (np.arange(128) + 0.5) / 128
    hats = np.stack([np.interp(places * 4, range(5), hat) for hat in np.eye(5)], axis=1)
    regular = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2) / 4.0
    grid = np.stack(np.meshgrid(places, places), axis=-1)
    for warped, target in zip(sample.warped, sample.target, strict=True):
        fitted = umeyama(regular, _warp_nodes(warped, hats))
        expected = (grid @ fitted[:, :2].T + fitted[:, 2]).clip(0, 255)
        assert np.abs(target[..., :2] - expected).max() < 1
        assert np.abs(warped[..., :2] - expected).max() > 4, "the warp itself is left to the network"


def test_color_match_takes_on_the_reference():
    faces = _faces()
    references = (faces[:1] // 4).astype(np.uint8)
    sample = _augment(faces, replace(UNCHANGED, color_match=1.0), references=measure_colors(references))
    plain = _augment(faces, UNCHANGED)
    np.testing.assert_array_equal(sample.warped, sample.target)
    means, before, goal = (each.mean(axis=(1, 2)) for each in (sample.target, plain.target, references))
    assert (means < before).all()
    assert (means > goal - 12).all()
    assert _difference(sample.target, plain.target).mean() > 5


def test_color_match_of_a_flat_face_and_to_a_bright_one():
    flat = np.full((8, 128, 128, 3), 90, np.uint8)
    bright = np.full((1, 128, 128, 3), 250, np.uint8)
    target = _augment(flat, replace(UNCHANGED, color_match=1.0), references=measure_colors(bright)).target
    assert target.std(axis=(1, 2)).max() == 0
    assert target.min() >= 89
    assert np.ptp(target[..., 0].mean(axis=(1, 2))) > 20


def test_color_match_of_a_face_to_itself_changes_nothing():
    faces = _faces(count=1)
    sample = _augment(faces, replace(UNCHANGED, color_match=1.0))
    assert _difference(sample.target, _augment(faces, UNCHANGED).target).max() <= 2


def test_motion_blur_smooths_both_pictures_but_not_the_mask():
    faces = _faces()
    masks = faces
    sharp = _augment(faces, UNCHANGED, masks=masks)
    blurred = _augment(faces, replace(UNCHANGED, motion_blur=1.0), masks=masks)
    np.testing.assert_array_equal(blurred.warped, blurred.target)
    np.testing.assert_array_equal(blurred.masks, sharp.masks)
    assert (blurred.target.std(axis=(1, 2)) < sharp.target.std(axis=(1, 2))).all()
    assert _difference(blurred.target.mean((1, 2)), sharp.target.mean((1, 2))).max() <= 6


def test_one_setting_leaves_other_draws_alone():
    faces = _faces()
    plain = _augment(faces, replace(Augmentation(), color_match=0.0, motion_blur=0.0), masks=faces)
    varied = _augment(faces, Augmentation(motion_blur=1.0, color_match=1.0), masks=faces)
    np.testing.assert_array_equal(plain.masks, varied.masks)


def test_reduced_faces_give_the_same_samples():
    faces = _faces(side=256)
    side = OVERSAMPLING * 64
    reduced = np.stack([cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in faces])
    settings = replace(Augmentation(), color_match=0.0)
    assert _same(_augment(reduced, settings), _augment(faces, settings))


@pytest.mark.parametrize(
    ("faces", "masks", "message"),
    [
        (np.zeros((2, 64, 64, 3), np.float32), None, "uint8"),
        (np.zeros((2, 64, 60, 3), np.uint8), None, "N, H, H, 3"),
        (np.zeros((2, 64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3), np.uint8), "masks"),
    ],
)
def test_wrong_arguments(faces, masks, message):
    with pytest.raises(SettingsError, match=message):
        _augment(faces, UNCHANGED, masks=masks)


@pytest.mark.parametrize("channels", [2, 3, 6])  # with the colours more than 4: OpenCV has other ways for 4
def test_samples_are_those_of_one_remap_of_all_channels(channels):
    # each picture is interpolated apart, for speed: exactly what OpenCV makes of all channels at once
    faces = _faces(side=128)
    masks = np.concatenate([faces, faces[::-1]], axis=-1)[..., :channels]
    settings = replace(Augmentation(), color_match=0.0)
    sample = _augment(faces, settings, masks=masks)
    draws = augmentation._draw(6, 6, settings=settings, rng=np.random.default_rng(1))
    rows = augmentation._rows(draws, size=64, side=128)
    maps = (rows @ augmentation._interpolation(64).T).reshape(6, 2, 128, 64)
    for index, (x, y) in enumerate(maps):
        layers = np.concatenate([faces[index], masks[index]], axis=-1)
        both = cv2.remap(layers, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        np.testing.assert_array_equal(sample.warped[index], both[:64, :, :3])
        np.testing.assert_array_equal(sample.target[index], both[64:, :, :3])
        np.testing.assert_array_equal(sample.masks[index], both[64:, :, 3:])


def test_known_colors_give_the_same_samples():
    faces, others = _faces(), measure_colors(_faces(seed=4))
    chosen = np.array([4, 0, 4])
    known = _augment(faces[chosen], Augmentation(), colors=measure_colors(faces)[chosen], references=others)
    assert _same(known, _augment(faces[chosen], Augmentation(), references=others))


def test_a_list_of_faces_is_as_good_as_an_array():
    faces = _faces()
    masks = np.zeros_like(faces)
    assert _same(
        _augment(faces, Augmentation(), masks=masks), _augment(list(faces), Augmentation(), masks=list(masks))
    )
