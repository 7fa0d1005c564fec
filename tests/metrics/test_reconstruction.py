"""PSNR and SSIM against values that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.metrics.reconstruction import psnr, ssim


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 40, 3), dtype=np.uint8)


def test_equal_pictures_are_perfect(picture):
    assert psnr(picture, picture) == float("inf")
    assert ssim(picture, picture) == pytest.approx(1.0)


def test_psnr_of_a_constant_offset():
    dark, light = np.full((16, 16, 3), 100, np.uint8), np.full((16, 16, 3), 110, np.uint8)
    assert psnr(dark, light) == pytest.approx(20 * np.log10(255 / 10))


def test_ssim_of_flat_pictures_is_the_luminance_term():
    dark, light = np.full((16, 16, 3), 100, np.uint8), np.full((16, 16, 3), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(dark, light) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), abs=1e-6)


def test_only_the_masked_part_counts(picture):
    other = picture.copy()
    other[:, 20:] = 255 - other[:, 20:]
    mask = np.zeros(picture.shape[:2], np.float32)
    mask[:, :10] = 0.3
    assert psnr(picture, other, mask) == float("inf")
    assert ssim(picture, other, mask) == pytest.approx(1.0)
    assert psnr(picture, other) < 15
    assert ssim(picture, other) < 0.8


def test_more_noise_is_worse(picture):
    rng = np.random.default_rng(1)
    smooth = np.repeat(np.repeat(picture[::8, ::8], 8, axis=0), 8, axis=1)
    noisy = [np.clip(smooth + rng.normal(0, sigma, smooth.shape), 0, 255).astype(np.uint8) for sigma in (5, 20, 60)]
    assert psnr(noisy[0], smooth) > psnr(noisy[1], smooth) > psnr(noisy[2], smooth)
    assert ssim(noisy[0], smooth) > ssim(noisy[1], smooth) > ssim(noisy[2], smooth)


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_wrong_input_is_refused(measure, picture):
    with pytest.raises(SettingsError, match="one shape"):
        measure(picture, picture[:20])
    with pytest.raises(SettingsError, match="mask"):
        measure(picture, picture, np.zeros(picture.shape[:2]))
    with pytest.raises(SettingsError, match="mask"):
        measure(picture, picture, np.ones((4, 4)))
