"""Give a face the colours of another one, in part: training must not learn one scene's light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_MARGIN = 60.0 / 256.0  # of the side: statistics are those of the middle
_FLAT = 1e-3  # grey levels: a channel that varies less keeps its contrast

_SAMPLED_SIDE = 32  # px: larger crops are judged by every second, third, ... pixel

_RGB = np.eye(3)
# CIE XYZ of BT.709 primaries with white D65 (ITU-R BT.709-6), applied to coded values as v2.2 does
_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)


@dataclass(frozen=True)
class ColorDraws:
    """All that is random about a batch's colours."""

    chosen: NDArray[np.bool_]
    """Which samples change, (N,)."""
    references: NDArray[np.int64]
    """Whose colours they take on: indices, (N,)."""
    in_xyz: NDArray[np.bool_]
    """Whether each is matched in XYZ instead of RGB, (N,)."""
    shares: NDArray[np.float64]
    """Share of the other face's statistics, (N,) in [0, 1]."""


def draw_colors(count: int, others: int, *, probability: float, rng: np.random.Generator) -> ColorDraws:
    """Draw the colour changes of so many samples, each with a probability, towards one of so many others."""
    return ColorDraws(
        chosen=rng.random(count) < probability,
        references=rng.integers(others, size=count) if others else np.zeros(count, np.int64),
        in_xyz=rng.random(count) < 0.5,
        shares=rng.random(count),
    )


def recolor(
    picture: NDArray[np.uint8],
    face: NDArray[np.uint8],
    references: NDArray[np.uint8],
    *,
    draws: ColorDraws,
    index: int,
) -> NDArray[np.uint8]:
    """Change the colours of one sample's picture, if its draw says so.

    Mean and deviation of each channel in the middle of the face move towards those of the other face; what
    would leave [0, 255] at the dark end lifts the whole picture, what would at the bright end dims it. That
    is one affine change of colour for the whole picture.

    Args:
        picture: What to change, uint8 RGB (h, w, 3).
        face: The crop it comes from, uint8 RGB (H, H, 3).
        references: Crops whose colours may be taken on, uint8 RGB (M, h, h, 3).
        draws: The batch's draws.
        index: Which sample of the batch this is.

    Returns:
        The recoloured picture, or the given one.

    References:
        Reinhard et al. (2001), Color Transfer between Images, eq. 10-11.
    """
    if not draws.chosen[index]:
        return picture
    basis = _XYZ_FROM_RGB if draws.in_xyz[index] else _RGB
    other = references[draws.references[index]]
    change = _color_change(face, other, basis=basis, share=float(draws.shares[index]))
    return np.asarray(cv2.transform(picture, change), np.uint8)


def _color_change(
    face: NDArray[np.uint8], reference: NDArray[np.uint8], *, basis: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return the (3, 4) affine change of RGB colours; basis (3, 3) leads to the space it is made in."""
    colors = _colors(face, basis)
    mean, deviation = _statistics(colors)
    other_mean, other_deviation = _statistics(_colors(reference, basis))
    wanted_mean = share * other_mean + (1.0 - share) * mean
    wanted_deviation = share * other_deviation + (1.0 - share) * deviation
    gain = np.where(deviation > _FLAT, wanted_deviation / np.maximum(deviation, _FLAT), 1.0)
    offset = wanted_mean - gain * mean
    low = (gain * colors.min(axis=(1, 2)) + offset).min()
    offset = offset - min(low, 0.0)
    high = (gain * colors.max(axis=(1, 2)) + offset).max()
    dim = min(1.0, 255.0 / high) if high > 0.0 else 1.0
    back = np.linalg.inv(basis)
    return np.column_stack([back @ (dim * gain[:, None] * basis), back @ (dim * offset)])


def _colors(face: NDArray[np.uint8], basis: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a crop's colours in the space of a basis, float32 (3, h, w): enough pixels to know them by."""
    step = max(1, face.shape[0] // _SAMPLED_SIDE)
    sampled = face[::step, ::step]
    columns = sampled.reshape(-1, 3).T.astype(np.float32)
    return (basis.astype(np.float32) @ columns).reshape(3, *sampled.shape[:2])


def _statistics(colors: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation (3,) of the middle of a crop's colours (3, h, w)."""
    margin = round(_MARGIN * colors.shape[1])
    middle = colors[:, margin : colors.shape[1] - margin, margin : colors.shape[2] - margin].reshape(3, -1)
    return middle.mean(axis=1, dtype=np.float64), middle.std(axis=1, dtype=np.float64)
