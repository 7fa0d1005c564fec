"""What a converted video shows: the swap alone, or beside what it was made from."""

from __future__ import annotations

from typing import Literal

import numpy as np

from faceswap_gan.conversion.blending import Picture
from faceswap_gan.conversion.swapper import SwappedFrame, original
from faceswap_gan.errors import SettingsError

Layout = Literal["swap", "side-by-side", "triple"]

_PANES: dict[str, int] = {"swap": 1, "side-by-side": 2, "triple": 3}


def layout_size(layout: Layout, width: int, height: int) -> tuple[int, int]:
    """Size of a laid-out frame, (width, height) px, from that of the video.

    Raises:
        SettingsError: an unknown layout.
    """
    if layout not in _PANES:
        raise SettingsError(f"expected --output-layout {', '.join(_PANES)}, got {layout!r}.")
    return width * _PANES[layout], height


def lay_out(swapped: SwappedFrame, layout: Layout) -> Picture:
    """Set a frame's panes side by side.

    Args:
        swapped: frame, swap and mask.
        layout: ``swap``; ``side-by-side``: original, swap; ``triple``: original, swap, mask as grey.

    Returns:
        RGB (H, W * panes, 3), uint8 or uint16 as the swap is.
    """
    if layout == "swap":
        return swapped.image
    deep = swapped.image.dtype == np.uint16
    panes = [original(swapped.frame), swapped.image]
    if layout == "triple":
        mask = swapped.mask.astype(swapped.image.dtype) * (257 if deep else 1)
        panes.append(np.repeat(mask[..., None], 3, axis=2))
    return np.asarray(np.concatenate(panes, axis=1))
