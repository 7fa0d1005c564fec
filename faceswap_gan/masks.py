"""Masks: draw the eyes of every crop of a face folder."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.folder import FaceCrop

log = logging.getLogger(__name__)


def run(faces: Path) -> None:
    """Draw soft eye masks for a face folder.

    They go to binary_masks/<face folder>_eyes/<same name>.png beside the face folder: 8-bit grey, 255 in the
    eyes. Crops whose landmarks are unknown (pictures from another tool) are searched for a face; where none
    is found the mask is black, which means that training weighs that picture's eyes like the rest.

    Args:
        faces: Face folder to read.

    Raises:
        FaceFolderError: The folder is missing, empty or damaged.
        MediaError: A picture cannot be read or a mask not written.
    """
    from rich.console import Console
    from rich.progress import track

    from faceswap_gan.faces.folder import FaceFolder, mask_folder
    from faceswap_gan.media.images import write_mask

    folder = FaceFolder(faces)
    target = mask_folder(faces)
    drawer = _Drawer()
    black = 0
    console = Console(stderr=True)
    quiet = not console.is_terminal
    for i in track(range(len(folder)), "masks", console=console, transient=True, disable=quiet):
        mask = drawer.draw(folder.read(i))
        black += not mask.any()
        write_mask(target / f"{folder.files[i].stem}.png", mask)
    if black:
        log.warning("%d of %d pictures show no face that was found: black masks", black, len(folder))
    log.info("%d eye masks written to %s", len(folder), target)


class _Drawer:
    """Draws eye masks; loads the detector when the first crop without landmarks comes."""

    @cached_property
    def _detector(self) -> FaceDetector:
        from faceswap_gan.faces.detector import FaceDetector

        return FaceDetector(threshold=0.8)

    def draw(self, crop: FaceCrop) -> npt.NDArray[np.uint8]:
        """Draw the mask of a crop, uint8 (S, S)."""
        import numpy as np

        from faceswap_gan.faces.parts import eye_mask

        size = len(crop.image)
        if crop.landmarks is not None:
            return eye_mask(crop.landmarks, size)
        found = self._detector.detect([crop.image])[0]
        if not found:
            return np.zeros((size, size), np.uint8)
        return eye_mask(max(found, key=lambda face: face.width).landmarks, size)


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("masks")
