"""Structural similarity of two pictures, as a map and as a loss."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap_gan.errors import SettingsError

_WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def ssim_map(first: keras.KerasTensor, second: keras.KerasTensor, *, value_range: float = 2.0) -> keras.KerasTensor:
    """Compare two pictures window by window and channel by channel.

    Windows are 11 x 11 Gaussians of deviation 1.5 px that lie wholly inside the picture; variances are those
    of the weighted window, not corrected for its size.

    Args:
        first: Pictures, float (N, H, W, C), H and W at least 11.
        second: Pictures of the same shape.
        value_range: Difference of the largest and the smallest possible value.

    Returns:
        Similarities, float32 (N, H - 10, W - 10, C) in [-1, 1]; 1 = the same.

    Raises:
        SettingsError: The pictures are smaller than a window.

    References:
        Wang et al. (2004), Image quality assessment: from error visibility to structural similarity, eq. 13.
    """
    x, y = ops.cast(first, "float32"), ops.cast(second, "float32")
    height, width = x.shape[1:3]
    if min(height, width) < _WINDOW:
        raise SettingsError(f"ssim needs pictures of at least {_WINDOW} px; got {height} x {width} px.")
    moments = _blur(ops.concatenate([x, y, x * x, y * y, x * y], axis=-1))
    mean_x, mean_y, square_x, square_y, product = ops.split(moments, 5, axis=-1)
    variance_x, variance_y = square_x - mean_x * mean_x, square_y - mean_y * mean_y
    covariance = product - mean_x * mean_y
    c1, c2 = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    luminance = (2.0 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2.0 * covariance + c2) / (variance_x + variance_y + c2)
    return luminance * structure


def dssim_loss(
    target: keras.KerasTensor, rgb: keras.KerasTensor, weights: keras.KerasTensor | None = None
) -> keras.KerasTensor:
    """Compare structure: mean w (1 - ssim) / 2, a scalar in [0, 1] for weights up to 1.

    Args:
        target: What the decoder must reproduce, float (N, S, S, 3) in [-1, 1].
        rgb: What it painted, of the same shape.
        weights: Weight w of each pixel, float (N, S, S, 1); None weighs all windows alike. A window has the
            weight of its middle pixel, and the mean is over all windows, whatever the weights sum to.
    """
    error = 0.5 * (1.0 - ssim_map(target, rgb))
    if weights is None:
        return ops.mean(error)
    margin = _WINDOW // 2
    return ops.mean(error * ops.cast(weights, "float32")[:, margin:-margin, margin:-margin])


def _blur(images: keras.KerasTensor) -> keras.KerasTensor:
    # the window is separable: two matrix products, which a CPU does faster than a depthwise convolution
    height, width = images.shape[1:3]
    rows = ops.einsum("ih,nhwc->niwc", ops.convert_to_tensor(_window_matrix(height)), images)
    return ops.einsum("jw,niwc->nijc", ops.convert_to_tensor(_window_matrix(width)), rows)


def _window_matrix(length: int) -> NDArray[np.float32]:
    """Return float32 (length - 10, length): row i holds the window that starts at pixel i."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    window = np.exp(-(offsets**2) / (2.0 * _SIGMA**2))
    window /= window.sum()
    matrix = np.zeros((length - _WINDOW + 1, length), np.float32)
    for row in range(len(matrix)):
        matrix[row, row : row + _WINDOW] = window
    return matrix
