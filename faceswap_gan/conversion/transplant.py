"""A part of one face sewn into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.parts import Part, union_mask
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces import topology
from faceswap_gan.faces.alignment import umeyama
from faceswap_gan.faces.landmarks import Landmarks

Image = npt.NDArray[np.uint8]

_RIM = 4  # px at the crop's border that a part must keep clear of, for the equations to have a border

# Eyes and brows are pairs: their own points say how large they are and how they lie. A nose and an open mouth are
# not stretched to the other's shape: the face says how large they are, their own points only where they lie.
_OWN: dict[int, dict[Part, tuple[int, ...]]] = {
    5: {"eyes": (0, 1), "eyebrows": (0, 1), "nose": (2,), "mouth": (3, 4)},
    68: {
        "eyes": tuple(range(36, 48)),
        "eyebrows": tuple(range(17, 27)),
        "nose": tuple(range(27, 36)),
        "mouth": (48, 54),
    },
    478: {
        "eyes": topology.LEFT_EYE + topology.RIGHT_EYE,
        "eyebrows": topology.LEFT_BROW + topology.RIGHT_BROW,
        "nose": topology.NOSE,
        "mouth": topology.MOUTH_CORNERS,
    },
}
_PAIRS: frozenset[Part] = frozenset({"eyes", "eyebrows"})


@dataclass(frozen=True)
class Pasted:
    """A crop with parts of another face sewn in.

    Attributes:
        image: RGB uint8 (S, S, 3); equal to the crop, bit for bit, wherever ``mask`` is 0.
        mask: how much of each pixel is changed, uint8 (S, S); 0 means not at all.
    """

    image: Image
    mask: Image


def transplant(
    image: Image, landmarks: Landmarks, donor: Image, donor_landmarks: Landmarks, parts: Iterable[Part]
) -> Pasted:
    """Sew parts of a donor's face into another, one after another.

    A part is turned, scaled and moved onto its place by landmarks; where it lies, the donor's gradients
    are kept and the colours at the edge are the receiver's. The edge is feathered, and beyond the parts the
    picture stays as it is, bit for bit.

    Args:
        image: the receiving crop, RGB uint8 (S, S, 3); not changed.
        landmarks: its points, crop px.
        donor: RGB uint8 (T, T, 3).
        donor_landmarks: its points, crop px, by the same provider.
        parts: which.

    Returns:
        The crop, and a mask of where it changed; all zero where a part lies outside of the picture.

    Raises:
        SettingsError: landmarks of another number than 5, 68 or 478, or of two kinds.

    References:
        Perez, Gangnet and Blake, "Poisson image editing", ACM Transactions on Graphics 22 (2003), eq. 9 to 11.
    """
    pasted = Pasted(image.copy(), np.zeros(image.shape[:2], np.uint8))
    for part in parts:
        matrix = _fit(donor_landmarks, landmarks, part)
        at = donor_landmarks.points @ matrix[:, :2].T + matrix[:, 2]
        moved = replace(donor_landmarks, points=np.asarray(at, np.float32))
        size = image.shape[0]
        mask = np.maximum(union_mask((part,), landmarks, size), union_mask((part,), moved, size))
        mask[:_RIM] = mask[-_RIM:] = mask[:, :_RIM] = mask[:, -_RIM:] = 0
        placed = cv2.warpAffine(donor, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        pasted = Pasted(_sew(pasted.image, np.asarray(placed, np.uint8), mask), np.maximum(pasted.mask, mask))
    return pasted


def _fit(source: Landmarks, target: Landmarks, part: Part) -> npt.NDArray[np.float64]:
    """Fit the similarity that brings a part of one face onto that of another, float64 (2, 3)."""
    count = len(source.points)
    if count not in _OWN or len(target.points) != count:
        raise SettingsError(f"expected 5, 68 or 478 landmarks of both faces, got {count} and {len(target.points)}.")
    own = list(_OWN[count][part])
    old, new = (each.points[own].astype(np.float64) for each in (source, target))
    if part in _PAIRS:
        return umeyama(old, new)
    matrix = umeyama(source.five.astype(np.float64), target.five.astype(np.float64))
    matrix[:, 2] = new.mean(axis=0) - matrix[:, :2] @ old.mean(axis=0)
    return matrix


def _sew(image: Image, placed: Image, mask: Image) -> Image:
    """Clone one picture into another of its size where a soft mask says."""
    x, y, width, height = cv2.boundingRect(mask)
    if width < 3 or height < 3:
        return image
    inside = np.asarray(np.where(mask > 0, 255, 0), np.uint8)
    # OpenCV puts the middle of the mask's rectangle there.
    middle = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(placed, image, inside, middle, cv2.NORMAL_CLONE)
    alpha = mask[..., None] / np.float32(255)
    mixed = image + alpha * (np.asarray(cloned, np.float32) - image)
    return np.asarray(np.where(mask[..., None] > 0, np.rint(mixed), image), np.uint8)
