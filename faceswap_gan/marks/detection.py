"""Looking for the watermark: evidence summed over frames, then compared with the pattern place by place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.marks.watermark import CHROMA, LUMA, TILE, Band, Floats, make_tile

Waves = npt.NDArray[np.complex64]

MAX_CHANCE = 1e-6
"""A file counts as marked when chance alone would score as high at most this often."""

COMMON_SCALES = (1.0, 3 / 4, 1 / 2, 2 / 3, 4 / 5, 4 / 3, 3 / 2, 2.0)
"""Sizes, as parts of the marked frame's, that are looked at first."""

_FINE_SCALES = tuple(float(scale) for scale in np.geomspace(0.5, 1.5, 56))
"""2 % apart: at a window's rim 1 % is a sixth of the shortest wave."""

_PERIOD = TILE // 2  # The mark's waves are long: pictures of half the size hold them, for a quarter of the work
_BLOCK = 32  # px of such a picture
_WINDOWS = (2, 4)  # blocks a side: a small face is lost in a large window, a large one not whole in a small one
_SLACK = 1  # px of such a picture
_DETAIL = (15, 15)  # px: what varies more slowly is shading
_SPREAD = (17, 17)
_QUIET, _LOUD = 0.5, 2.0
_FLAT = 1e-3
"""Below this a frequency holds rounding alone."""


@dataclass(frozen=True)
class Evidence:
    """How much of the watermark was found.

    Attributes:
        deviations: height of the best match, in standard deviations of what chance gives.
        chance: probability that a file without mark scores as high anywhere it was looked for.
        scale: size of the pictures, as part of the size they were marked at.
        frames: how many pictures were looked at.
    """

    deviations: float
    chance: float
    scale: float
    frames: int

    @property
    def found(self) -> bool:
        """True when chance is out of the question."""
        return self.chance <= MAX_CHANCE


class Collector:
    """Adds up what pictures of one size hold in the mark's channels."""

    def __init__(self) -> None:
        self._sum: list[Floats] = []
        self.frames = 0

    def add(self, image: npt.NDArray[np.uint8]) -> None:
        """Add one picture, RGB uint8 (H, W, 3), of the same size as those before."""
        channels = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
        details = [_detail(channels[..., index]) for index in (0, 2)]
        self._sum = [old + new for old, new in zip(self._sum, details, strict=True)] if self._sum else details
        self.frames += 1

    def judge(self, *, quick: bool = False, tries: int = 1, at: float | None = None) -> Evidence:
        """Look for the pattern: at common sizes where it was painted, then shifted (cropped), then at sizes between.

        Args:
            quick: leave the second and third search out.
            tries: in how many judgements of one file chance may strike.
            at: the only size to look at, where it is known.
        """
        best = Evidence(-math.inf, 1.0, 1.0, self.frames)
        searches: tuple[tuple[Sequence[float], bool], ...] = (
            (COMMON_SCALES, False),
            (COMMON_SCALES, True),
            (_FINE_SCALES, True),
        )
        if at is not None:
            searches = (((at,), False), ((at,), True))
        for scales, shifted in searches[: 1 if quick else None] if self.frames else ():
            for scale in scales:
                deviations, places = _match(self._sum, scale, shifted=shifted)
                # Each search has its part of what chance is allowed, each size its share of that (Bonferroni).
                chance = min(1.0, tries * len(searches) * len(scales) * places * _tail(deviations))
                if chance < best.chance or best.deviations == -math.inf:
                    best = Evidence(deviations, chance, scale, self.frames)
                if best.found:
                    return best
        return best


def _detail(channel: npt.NDArray[np.uint8]) -> Floats:
    """Fine detail in units of its own spread, so that a hard edge says no more than a soft one."""
    values = channel.astype(np.float32)
    detail = values - cv2.blur(values, _DETAIL)
    spread = np.sqrt(np.maximum(cv2.blur(detail * detail, _SPREAD), 0))  # the running sum may round below 0
    return np.asarray((detail / (spread + np.float32(_QUIET))).clip(-_LOUD, _LOUD), np.float32)


def _tail(deviations: float) -> float:
    """Probability that a standard normal number is larger."""
    return 0.5 * math.erfc(deviations / math.sqrt(2))


def _match(channels: list[Floats], scale: float, *, shifted: bool) -> tuple[float, int]:
    """Find the best match among the windows of a picture: its height, and among how many places it was looked for."""
    best, places = -math.inf, 0
    size = [max(1, round(side * _PERIOD / TILE / scale)) for side in channels[0].shape[1::-1]]
    blocks = [_transform(cv2.resize(each, size, interpolation=cv2.INTER_AREA)) for each in channels]
    for count in _WINDOWS:
        heights = _correlate([_add_up(each, count) for each in blocks], shifted=shifted)
        best, places = max(best, float(heights.max())), places + heights.size
    return best, places


def _transform(channel: Floats) -> Waves:
    """Take the frequencies that the mark may use from each block of a picture.

    All are frequencies of a tile, with phases counted from the picture's corner, so the waves of blocks add up to
    those of any window made of them.

    Returns:
        Complex64 (rows, columns, down, across): blocks, and the frequencies of `_frequencies`.
    """
    height, width = channel.shape
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    filled = np.zeros((rows * _BLOCK, columns * _BLOCK), np.float32)
    filled[:height, :width] = channel
    down, across = _frequencies()
    strips = _turn(down, np.arange(len(filled))).reshape(-1, rows, _BLOCK).transpose(1, 0, 2)
    half = _times_real(strips, filled.reshape(rows, _BLOCK, -1))
    half = half.reshape(rows, len(down), columns, _BLOCK).transpose(0, 2, 1, 3)
    waves = _turn(across, np.arange(filled.shape[1])).reshape(-1, columns, _BLOCK).transpose(1, 2, 0)
    return np.asarray(half @ waves, np.complex64)


def _times_real(waves: Waves, values: Floats) -> Waves:
    """Multiply matrices, the second real: half the work of two complex ones."""
    both = np.concatenate([waves.real, waves.imag], axis=1) @ values
    return np.asarray(both[:, : waves.shape[1]] + 1j * both[:, waves.shape[1] :], np.complex64)


def _add_up(blocks: Waves, count: int) -> Waves:
    """Add the waves of neighbouring blocks to those of windows of ``count`` by ``count``: (windows, down, across)."""
    for axis in (0, 1):
        windows = max(1, blocks.shape[axis] - count + 1)
        parts = [np.take(blocks, range(i, min(i + windows, blocks.shape[axis])), axis) for i in range(count)]
        blocks = sum((part for part in parts[1:] if part.shape == parts[0].shape), parts[0])
    return blocks.reshape(-1, *blocks.shape[2:])


def _correlate(channels: list[Waves], *, shifted: bool) -> Floats:
    """Compare windows with the pattern by the phases of their waves alone.

    The pattern's phases were drawn at random. Without a mark each term is therefore the cosine of a random angle, and
    their sum, in units of its spread, is a standard normal number (a little less in the tails).

    Returns:
        Float32 (windows, shifts): the match in standard deviations, for shifts over the whole tile or, not
        ``shifted``, for those of a pixel at most.

    References:
        T. Kalker, A. Janssen: Analysis of Watermark Detection Using SPOMF. ICIP 1999 (symmetrical phase-only matched
        filtering).
    """
    matched: Waves = np.zeros_like(channels[0])
    terms = np.zeros(len(matched))
    for waves, band in zip(channels, (LUMA, CHROMA), strict=True):
        strength, pattern = np.abs(waves), _pattern(band)
        used = (strength > _FLAT) * np.abs(pattern)
        matched += (used / np.maximum(strength, _FLAT)).astype(np.float32) * waves * pattern.conj()
        terms += used.sum(axis=(1, 2))
    shifts = np.arange(_PERIOD) if shifted else np.arange(-_SLACK, _SLACK + 1)
    down, across = (_turn(each, -shifts) for each in _frequencies())
    heights = np.real(down.T @ matched @ across) / np.sqrt(np.maximum(terms, 1.0) / 2)[:, None, None]
    return np.asarray(heights.reshape(len(heights), -1), np.float32)


@lru_cache(maxsize=1)
def _frequencies() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The frequencies of a tile that either band may use, down and across; their negatives say the same again."""
    most = math.floor(max(LUMA.high, CHROMA.high) * TILE)
    return np.arange(-most, most + 1), np.arange(most + 1)


@lru_cache(maxsize=2)
def _pattern(band: Band) -> Waves:
    """The pattern's waves, complex64 (down, across), of length 1 in the band and 0 outside."""
    down, across = _frequencies()
    halved = make_tile(band).reshape(_PERIOD, 2, _PERIOD, 2).mean(axis=(1, 3))
    spectrum = np.fft.fft2(halved)[np.ix_(down, across)]
    inside = band.holds(np.hypot(down[:, None], across) / TILE)
    inside[: len(down) // 2, 0] = False  # the negatives of those below
    return np.where(inside, spectrum / np.maximum(np.abs(spectrum), 1e-9), 0).astype(np.complex64)


def _turn(frequencies: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> Waves:
    """Fourier's kernel: complex64 (frequencies, places)."""
    # The product is reduced first: single precision knows few turns.
    angle = np.outer(frequencies, at) % _PERIOD * (-2 * math.pi / _PERIOD)
    return np.asarray(np.exp(1j * angle), np.complex64)
