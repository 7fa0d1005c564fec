"""Parts of a face that a swap is held to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.hulls import part_mask
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks, TrustedLandmarks

Part = Literal["eyes", "eyebrows", "nose", "mouth"]
"""What `convert --parts` and `parts-augment` know, in any combination."""

Mask = npt.NDArray[np.uint8]


def check_parts(parts: Iterable[str]) -> tuple[Part, ...]:
    """Check a choice of parts.

    Returns:
        Each part once, in the order of `Part`.

    Raises:
        SettingsError: none, or one that is unknown.
    """
    known: tuple[Part, ...] = get_args(Part)
    wanted = set(parts)
    if not wanted or wanted - set(known):
        got = ", ".join(sorted(wanted)) or "none"
        raise SettingsError(f"expected --parts, one or more of {', '.join(known)}, got {got}.")
    return tuple(part for part in known if part in wanted)


def union_mask(parts: Iterable[Part], landmarks: Landmarks, size: int) -> Mask:
    """Draw the soft mask of several parts.

    Args:
        parts: which.
        landmarks: of the face, in crop px.
        size: side of the crop, px.

    Returns:
        uint8 (size, size): 255 within the parts, falling smoothly to 0; each part's own mask where two meet is
        the larger one.
    """
    mask = np.zeros((size, size), np.uint8)
    for part in parts:
        np.maximum(mask, part_mask(part, landmarks, size), out=mask)
    return mask


class PartRegion:
    """Draws the region of a face that may be painted: the union of chosen parts.

    Attributes:
        parts: which, each once.

    Args:
        parts: one or more of `Part`.
        provider: finds the landmarks.

    Raises:
        SettingsError: no part, or one that is unknown.
    """

    def __init__(self, parts: Iterable[str], provider: LandmarkProvider) -> None:
        self.parts = check_parts(parts)
        self._landmarks = TrustedLandmarks(provider)

    @property
    def missed(self) -> int:
        """Faces so far that the provider did not see; their parts are drawn from the detector's five points."""
        return self._landmarks.missed

    def __call__(self, image: npt.NDArray[np.uint8], face: FaceCrop) -> Mask:
        """Draw the region.

        Args:
            image: the frame, RGB uint8 (H, W, 3).
            face: a face of it, with its alignment.

        Returns:
            uint8 (S, S) in the face's crop, S its alignment's size.

        Raises:
            SettingsError: the crop has no face or no alignment.
        """
        if face.face is None or face.alignment is None:
            raise SettingsError(f"expected an aligned crop in frame {face.frame}, got one without alignment.")
        landmarks = self._landmarks.find_or_five(image, face.face)
        return union_mask(self.parts, landmarks.moved(face.alignment), face.alignment.size)
