"""What a converted video shows: the swap alone, or beside what it was made from."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.swapper import SwappedFrame
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


def lay_out(swapped: SwappedFrame, layout: Layout) -> npt.NDArray[np.uint8]:
    """Set a frame's panes side by side.

    Args:
        swapped: frame, swap and mask.
        layout: ``swap``; ``side-by-side``: original, swap; ``triple``: original, swap, mask as grey.

    Returns:
        RGB uint8 (H, W * panes, 3).
    """
    if layout == "swap":
        return swapped.image
    panes = [swapped.frame.image, swapped.image]
    if layout == "triple":
        panes.append(np.repeat(swapped.mask[..., None], 3, axis=2))
    return np.concatenate(panes, axis=1)
