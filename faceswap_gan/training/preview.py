"""Preview sheet: faces of both people, reconstructed and swapped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.images import to_float, to_uint8, write_image
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import split_head
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.networks import Networks, build_painter

_FACES = 8  # per person


class Previewer:
    """Draws the same faces each time.

    Args:
        people: the faces of both people.
        networks: the model's, `training.networks.build_networks`.
        folder: where the sheets go.
    """

    def __init__(self, people: Mapping[str, FaceSet], networks: Networks, folder: Path) -> None:
        self._painters = {side: build_painter(networks, side) for side in people}
        self._folder = folder
        self._crops = {
            side: faces.crops[np.linspace(0, len(faces.crops) - 1, _FACES).astype(int)]
            for side, faces in people.items()
        }

    def write(self, step: int) -> Path:
        """Write the sheet of a step as ``<step>.png`` and ``latest.png``.

        Rows, first for src's faces, then for dst's: the face, its reconstruction, its swap (the other person,
        painted over the face through the mask), the swap without the mask, the mask.

        Returns:
            The file of this step.
        """
        sheet = np.concatenate([row for side in SIDES for row in self._rows(side)])
        path = self._folder / f"{step:08d}.png"
        write_image(path, sheet)
        write_image(self._folder / "latest.png", sheet)
        return path

    def _rows(self, side: str) -> list[NDArray[np.uint8]]:
        other = SIDES[1 - SIDES.index(side)]
        crops = to_float(self._crops[side])
        own, swap = (
            split_head(np.asarray(self._painters[who].predict_on_batch(crops), np.float32)) for who in (side, other)
        )
        mask = np.repeat(swap.mask * 2.0 - 1.0, 3, axis=-1)
        return [np.hstack(list(to_uint8(row))) for row in (crops, own.rgb, swap.over(crops), swap.rgb, mask)]
