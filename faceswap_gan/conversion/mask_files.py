"""What was painted, as pictures for a compositor."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from faceswap_gan.media.exr import encode_exr
from faceswap_gan.media.images import encode_image, write_whole

MaskFormat = Literal["png", "exr"]


def write_mask_file(folder: Path, index: int, mask: npt.NDArray[np.uint8], kind: MaskFormat) -> None:
    """Write the mask of one frame as ``000123.png`` or ``000123.exr``; a picture of that name is replaced.

    Args:
        folder: where to; made if it is not there.
        index: number of the frame in the footage.
        mask: how much of each pixel is painted, uint8 (H, W).
        kind: 8-bit grey PNG, or OpenEXR with half floats from 0 to 1.

    Raises:
        MediaError: the disk does not take it.
    """
    data = encode_image(mask, ".png") if kind == "png" else encode_exr(mask / np.float32(255))
    write_whole(folder / f"{index:06d}.{kind}", data)
