"""Give a face the colours of another one, in part: training must not learn one scene's light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
_BASES = np.stack([_RGB, _XYZ_FROM_RGB])


@dataclass(frozen=True)
class ColorStatistics:
    """Colours of N faces in both spaces, RGB and XYZ."""

    values: NDArray[np.float64]
    """Mean and deviation of the middle, least and largest of the whole, of each channel: (N, 2, 4, 3)."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: NDArray[np.int64]) -> ColorStatistics:
        return ColorStatistics(self.values[chosen])


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


def measure_colors(faces: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> ColorStatistics:
    """Measure the colours of faces, uint8 RGB (H, H, 3) each."""
    values = np.empty((len(faces), len(_BASES), 4, 3))
    for index, face in enumerate(faces):
        for space, basis in enumerate(_BASES):
            colors = _colors(face, basis)
            extremes = colors.min(axis=(1, 2)), colors.max(axis=(1, 2))
            values[index, space] = *_statistics(colors), *extremes
    return ColorStatistics(values)


def color_changes(
    faces: ColorStatistics, references: ColorStatistics, draws: ColorDraws
) -> dict[int, NDArray[np.float64]]:
    """Tell how the colours of a batch's faces change.

    Mean and deviation of each channel in the middle of a face move towards those of the other face; what
    would leave [0, 255] at the dark end lifts the whole picture, what would at the bright end dims it. That
    is one affine change of colour for the whole picture.

    Args:
        faces: The faces' colours, in the batch's order.
        references: Colours that may be taken on.
        draws: The batch's draws.

    Returns:
        The change of RGB colours, float64 (3, 4), by the index in the batch of each face that changes.

    References:
        Reinhard et al. (2001), Color Transfer between Images, eq. 10-11.
    """
    chosen = np.flatnonzero(draws.chosen)
    if not len(chosen):
        return {}
    spaces = draws.in_xyz[chosen].astype(int)
    mean, deviation, least, largest = faces.values[chosen, spaces].swapaxes(0, 1)
    other_mean, other_deviation, *_ = references.values[draws.references[chosen], spaces].swapaxes(0, 1)
    share = draws.shares[chosen, None]
    wanted_mean = share * other_mean + (1.0 - share) * mean
    wanted_deviation = share * other_deviation + (1.0 - share) * deviation
    gain = np.where(deviation > _FLAT, wanted_deviation / np.maximum(deviation, _FLAT), 1.0)
    offset = wanted_mean - gain * mean
    low = (gain * least + offset).min(axis=1, keepdims=True)
    offset = offset - np.minimum(low, 0.0)
    high = (gain * largest + offset).max(axis=1, keepdims=True)
    dim = np.minimum(1.0, 255.0 / np.maximum(high, 1e-9))
    back = np.linalg.inv(_BASES)[spaces]
    linear = back @ ((dim * gain)[..., None] * _BASES[spaces])
    changes = np.concatenate([linear, back @ (dim * offset)[..., None]], axis=2)
    return dict(zip(chosen.tolist(), changes, strict=True))


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
