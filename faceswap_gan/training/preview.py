"""Preview sheet: faces of both people, reconstructed and swapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.images import read_image, to_float, to_uint8, write_image
from faceswap_gan.media.video import Frame, VideoWriter, read_info
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import split_head
from faceswap_gan.training.face_set import FaceSet

FIXED, DRAWN = 8, 4
"""Faces per person that are the same on each sheet, and that are drawn anew for it."""

_RATE = 10  # sheets a second of the time-lapse
_LONGEST = 300  # sheets


class Previewer:
    """Draws sheets of faces.

    Args:
        people: the faces of both people.
        painters: paint crops as each person, `training.networks.build_painter`.
        folder: where the sheets go.
    """

    def __init__(self, people: Mapping[str, FaceSet], painters: Mapping[str, keras.Model], folder: Path) -> None:
        self._painters = painters
        self._folder = folder
        self._crops = {side: faces.crops for side, faces in people.items()}

    def write(self, step: int) -> Path:
        """Write the sheet of a step as ``<step>.png`` and ``latest.png``.

        Rows, first for src's faces, then for dst's: the face, its reconstruction, its swap (the other person,
        painted over the face through the mask), the swap without the mask, the mask. Columns: 8 faces that are
        always the same, evenly over the folder, then 4 that are drawn for this step.

        Returns:
            The file of this step.

        Raises:
            MediaError: the disk does not take it.
        """
        sheet = np.concatenate([row for side in SIDES for row in self._rows(side, step)])
        path = self._folder / f"{step:08d}.png"
        write_image(path, sheet)
        write_image(self._folder / "latest.png", sheet)
        return path

    def cut(self, step: int) -> None:
        """Delete the sheets of later steps: training has gone back, or begins anew."""
        for path in self._sheets():
            if int(path.stem) > step:
                path.unlink()

    def write_time_lapse(self) -> Path:
        """Write the fixed faces of all sheets, those of earlier runs included, as ``time_lapse.mp4``.

        Ten sheets a second, at most 300 of them, evenly chosen; sheets of another size than the newest are left out.

        Raises:
            MediaError: the disk does not take it, or a sheet is damaged.
        """
        path, sheets = self._folder / "time_lapse.mp4", self._sheets()
        chosen = np.linspace(0, len(sheets) - 1, min(len(sheets), _LONGEST)).astype(int)
        rate = Fraction(_RATE)
        like = replace(read_info(sheets[-1]), frame_rate=rate, time_base=1 / rate)
        height, width = self._fixed(sheets[-1]).shape[:2]
        with VideoWriter(path, like=like, size=(width, height)) as writer:
            for index, number in enumerate(chosen):
                picture = self._fixed(sheets[number])
                if picture.shape[:2] == (height, width):
                    writer.write(Frame(index, index, like.time_base, picture, duration=1))
        return path

    def _sheets(self) -> list[Path]:
        sheets = [path for path in self._folder.glob("[0-9]*.png") if path.stem.isdigit()]
        return sorted(sheets, key=lambda path: int(path.stem))

    def _fixed(self, sheet: Path) -> NDArray[np.uint8]:
        image = read_image(sheet)
        return image[:, : image.shape[1] * FIXED // (FIXED + DRAWN)]

    def _rows(self, side: str, step: int) -> list[NDArray[np.uint8]]:
        other, total = SIDES[1 - SIDES.index(side)], len(self._crops[side])
        drawn = np.random.default_rng([step, SIDES.index(side)]).integers(0, total, DRAWN)
        chosen = np.concatenate([np.linspace(0, total - 1, FIXED).astype(int), drawn])
        crops = to_float(self._crops[side][chosen])
        own, swap = (
            split_head(np.asarray(self._painters[who].predict_on_batch(crops), np.float32)) for who in (side, other)
        )
        mask = np.repeat(swap.mask * 2.0 - 1.0, 3, axis=-1)
        return [np.hstack(list(to_uint8(row))) for row in (crops, own.rgb, swap.over(crops), swap.rgb, mask)]
