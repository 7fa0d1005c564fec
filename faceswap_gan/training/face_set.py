"""One person's faces, read from a face folder and kept decoded."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.folder import FaceCrop, FaceFolder, mask_file, mask_folder
from faceswap_gan.faces.parts import face_mask, mouth_mask
from faceswap_gan.media.images import read_mask, resize
from faceswap_gan.training.augment import OVERSAMPLING
from faceswap_gan.training.store import allocate

Bytes = NDArray[np.uint8]

_ASKED = 16  # pictures that tell how large a folder's are
FEWEST = 16
"""Faces of a person without which training is refused."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceSet:
    """One person's faces, decoded and shrunk to what training needs of them."""

    faces: Bytes
    """RGB (N, R, R, 3), R up to twice the network's size."""
    masks: Bytes
    """Eyes, mouth and face of each, (N, R, R, 3), 255 = full weight."""
    crops: Bytes
    """The faces as conversion gives them to the network, RGB (N, S, S, 3)."""
    crop_masks: Bytes
    """The masks at that size, (N, S, S, 3)."""
    landmarks: NDArray[np.float32] | None = None
    """The five points of each, (N, 5, 2) px of its crop, NaN where unknown; None: all unknown."""
    files: tuple[str, ...] = ()
    """Names of the pictures, where they come from a folder."""
    drawn: NDArray[np.bool_] | None = None
    """Which are drawn as single faces, (N,); None: all."""


def read_faces(folder: Path, *, size: int) -> FaceSet:
    """Read a face folder and its eye masks, into memory or a mapped file.

    A face whose landmarks are unknown, as in a plain folder of pictures, is taken to be aligned to the template.
    Beside what is kept, reading takes the memory of a few pictures.

    Args:
        folder: the face folder.
        size: side of the network's crops, px.

    Raises:
        FaceFolderError: there are fewer than 16 faces.
        MediaError: neither memory nor disk has room for the faces.
    """
    source = FaceFolder(folder)
    total = len(source)
    if total < FEWEST:
        raise FaceFolderError(
            f"expected at least {FEWEST} faces in {folder}, got {total}; "
            "extract with a smaller --every or from a longer video."
        )
    some = np.unique(np.linspace(0, total - 1, _ASKED).astype(int))
    side = min(max(len(source.read(int(index)).image) for index in some), OVERSAMPLING * size)
    faces, masks, *small = allocate(
        [(total, each, each, 3) for each in (side, side, size, size)[: 2 if side == size else 4]], name=str(folder)
    )
    crops, crop_masks = small or (faces, masks)
    landmarks = np.full((total, 5, 2), np.nan, np.float32)

    def read(index: int) -> bool:
        crop = source.read(index, size=side)
        file = mask_file(source.files[index])
        faces[index] = crop.image
        masks[index] = _masks(crop, resize(read_mask(file), side) if file.is_file() else None)
        if small:
            crops[index] = resize(crop.image, size)
            crop_masks[index] = cv2.resize(masks[index], (size, size), interpolation=cv2.INTER_AREA)
        if crop.landmarks is not None:
            landmarks[index] = (crop.landmarks + 0.5) * (size / side) - 0.5
        return file.is_file()

    with ThreadPoolExecutor(thread_name_prefix="faces") as pool:
        known = list(pool.map(read, range(total)))
    if not all(known):
        log.warning(
            "%d of %d faces in %s have no eye mask in %s: their eyes weigh no more than the rest; "
            "`faceswap-gan masks --faces %s` writes them",
            known.count(False), total, folder, mask_folder(folder), folder,
        )  # fmt: skip
    names = tuple(file.name for file in source.files)
    return FaceSet(faces, masks, crops, crop_masks, None if np.isnan(landmarks).all() else landmarks, names)


def _masks(crop: FaceCrop, eyes: Bytes | None) -> Bytes:
    """Stack the masks of eyes, mouth and face, uint8 (R, R, 3)."""
    side = len(crop.image)
    points = template(side) if crop.landmarks is None else crop.landmarks
    empty = np.zeros((side, side), np.uint8)
    return np.dstack([empty if eyes is None else eyes, mouth_mask(points, side), face_mask(points, side)])
