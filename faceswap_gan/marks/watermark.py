"""An imperceptible mark in painted pixels: it says "made with faceswap_gan" and nothing else.

A fixed pattern, periodic over tiles of the frame, is added to luma and to blue-difference chroma where something was
painted: a spread-spectrum mark (Cox et al., 1997) on tiles (Kalker et al., 1999). It does not depend on the picture,
so every frame of a video carries the same one and evidence adds up. `faceswap_gan.marks.detection` looks for it.

References:
    I. Cox, J. Kilian, F. Leighton, T. Shamoon: Secure Spread Spectrum Watermarking for Multimedia. IEEE Transactions
    on Image Processing 6 (12), 1997.
    T. Kalker, G. Depovere, J. Haitsma, M. Maes: A Video Watermarking System for Broadcast Monitoring. SPIE 3657,
    1999.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import MediaError

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

TILE = 128
"""Period of the pattern, px, across and down; it begins at the frame's upper left corner."""


@dataclass(frozen=True)
class Band:
    """Spatial frequencies that carry one channel's pattern.

    Attributes:
        key: what its random phases are drawn from.
        low: periods a px.
        high: periods a px.
    """

    key: bytes
    low: float
    high: float

    def holds(self, frequency: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Tell which frequencies, in periods a px, lie in the band."""
        return (frequency >= self.low) & (frequency <= self.high)


# Longer waves drown in the faces' own shading, shorter ones fall to video codecs. The eye sees fine colour less well
# than fine brightness.
LUMA = Band(b"faceswap_gan watermark 1: luma", 1 / 28, 1 / 10.5)
CHROMA = Band(b"faceswap_gan watermark 1: blue difference", 1 / 30, 1 / 11.5)

_PLAIN, _BUSY, _MOST = 1.2, 0.2, 3.5
"""Luma levels of 255 in smooth skin; added for each level of local activity; and at most. RMS over a tile."""

_COLOUR = 1.0
"""Levels of 255 of blue difference, RMS."""

_BLUE, _GREEN = 1.772, -0.344136
"""What one level of blue difference is in blue and green, BT.601."""

_AROUND = (9, 9)  # px, over which activity is taken


def embed(image: Pixels, mask: npt.NDArray[np.uint8]) -> Pixels:
    """Mark a painted picture. The same picture and mask always give the same result.

    Args:
        image: whole frame, upright, RGB uint8 or uint16 (H, W, 3), full range.
        mask: where it was painted, uint8 (H, W); the mark fades with it.

    Returns:
        The marked frame, of the same type; equal to ``image`` wherever ``mask`` is 0.

    Raises:
        MediaError: a picture of another type, or a mask of another size.
    """
    if image.dtype not in (np.uint8, np.uint16) or image.ndim != 3 or image.shape[2] != 3:
        raise MediaError(f"expected a uint8 or uint16 (H, W, 3) picture, got {image.dtype} {image.shape}.")
    if mask.dtype != np.uint8 or mask.shape != image.shape[:2]:
        raise MediaError(f"expected a uint8 mask of {image.shape[:2]}, got {mask.dtype} {mask.shape}.")
    x, y, width, height = cv2.boundingRect(mask)
    marked = image.copy()
    if not width:
        return marked
    place = np.s_[y : y + height, x : x + width]
    part, cover = image[place], cv2.LUT(mask[place], _FADE)
    luma = cv2.multiply(cover, cv2.LUT(_activity(part), _STRENGTH))
    luma = cv2.multiply(luma, _cut(LUMA, x, y, width, height))
    colour = cv2.multiply(cover, _cut(CHROMA, x, y, width, height))
    change = cv2.merge(
        [luma, cv2.scaleAdd(colour, _COLOUR * _GREEN, luma), cv2.scaleAdd(colour, _COLOUR * _BLUE, luma)]
    )
    if image.dtype == np.uint8:
        marked[place] = cv2.add(part, change, dtype=cv2.CV_8U)  # rounds, and stops at 0 and 255
    else:
        marked[place] = cv2.scaleAdd(change, 257.0, part.astype(np.float32)).clip(0, 65535).round().astype(np.uint16)
    return marked


def _activity(part: Pixels) -> npt.NDArray[np.uint8]:
    """Mean distance of luma to its surroundings, levels of 255: where it is large, the eye sees less."""
    luma = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if luma.dtype == np.uint16:
        luma = (luma >> 8).astype(np.uint8)
    return np.asarray(cv2.blur(cv2.absdiff(luma, cv2.blur(luma, _AROUND)), _AROUND), np.uint8)


@lru_cache(maxsize=2)
def make_tile(band: Band) -> Floats:
    """Draw a channel's pattern: all frequencies of its band alike, phases at random, the same on every machine.

    Returns:
        Float32 (TILE, TILE), mean 0, RMS 1; shared, not to be changed.
    """
    # A hash, not a random generator: its numbers are the same for ever.
    bits = np.frombuffer(hashlib.shake_256(band.key).digest(TILE * TILE // 8), np.uint8)
    spectrum = np.fft.fft2(np.unpackbits(bits).reshape(TILE, TILE) - 0.5)
    inside = band.holds(np.hypot(*np.meshgrid(np.fft.fftfreq(TILE), np.fft.fftfreq(TILE))))
    tile = np.fft.ifft2(np.where(inside, spectrum / np.maximum(np.abs(spectrum), 1e-9), 0)).real
    unit: Floats = np.asarray(tile / tile.std(), np.float32)
    unit.setflags(write=False)
    return unit


@lru_cache(maxsize=64)
def _repeated(band: Band, down: int, across: int) -> Floats:
    return np.tile(make_tile(band), (down, across))


def _cut(band: Band, x: int, y: int, width: int, height: int) -> Floats:
    """Cut the endless pattern where the painted part lies."""
    left, top = x % TILE, y % TILE
    whole = _repeated(band, -(-(top + height) // TILE), -(-(left + width) // TILE))
    return np.asarray(whole[top : top + height, left : left + width])


_LEVELS = np.arange(256, dtype=np.float32)
_FADE = _LEVELS / np.float32(255)
_STRENGTH = np.minimum(np.float32(_PLAIN) + np.float32(_BUSY) * _LEVELS, np.float32(_MOST))
