"""Faces of one person with parts of the other: what the parts experiment trains on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.neighbours import expression, mean_features, nearest
from faceswap_gan.conversion.parts import Part, union_mask
from faceswap_gan.conversion.transplant import transplant
from faceswap_gan.errors import NoFaceError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.folder import FaceCrop, FaceFolder, mask_file
from faceswap_gan.faces.landmarks import Landmarks, TrustedLandmarks
from faceswap_gan.media.images import read_mask, resize
from faceswap_gan.nn.fast import SIDES

Side = Literal["src", "dst"]
Match = Literal["features", "blendshapes"]


@dataclass(frozen=True)
class Known:
    """A face of a folder, its picture left on disk.

    Attributes:
        index: its place in the folder's ``files``.
        size: side of its crop, px.
        face: box and five points in crop px.
        landmarks: in crop px.
        look: describes it to `nearest`, float32 (D,).
    """

    index: int
    size: int
    face: Face
    landmarks: Landmarks
    look: npt.NDArray[np.float32]


@dataclass(frozen=True)
class SewnFace:
    """A face with parts of another person.

    Attributes:
        crop: ready for `FaceWriter`; its ``frame`` is the src face's place in its folder.
        eyes: soft mask of the eyes, uint8 (S, S).
        changed: how much of each pixel is sewn in, uint8 (S, S); all 0 when a part lies outside of the picture.
    """

    crop: FaceCrop
    eyes: npt.NDArray[np.uint8]
    changed: npt.NDArray[np.uint8]


def know(
    folder: FaceFolder,
    landmarks: TrustedLandmarks,
    find: Callable[[npt.NDArray[np.uint8]], Face | None],
    *,
    match: Match,
) -> Iterator[Known | None]:
    """Look at every face of a folder.

    Args:
        folder: the faces.
        landmarks: finds the points.
        find: finds the face in a crop that nothing is known of (a plain folder of pictures).
        match: how faces are described.

    Yields:
        Each picture's face in order; None where none is found, or none whose landmarks can be trusted: parts
        drawn from fewer points would fit no other face's.

    Raises:
        SettingsError: ``blendshapes`` are asked of a provider that has none.
    """
    for i in range(len(folder)):
        crop = folder.read(i)
        face = crop.face_in_crop or find(crop.image)
        points = None if face is None else landmarks.find(crop.image, face)
        if face is None or points is None:
            yield None
            continue
        size = len(crop.image)
        five = np.asarray(face.landmarks, np.float64)
        look = mean_features(crop.image) if match == "features" else expression(points, five, size)
        yield Known(i, size, face, points, look)


def sew_faces(
    folders: Mapping[str, FaceFolder],
    people: Mapping[str, Sequence[Known]],
    *,
    parts: Iterable[Part],
    onto: Side,
    neighbours: int,
) -> Iterator[SewnFace]:
    """Sew parts of one person's faces into the other's: for each src face, its nearest dst faces.

    Args:
        folders: the faces' pictures.
        people: what is known of them.
        parts: which.
        onto: who receives them.
        neighbours: dst faces for each src face.

    Yields:
        ``neighbours`` faces for each src face, in order.

    Raises:
        NoFaceError: one of the two has no face.
        SettingsError: ``neighbours`` is not between 1 and the number of dst's faces.
    """
    for side in SIDES:
        if not people[side]:
            raise NoFaceError(f"expected faces in {folders[side].path}, got pictures without one; extract it again.")
    looks = {side: np.stack([each.look for each in people[side]]) for side in SIDES}
    donor_side: Side = "src" if onto == "dst" else "dst"
    chosen = tuple(parts)
    for known, rows in zip(people["src"], nearest(looks["src"], looks["dst"], neighbours), strict=True):
        for rank, row in enumerate(rows):
            pair: dict[str, Known] = {"src": known, "dst": people["dst"][row]}
            base, donor = pair[onto], pair[donor_side]
            crop = folders[onto].read(base.index)
            other = folders[donor_side].read(donor.index)
            sewn = transplant(crop.image, base.landmarks, other.image, donor.landmarks, chosen)
            eyes = _eyes(folders[onto], base)
            placed = replace(_placed(crop, base.face), image=sewn.image, frame=known.index, index=rank)
            yield SewnFace(placed, eyes, sewn.mask)


def _placed(crop: FaceCrop, face: Face) -> FaceCrop:
    """Give a crop of an unknown origin a place: it is its own frame."""
    if crop.face is not None and crop.alignment is not None:
        return crop
    return replace(crop, face=face, alignment=Alignment(np.eye(2, 3), len(crop.image)))


def _eyes(folder: FaceFolder, base: Known) -> npt.NDArray[np.uint8]:
    """Take the mask that a face has on disk, or draw one: parts are sewn onto their place, so it holds."""
    file = mask_file(folder.files[base.index])
    if file.is_file():
        return resize(read_mask(file), base.size)
    return union_mask(("eyes",), base.landmarks, base.size)
