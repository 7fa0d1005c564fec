"""Small smooth functions of which heads are built: steps, bumps, curves, noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
"""Real numbers; float32 unless a docstring says otherwise."""


def smoothstep(low: float | Array, high: float | Array, at: Array) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high`.

    Args:
        low: Where the rise starts; a number or an array like `at`.
        high: Where it ends; may be less than `low`, the step then falls.
        at: Where to evaluate, float32, any shape.

    Returns:
        float32 in [0, 1], shape of `at`.
    """
    t = np.clip((at - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def bump(x: Array, y: Array, centre: tuple[float, float], radius: tuple[float, float]) -> Array:
    """Evaluate a Gaussian bump of height 1.

    Args:
        x: First coordinate, float32, any shape.
        y: Second coordinate, same shape.
        centre: (x, y) of the top.
        radius: Standard deviations in x and y.

    Returns:
        float32 in (0, 1], shape of `x`.
    """
    u = (x - np.float32(centre[0])) / np.float32(radius[0])
    v = (y - np.float32(centre[1])) / np.float32(radius[1])
    return np.asarray(np.exp(-0.5 * (u * u + v * v)), np.float32)


def curve(at: Array, knots: Sequence[float], values: Sequence[float], *, soft: float = 0.04) -> Array:
    """Follow knots with rounded corners.

    Args:
        at: Where to evaluate, float32, any shape.
        knots: Rising positions.
        values: The value at each knot; held constant outside.
        soft: Width of the rounding as a fraction of the knots' span.

    Returns:
        float32, shape of `at`.
    """
    margin = 3.0 * soft * (knots[-1] - knots[0])
    fine = np.linspace(knots[0] - margin, knots[-1] + margin, 1024)
    raw = np.interp(fine, knots, values).astype(np.float32)
    sigma = soft * (knots[-1] - knots[0]) / float(fine[1] - fine[0])
    blurred = cv2.GaussianBlur(raw[None, :], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0]
    return np.asarray(np.interp(at, fine, blurred), np.float32)


def noise(shape: tuple[int, int], blur: tuple[float, float], *, rng: np.random.Generator) -> Array:
    """Draw smooth noise of zero mean and unit deviation.

    Args:
        shape: (rows, columns).
        blur: Gaussian standard deviation along columns (x) and rows (y), samples.
        rng: Source of randomness.

    Returns:
        float32 (rows, columns).
    """
    raw = rng.standard_normal(shape).astype(np.float32)
    smooth = cv2.GaussianBlur(raw, (0, 0), sigmaX=blur[0], sigmaY=blur[1], borderType=cv2.BORDER_REFLECT)
    return np.asarray((smooth - smooth.mean()) / (smooth.std() + 1e-9), np.float32)


def mix(first: Array, second: Array | Sequence[float], weight: Array) -> Array:
    """Blend colours.

    Args:
        first: float32 (..., 3).
        second: float32 (..., 3) or one colour.
        weight: How much of `second`, float32 (...) without the colour axis.

    Returns:
        float32 (..., 3).
    """
    other = np.asarray(second, np.float32)
    return np.asarray(first + (other - first) * weight[..., None], np.float32)
