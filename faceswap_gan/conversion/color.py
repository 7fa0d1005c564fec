"""Colour of a painted face brought to that of the face it covers.

Every method gives a map from colour to colour, measured only where the face is painted, so that background and
hair have no say. A map is a table of numbers that averages well, which is how a match stays steady over time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.finish import ColorMethod
from faceswap_gan.conversion.steady import Steady
from faceswap_gan.conversion.transport import apply_cube, transport_cube
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.mesh_mask import rise
from faceswap_gan.faces.skin import tell_skin

Floats = npt.NDArray[np.float32]
Kind = Literal["rgb", "xyz", "lab", "curves", "cube"]

LEVELS = np.arange(256, dtype=np.float32)
_LEAST_WEIGHT = 16.0
# Share of the face that is skin in both: up to here all of it is compared, from here on skin alone.
_SHARE = (0.25, 0.5)
_GAIN = (0.95, 1.05)  # brows, lips and beard make most of the contrast, and are the person's own
_BINS = 64
_EVEN = 5  # levels over which a curve is evened
_TO_SPACE = {"xyz": cv2.COLOR_RGB2XYZ, "lab": cv2.COLOR_RGB2Lab}
_TO_RGB = {"xyz": cv2.COLOR_XYZ2RGB, "lab": cv2.COLOR_Lab2RGB}
_UNITS: dict[str, float] = {"rgb": 1, "xyz": 1 / 255, "lab": 100 / 255}  # of a channel, for one level of 255
_SPACES: dict[str, Literal["rgb", "xyz", "lab"]] = {
    "none": "rgb",
    "mean_std": "rgb",
    "mean_std_xyz": "xyz",
    "lab": "lab",
}
_ENOUGH = 64  # px of a side tell the colours


@dataclass(frozen=True)
class ColorMap:
    """What each colour becomes.

    Attributes:
        kind: what the table holds. ``rgb``, ``xyz`` and ``lab``: gain and offset of each channel of that space,
            (2, 3); ``curves``: what each level of each channel becomes, (3, 256); ``cube``: what the nodes of a
            grid over all colours become, (n, n, n, 3).
        table: float32, in levels of [0, 255] or units of the space.
        level: mean colour of the face underneath, float32 (3,) in [0, 255]; a jump of it tells a cut.
    """

    kind: Kind
    table: Floats
    level: Floats

    def apply(self, image: Floats) -> Floats:
        """Recolour a picture, float32 (H, W, 3) in [0, 255]; returns float32, clipped to [0, 255]."""
        if self.kind == "cube":
            return apply_cube(self.table, image)
        if self.kind == "curves":
            channels = [np.interp(image[..., c], LEVELS, self.table[c]) for c in range(3)]
            return np.stack(channels, axis=-1).astype(np.float32).clip(0, 255)
        gain, offset = self.table
        moved = cv2.transform(_to_space(image, self.kind), np.column_stack([np.diag(gain), offset]))
        if self.kind != "rgb":
            moved = cv2.cvtColor(moved, _TO_RGB[self.kind]) * np.float32(255)
        return np.asarray(np.clip(moved, 0, 255, out=moved), np.float32)


def match(painted: Floats, target: Floats, weight: Floats, *, method: ColorMethod) -> ColorMap:
    """Find the map that gives a painted face the colours of the one underneath.

    Args:
        painted: swapped face, float32 (S, S, 3) in [0, 255].
        target: the crop it covers, float32 (S, S, 3) in [0, 255].
        weight: how much each pixel counts, float (S, S) in [0, 1]: where the face is painted.
        method: ``none``; ``mean_std``: mean and deviation of each channel, its gain kept within 0.95 to 1.05, of
            what is skin in both (`tell_skin`), or one's beard would darken the other's skin; ``mean_std_xyz`` and
            ``lab``: the same of the channels of XYZ (a matrix of RGB as stored, as the v2.2 model does it) and of
            CIELAB; ``histogram``: each channel's whole distribution; ``sot``: the whole
            joint distribution, see `transport_cube`.

    Returns:
        The map; unchanged colours where hardly a pixel is painted.

    Raises:
        SettingsError: an unknown method.

    References:
        Reinhard et al., "Color transfer between images", IEEE CG&A 21 (2001), eqs. 10 and 11, in the space that
        the method names; histogram specification: Gonzalez and Woods, Digital Image Processing, 3.3.2.
    """
    few = np.s_[:: max(1, len(weight) // _ENOUGH), :: max(1, len(weight) // _ENOUGH)]
    painted, target, weight = painted[few], target[few], weight[few]
    total = float(weight.sum())
    level = _mean(target, weight, total)
    bare = method == "none" or total < _LEAST_WEIGHT
    if method in _SPACES:
        kind = _SPACES[method]
        if bare:
            return ColorMap(kind, np.asarray([[1, 1, 1], [0, 0, 0]], np.float32), level)
        skin = weight * tell_skin(painted, weight) * tell_skin(target, weight)
        enough = float(rise(skin.sum() / total, *_SHARE))
        weight = weight + enough * (skin - weight)
        return ColorMap(kind, _gain_and_offset(painted, target, weight, kind), level)
    if method == "histogram":
        curves = np.tile(LEVELS, (3, 1)) if bare else _histogram_curves(painted, target, weight)
        return ColorMap("curves", curves, level)
    if method == "sot":
        return ColorMap("cube", transport_cube(painted, target, weight * np.float32(not bare)), level)
    raise SettingsError(f"expected --color none, mean_std, mean_std_xyz, histogram, lab or sot, got {method!r}.")


class SteadyColor:
    """Color maps of one face over time, smoothed so that they do not flicker; see `Steady`."""

    def __init__(self) -> None:
        self._steady = Steady()

    def update(self, found: ColorMap, at: float) -> ColorMap:
        """Take in a frame's map, give back the smoothed one.

        Args:
            found: the map measured in this frame; all of one kind.
            at: the frame's time, s.
        """
        return replace(found, table=self._steady.update(found.table, at, found.level))

    def state(self) -> dict[str, Any] | None:
        """Give what `restore` goes on from, see `Steady.state`."""
        return self._steady.state()

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Go on from a `state`."""
        self._steady.restore(state)


def _to_space(image: Floats, kind: str) -> Floats:
    if kind == "rgb":
        return image
    return np.asarray(cv2.cvtColor(image * np.float32(1 / 255), _TO_SPACE[kind]), np.float32)


def _mean(image: Floats, weight: Floats, total: float) -> Floats:
    if total <= 0:
        return np.asarray(image.mean(axis=(0, 1)), dtype=np.float32)
    return np.asarray(weight.ravel() @ image.reshape(-1, 3) / total, dtype=np.float32)


def _gain_and_offset(painted: Floats, target: Floats, weight: Floats, kind: str) -> Floats:
    """Fit mean and deviation of each channel of a space; gives gains and offsets, float32 (2, 3)."""
    total, unit = float(weight.sum()), _UNITS[kind]
    mean, std = [], []
    for image in (painted, target):
        channels = _to_space(image, kind)
        mean.append(_mean(channels, weight, total))
        std.append(np.sqrt(_mean((channels - mean[-1]) ** 2, weight, total)))
    # Reinhard et al. (2001), eqs. 10 and 11; a level is added so that a flat face is not blown up.
    gain = np.clip((std[1] + unit) / (std[0] + unit), *_GAIN)
    return np.stack([gain, mean[1] - gain * mean[0]]).astype(np.float32)


def _histogram_curves(painted: Floats, target: Floats, weight: Floats) -> Floats:
    edges = np.linspace(0, 256, _BINS + 1)
    curves = []
    for channel in range(3):
        shares = []
        for image in (painted, target):
            places = (image[..., channel].ravel() * (_BINS / 256)).astype(np.intp).clip(0, _BINS - 1)
            counts = np.bincount(places, weights=weight.ravel(), minlength=_BINS)
            # A little of everything keeps the shares growing, hence the curve defined everywhere.
            counts = counts + counts.sum() * 1e-4 / _BINS
            shares.append(np.concatenate([[0], np.cumsum(counts)]) / counts.sum())
        curves.append(np.interp(np.interp(LEVELS, edges, shares[0]), shares[1], edges))
    # A level that few pixels have says little of where it belongs: uneven, steep curves speckle the face.
    margin = 3 * _EVEN
    padded = np.pad(np.asarray(curves, np.float32), ((0, 0), (margin, margin)), mode="reflect", reflect_type="odd")
    even = cv2.GaussianBlur(padded, (2 * margin + 1, 1), _EVEN)[:, margin:-margin]
    return np.asarray(np.clip(even, 0, 255), dtype=np.float32)
