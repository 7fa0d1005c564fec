"""A visible label in a corner of a picture, legible on any ground."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.marks.watermark import Pixels

Corner = Literal["bottom-left", "bottom-right", "top-left", "top-right"]
Mask = npt.NDArray[np.uint8]

_CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right")
_HEIGHT = 1 / 22  # of capital letters, in parts of the frame's shorter side
_WIDEST = 0.9  # of the frame's width
_LEAST = 8  # px: smaller letters are not read
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GROUND = 160  # of 255: how much of the picture under the letters is darkened away


@dataclass(frozen=True)
class Labelled:
    """A picture with a label.

    Attributes:
        image: RGB, of the type and shape of the picture.
        touched: where it differs from the picture, uint8 (H, W), 255 = label.
    """

    image: Pixels
    touched: Mask


def burn(image: Pixels, text: str, *, corner: Corner = "bottom-left") -> Labelled:
    """Write white letters on a darkened ground into a corner.

    Args:
        image: RGB uint8 or uint16 (H, W, 3), full range; not changed.
        text: printable ASCII.
        corner: where.

    Raises:
        SettingsError: no text, letters that cannot be drawn, or another corner.
    """
    check_label(text)
    if corner not in _CORNERS:
        raise SettingsError(f"expected a label in a corner ({', '.join(_CORNERS)}), got {corner!r}.")
    stamp = _stamp(text, image.shape[1], image.shape[0])
    height, width = stamp.shape
    top = 0 if corner.startswith("top") else image.shape[0] - height
    left = 0 if corner.endswith("left") else image.shape[1] - width
    place = np.s_[top : top + height, left : left + width]
    burnt = image.copy()
    white = int(np.iinfo(image.dtype).max)
    # Integers alone: the same on every machine.
    under = image[place].astype(np.uint32) * (255 - _GROUND) // 255
    letters = stamp[..., None].astype(np.uint32)
    burnt[place] = ((under * (255 - letters) + white * letters) // 255).astype(image.dtype)
    touched = np.zeros(image.shape[:2], np.uint8)
    touched[place] = 255
    return Labelled(burnt, touched)


def check_label(text: str) -> None:
    """Refuse a label that cannot be drawn.

    Raises:
        SettingsError: no text, or letters other than printable ASCII.
    """
    if not text.strip() or not (text.isascii() and text.isprintable()):
        raise SettingsError(
            f'expected a --label of plain letters such as "AI-generated", got {text!r}; write it without accents.'
        )


@lru_cache(maxsize=8)
def _stamp(text: str, width: int, height: int) -> Mask:
    """Draw the letters with room around them, as large as the frame wants and its width lets them: uint8 (h, w)."""
    tall = max(_LEAST, round(min(width, height) * _HEIGHT))
    scale = cv2.getFontScaleFromHeight(_FONT, tall, 1)
    thick = max(1, round(tall / 9))
    (wide, _), _ = cv2.getTextSize(text, _FONT, scale, thick)
    if wide + 2 * tall > width * _WIDEST:
        scale *= max(1, width * _WIDEST - tall) / (wide + tall)
    (wide, tall), below = cv2.getTextSize(text, _FONT, scale, thick)
    room = max(2, tall // 2)
    stamp = np.zeros((tall + below + 2 * room, wide + 2 * room), np.uint8)
    cv2.putText(stamp, text, (room, room + tall), _FONT, scale, 255, thick, cv2.LINE_AA)
    return np.asarray(stamp[:height, :width])
