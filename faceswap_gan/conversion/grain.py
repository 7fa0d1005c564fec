"""Sharpness and noise of a painted face made those of the frame around it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_SIGMAS = (0.8, 1.6, 3.2)  # px of the frame: noise is the camera's, not the face's
_INSIDE = 0.9
_STEP = 3  # one pixel of so many along each side is measured
_LEAST = 64  # pixels to measure
_SMOOTH, _TO_DEVIATION = 0.3, 2.5952  # the share of smallest amplitudes that is noise; deviation per its quantile
_STRUCTURE = 0.97
_GAIN = (0.5, 1.6)  # more would show the network's own pattern
_TILE = 1024
_ROUNDS = 30


def measure_bands(below: Floats, painted: Floats, alpha: Floats) -> Floats:
    """Measure noise and structure of two faces, band by band.

    Args:
        below: luma of the frame, float32 (h, w).
        painted: luma of what is painted over it, float32 (h, w).
        alpha: how much of it shows, float32 (h, w).

    Returns:
        float32 (3, 2, 2): for each band, fine to coarse, of frame and painted face: standard deviation of its noise
        and amplitude of its structure, levels. All 1 where hardly a pixel is painted: nothing is to be matched.
    """
    few = np.s_[::_STEP, ::_STEP]
    inside = alpha[few] > _INSIDE
    if np.count_nonzero(inside) < _LEAST:
        return np.ones((len(_SIGMAS), 2, 2), np.float32)
    found = []
    for bands in zip(_bands(below), _bands(painted), strict=True):
        sizes = [np.abs(band[few][inside]) for band in bands]
        pairs = [np.quantile(size, (_SMOOTH, _STRUCTURE)) for size in sizes]
        found.append([(low * _TO_DEVIATION, high) for low, high in pairs])
    return np.asarray(found, np.float32)


def match_grain(painted: Floats, measured: Floats, *, frame: int, track: int) -> Floats:
    """Give a painted face the frame's sharpness, then what noise it still lacks, band by band.

    Args:
        painted: its luma, float32 (h, w).
        measured: of it and the frame, see `measure_bands`.
        frame: the frame's number; with ``track`` it says which noise is drawn.
        track: the person's.

    Returns:
        What is to be added to every channel, float32 (h, w) levels.
    """
    change = np.zeros_like(painted)
    wanted, own = measured[:, 0], measured[:, 1]
    gains = np.clip((wanted[:, 1] + 1e-3) / (own[:, 1] + 1e-3), *_GAIN)
    strengths = _strengths(np.maximum(np.square(wanted[:, 0]) - np.square(gains * own[:, 0]), 0))
    grain = _grain(painted.shape[0], painted.shape[1], frame, track)
    for band, noise, gain, strength in zip(_bands(painted), grain, gains, strengths, strict=True):
        change += np.float32(gain - 1) * band + np.float32(strength) * noise
    return change


def _strengths(power: Floats) -> Floats:
    """Find how much of each tile gives each band a power, as bands overlap; none is negative.

    References:
        Richardson, "Bayesian-based iterative method of image restoration", J. Opt. Soc. Am. 62 (1972), eq. 13.
    """
    overlap = _tiles()[1]
    found = power.copy()
    for _ in range(_ROUNDS):
        found = found * (overlap.T @ (power / (overlap @ found + 1e-9))) / overlap.sum(axis=0)
    return np.sqrt(found)


def _bands(image: Floats) -> list[Floats]:
    """Take a picture apart into octaves, finest first, without the rest."""
    bands = []
    for sigma in _SIGMAS:
        smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
        bands.append(image - smooth)
        image = smooth
    return bands


@lru_cache(maxsize=1)
def _tiles() -> tuple[list[Floats], Floats]:
    """Draw noise once, for drawing it anew would cost more than all else.

    Returns:
        A tile of deviation 1 for each band, float32 (1024, 1024), and what power each band (row) finds in each
        tile (column), float32 (3, 3).
    """
    rng = np.random.default_rng(0)
    tiles = []
    for number in range(len(_SIGMAS)):
        band = _bands(rng.standard_normal((_TILE, _TILE), dtype=np.float32))[number]
        tiles.append(band / band.std())
    overlap = [[float(np.square(band).mean()) for band in _bands(tile)] for tile in tiles]
    return tiles, np.asarray(overlap, np.float32).T


def _grain(height: int, width: int, frame: int, track: int) -> list[Floats]:
    """Cut a frame's own piece out of the noise, the same piece whenever it is asked for."""
    rng = np.random.default_rng((frame, track + 1))
    starts = [int(rng.integers(0, max(1, _TILE - side))) for side in (height, width)]
    rows, columns = (np.arange(start, start + side) for start, side in zip(starts, (height, width), strict=True))
    if height <= _TILE and width <= _TILE:
        place = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return [tile[place] for tile in _tiles()[0]]
    return [tile[np.ix_(rows % _TILE, columns % _TILE)] for tile in _tiles()[0]]
