"""Sharpness and noise of a painted face made those of the frame around it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_SIGMAS = (0.8, 1.6, 3.2)  # px of the frame: noise is the camera's, not the face's
_GRAINY = 2  # bands to which noise is added: in a coarser one it would show as blotches
_INSIDE = 0.9
_BLOCK = 12  # px of a block's side
_LEAST = 12  # blocks to measure
_SMOOTH = 0.2  # the share of blocks that are smooth: what they hold is noise, not hair or edges
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
        float32 (3, 2, 2): for each band, fine to coarse, of frame and painted face: root mean square of its smooth
        blocks, which is noise, and of its busiest ones, which is structure; levels. All 1 where hardly a pixel is
        painted: nothing is to be matched.
    """
    inside = _blocks(alpha) > _INSIDE
    if np.count_nonzero(inside) < _LEAST:
        return np.ones((len(_SIGMAS), 2, 2), np.float32)
    found = []
    for bands in zip(_bands(below), _bands(painted), strict=True):
        sizes = [np.sqrt(_blocks(band * band)[inside]) for band in bands]
        found.append([np.quantile(size, (_SMOOTH, _STRUCTURE)) for size in sizes])
    return np.asarray(found, np.float32)


def _blocks(values: Floats) -> Floats:
    """Average over blocks of 12 x 12 px, or nearly so."""
    height, width = (max(1, side // _BLOCK) for side in values.shape)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)


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
    lacking = np.maximum(np.square(wanted[:, 0]) - np.square(gains * own[:, 0]), 0)
    strengths = _strengths(lacking[:_GRAINY])
    grain = _grain(painted.shape[0], painted.shape[1], frame, track)
    for band, gain in zip(_bands(painted), gains, strict=True):
        change += np.float32(gain - 1) * band
    for noise, strength in zip(grain, strengths, strict=True):
        change += np.float32(strength) * noise
    return change


def _strengths(power: Floats) -> Floats:
    """Find how much of each tile gives each band a power, as bands overlap; none is negative.

    References:
        Richardson, "Bayesian-based iterative method of image restoration", J. Opt. Soc. Am. 62 (1972), eq. 13.
    """
    overlap = _tiles()[1][: len(power), : len(power)]
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
        A tile of deviation 1 for each band that gets noise, float32 (1024, 1024), and what power each band (row)
        finds in each tile (column), float32 (3, 2).
    """
    rng = np.random.default_rng(0)
    tiles = []
    for number in range(_GRAINY):
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
