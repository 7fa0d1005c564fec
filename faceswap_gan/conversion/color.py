"""Colour of a painted face brought to that of the face it covers.

Both methods give one curve per colour channel, measured only where the face is painted, so that background
and hair have no say. Curves average well, which is how a match stays steady from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError

ColorMethod = Literal["none", "mean_std", "histogram"]

Floats = npt.NDArray[np.float32]

LEVELS = np.arange(256, dtype=np.float32)
_LEAST_WEIGHT = 16.0
_GAIN = (0.85, 1.18)
_BINS = 64


@dataclass(frozen=True)
class ColorMap:
    """One curve per channel.

    Attributes:
        curves: float32 (3, 256), what each level of [0, 255] becomes.
        level: mean colour of the face underneath, float32 (3,) in [0, 255]; a jump of it tells a cut.
    """

    curves: Floats
    level: Floats

    def apply(self, image: Floats) -> Floats:
        """Recolour a picture, float (..., 3) in [0, 255]; returns float32, clipped to [0, 255]."""
        channels = [np.interp(image[..., c], LEVELS, self.curves[c]) for c in range(3)]
        return np.stack(channels, axis=-1).clip(0, 255).astype(np.float32)

    def toward(self, other: ColorMap, part: float) -> ColorMap:
        """Move this map's curves toward another's: 0 stays, 1 arrives."""
        return ColorMap(self.curves + np.float32(part) * (other.curves - self.curves), other.level)


def match(painted: Floats, target: Floats, weight: Floats, *, method: ColorMethod) -> ColorMap:
    """Find the curves that give a painted face the colours of the one underneath.

    Args:
        painted: swapped face, float (S, S, 3) in [0, 255].
        target: the crop it covers, float (S, S, 3) in [0, 255].
        weight: how much each pixel counts, float (S, S) in [0, 1]: where the face is painted.
        method: ``none``; ``mean_std``: mean and deviation of each channel, its gain kept within 0.85 to 1.18;
            ``histogram``: each channel's whole distribution.

    Returns:
        The curves; unchanged colours where hardly a pixel is painted.

    Raises:
        SettingsError: an unknown method.

    References:
        Reinhard et al., "Color transfer between images", IEEE CG&A 21 (2001), eqs. 10 and 11, here per
        channel of RGB; histogram specification: Gonzalez and Woods, Digital Image Processing, 3.3.2.
    """
    if method not in ("none", "mean_std", "histogram"):
        raise SettingsError(f"expected --color none, mean_std or histogram, got {method!r}.")
    total = float(weight.sum())
    level = _mean(target, weight, total)
    if method == "none" or total < _LEAST_WEIGHT:
        return ColorMap(np.tile(LEVELS, (3, 1)), level)
    if method == "mean_std":
        return ColorMap(_mean_std_curves(painted, target, weight, total), level)
    return ColorMap(_histogram_curves(painted, target, weight), level)


class SteadyColor:
    """Color maps of one face over time, smoothed so that they do not flicker.

    Args:
        seconds: time in which a change is followed to 63 %.
        gap: s without the face after which the next map starts anew.
        jump: change of the face's mean colour, in levels, that is taken for a cut.
    """

    def __init__(self, *, seconds: float = 0.4, gap: float = 0.5, jump: float = 24.0) -> None:
        self._seconds, self._gap, self._jump = seconds, gap, jump
        self._last: tuple[float, ColorMap] | None = None

    def update(self, found: ColorMap, at: float) -> ColorMap:
        """Take in a frame's map, give back the smoothed one.

        Args:
            found: the map measured in this frame.
            at: the frame's time, s.
        """
        steady = found
        if self._last is not None:
            before, last = self._last
            elapsed = at - before
            jumped = float(np.abs(found.level - last.level).max()) > self._jump
            if 0 <= elapsed <= self._gap and not jumped:
                steady = last.toward(found, 1 - float(np.exp(-elapsed / self._seconds)))
        self._last = (at, steady)
        return steady


def _mean(image: Floats, weight: Floats, total: float) -> Floats:
    if total <= 0:
        return np.asarray(image.mean(axis=(0, 1)), dtype=np.float32)
    return np.asarray(np.tensordot(weight, image, axes=2) / total, dtype=np.float32)


def _mean_std_curves(painted: Floats, target: Floats, weight: Floats, total: float) -> Floats:
    mean, std = [], []
    for image in (painted, target):
        mean.append(_mean(image, weight, total))
        std.append(np.sqrt(_mean((image - mean[-1]) ** 2, weight, total)))
    gain = np.clip((std[1] + 1) / (std[0] + 1), *_GAIN)
    return np.asarray((LEVELS - mean[0][:, None]) * gain[:, None] + mean[1][:, None], dtype=np.float32)


def _histogram_curves(painted: Floats, target: Floats, weight: Floats) -> Floats:
    edges = np.linspace(0, 256, _BINS + 1)
    curves = []
    for channel in range(3):
        shares = []
        for image in (painted, target):
            counts, _ = np.histogram(image[..., channel], bins=edges, weights=weight)
            # A little of everything keeps the shares growing, hence the curve defined everywhere.
            counts = counts + counts.sum() * 1e-4 / _BINS
            shares.append(np.concatenate([[0], np.cumsum(counts)]) / counts.sum())
        curves.append(np.interp(np.interp(LEVELS, edges, shares[0]), shares[1], edges))
    return np.asarray(np.clip(curves, 0, 255), dtype=np.float32)
