"""How close a picture is to the one it should be: PSNR and SSIM, inside a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import SettingsError

PEAK = 255.0
_SIGMA = 1.5  # px, the Gaussian window of Wang et al. (2004), section III.B
_RADIUS = 5  # px, an 11 x 11 window
_C1 = (0.01 * PEAK) ** 2
_C2 = (0.03 * PEAK) ** 2


def psnr(image: NDArray[np.uint8], truth: NDArray[np.uint8], mask: NDArray[np.generic] | None = None) -> float:
    """Measure the peak signal-to-noise ratio between two pictures.

    Args:
        image: RGB, uint8 (H, W, 3).
        truth: What `image` should be, uint8 (H, W, 3).
        mask: Weight of each pixel, (H, W), any scale, at least 0; all pixels alike when None.

    Returns:
        10 log10(255² / weighted mean squared error) in dB; infinity when they are equal under the mask.

    Raises:
        SettingsError: The shapes differ, or the mask holds nothing.

    References:
        Huynh-Thu and Ghanbari, "Scope of validity of PSNR in image/video quality assessment" (2008), eq. 1.
    """
    weight = _weight(image, truth, mask)
    error = ((image.astype(np.float64) - truth.astype(np.float64)) ** 2).mean(axis=2)
    mean = float((error * weight).sum())
    return float("inf") if mean == 0 else float(10 * np.log10(PEAK**2 / mean))


def ssim(image: NDArray[np.uint8], truth: NDArray[np.uint8], mask: NDArray[np.generic] | None = None) -> float:
    """Measure the structural similarity of two pictures.

    Computed per colour channel with an 11 x 11 Gaussian window of sigma 1.5 px, then averaged under the mask.

    Args:
        image: RGB, uint8 (H, W, 3), at least 11 px a side.
        truth: What `image` should be, uint8 (H, W, 3).
        mask: Weight of each pixel, (H, W), any scale, at least 0; all pixels alike when None.

    Returns:
        Weighted mean similarity in [-1, 1]; 1 when they are equal under the mask and around it.

    Raises:
        SettingsError: The shapes differ, or the mask holds nothing.

    References:
        Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
        similarity" (2004), eq. 13 with K1 = 0.01 and K2 = 0.03.
    """
    weight = _weight(image, truth, mask)
    x, y = image.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    variance_x = _window_mean(x * x) - mean_x**2
    variance_y = _window_mean(y * y) - mean_y**2
    covariance = _window_mean(x * y) - mean_x * mean_y
    # Wang et al. (2004), eq. 13
    numerator = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    similarity = numerator / ((mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2))
    return float((similarity.mean(axis=2) * weight).sum())


def _window_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    side = 2 * _RADIUS + 1
    blurred = cv2.GaussianBlur(values, (side, side), _SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float64)


def _weight(
    image: NDArray[np.uint8], truth: NDArray[np.uint8], mask: NDArray[np.generic] | None
) -> NDArray[np.float64]:
    """Check the three arrays and scale the mask to a sum of one."""
    if image.ndim != 3 or image.shape != truth.shape:
        raise SettingsError(
            f"expected two pictures (H, W, 3) of one shape, got {image.shape} and {truth.shape}; resize one"
        )
    weight = np.ones(image.shape[:2]) if mask is None else np.asarray(mask, dtype=np.float64)
    if weight.shape != image.shape[:2] or weight.min() < 0 or weight.sum() == 0:
        raise SettingsError(
            f"expected a mask of shape {image.shape[:2]} with weights above 0, got shape {weight.shape} "
            f"and sum {weight.sum():.3g}; give the face's mask at the picture's size"
        )
    return np.asarray(weight / weight.sum())
