"""Blurred faces and near-duplicates are not drawn, and a list says which."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.quality import measure_sharpness
from faceswap_gan.media.images import write_whole
from faceswap_gan.training.face_set import FEWEST, FaceSet

Bytes = NDArray[np.uint8]

# A line of motion of 9 px on a crop of 256 px halves the sharpness. In the five real and drawn clips that this was
# tried on, no face had less than 0.63 of its clip's median.
_BLURRED = 0.5  # of the person's median sharpness
_SAME_SIDE = 16  # px at which faces are compared
_SAME = 2  # grey levels: what noise and compression change there; neighbours in a clip differ by 13 to 26 (medians)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """Which of a person's N faces are not drawn, and why."""

    blurred: NDArray[np.bool_]
    """Whether each is blurred, (N,)."""
    same_as: NDArray[np.int64]
    """The earlier sharp face that each nearly equals, (N,); -1: none."""

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Whether each is drawn, (N,)."""
        return ~self.blurred & (self.same_as < 0)


def clean(people: Mapping[str, FaceSet], report: Path) -> dict[str, FaceSet]:
    """Leave blurred faces and near-duplicates out of what is drawn as single faces; pairs of frames keep them.

    Args:
        people: the faces of both people.
        report: CSV file that lists what is left out: side, file, reason, and the file that it is a duplicate of.

    Returns:
        The same faces with `FaceSet.drawn`.

    Raises:
        FaceFolderError: fewer than 16 faces of a person are left.
        MediaError: the report cannot be written.
    """
    cleaned, rows = {}, []
    for side, person in people.items():
        found = find_left_out(person.faces)
        copies, left = int((found.same_as >= 0).sum()), int(found.drawn.sum())
        log.info(
            "%s: of %d faces %d are blurred and %d nearly equal an earlier one; these are not drawn, %s lists them",
            side, len(person.faces), found.blurred.sum(), copies, report,
        )  # fmt: skip
        if left < FEWEST:
            raise FaceFolderError(
                f"expected at least {FEWEST} faces of {side} that are sharp and differ, got {left} of "
                f"{len(person.faces)}; train without --clean or extract from a longer video."
            )
        cleaned[side] = replace(person, drawn=found.drawn)
        rows += _rows(side, person, found)
    _write(report, rows)
    return cleaned


def find_left_out(faces: Bytes) -> LeftOut:
    """Find the blurred faces and, of the sharp ones, those that nearly equal an earlier one.

    A face is blurred where the Laplacian of its middle, over its contrast, deviates by less than half of the
    person's median. It nearly equals another where no pixel of the two differs by more than 2 grey levels at
    16 x 16 px: a video that shows a picture twice, a still.

    Args:
        faces: a person's, RGB uint8 (N, R, R, 3), R at least 16.

    References:
        Pech-Pacheco et al. (2000), Diatom autofocusing in brightfield microscopy (variance of the Laplacian).
    """
    sharpness, small = np.empty(len(faces)), np.empty((len(faces), _SAME_SIDE, _SAME_SIDE), np.uint8)
    for index, face in enumerate(faces):  # one by one: in a mapped file there may be more than memory holds
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        sharpness[index] = measure_sharpness(grey)
        small[index] = cv2.resize(grey, (_SAME_SIDE, _SAME_SIDE), interpolation=cv2.INTER_AREA)
    blurred = sharpness < _BLURRED * np.median(sharpness)
    return LeftOut(blurred, _same_as(small.reshape(len(faces), -1).astype(np.int16), ~blurred))


def _same_as(points: NDArray[np.int16], sharp: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Compare each row (N, P) with the sharp ones before it that are no duplicates themselves."""
    same = np.full(len(points), -1)
    kept = np.empty_like(points)
    numbers = np.empty(len(points), int)
    count = 0
    for index in np.flatnonzero(sharp):
        near = np.abs(kept[:count] - points[index]).max(axis=1, initial=0) <= _SAME
        if near.any():
            same[index] = numbers[np.argmax(near)]
        else:
            kept[count], numbers[count] = points[index], index
            count += 1
    return same


def _rows(side: str, person: FaceSet, found: LeftOut) -> list[tuple[str, str, str, str]]:
    names = person.files or tuple(map(str, range(len(person.faces))))
    rows = [(side, names[index], "blurred", "") for index in np.flatnonzero(found.blurred)]
    copies = np.flatnonzero(found.same_as >= 0)
    return rows + [(side, names[index], "near-duplicate", names[found.same_as[index]]) for index in copies]


def _write(report: Path, rows: list[tuple[str, str, str, str]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("side", "file", "reason", "duplicate_of"))
    table.writerows(rows)
    write_whole(report, text.getvalue().encode())
