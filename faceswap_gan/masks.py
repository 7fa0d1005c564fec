"""Masks: draw parts of every crop of a face folder, such as the eyes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faceswap_gan.faces.landmarks import TrustedLandmarks

log = logging.getLogger(__name__)


def run(
    faces: Path,
    *,
    parts: tuple[Literal["eyes", "eyebrows", "nose", "mouth", "face"], ...] = ("eyes",),
    landmarks: Literal["mtcnn", "mesh", "fan"] = "mtcnn",
    weights_dir: Path | None = None,
    dilate: float = 0.12,
    blur: float = 0.05,
) -> None:
    """Draw soft masks of parts of the faces in a face folder; training weighs the eyes by theirs.

    They go to binary_masks/<face folder>_<part>/<same name>.png beside the face folder: 8-bit grey, 255 in the
    part. Crops whose landmarks are unknown (pictures from another tool) are searched for a face; where none
    is found the mask is black, which means that training weighs that picture's eyes like the rest.

    Args:
        faces: Face folder to read.
        parts: Parts to draw, each into a folder of its own.
        landmarks: Points that the parts are drawn from: the detector's 5, the 478 of MediaPipe's mesh, or the 68
            of FAN.
        weights_dir: Folder that holds the weights of mesh or fan, for machines without a network.
        dilate: How far a mask reaches over the landmarks' convex hull, in parts of the distance between the eyes.
        blur: Softness of its edge (standard deviation), in parts of the distance between the eyes.

    Raises:
        FaceFolderError: The folder is missing, empty or damaged.
        MediaError: A picture cannot be read or a mask not written.
        SettingsError: A setting is outside what it may be, or the landmarks' package is not installed.
        WeightsError: The landmarks' weights are missing or damaged.
    """
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from faceswap_gan.errors import SettingsError
    from faceswap_gan.faces.folder import FaceFolder, mask_folder
    from faceswap_gan.faces.hulls import PARTS, check_edge, part_mask
    from faceswap_gan.faces.landmarks import TrustedLandmarks, open_landmarks
    from faceswap_gan.faces.search import FaceSearch
    from faceswap_gan.media.images import write_mask

    if not parts:
        raise SettingsError(f"expected --parts, one or more of {', '.join(PARTS)}, got none.")
    check_edge(dilate, blur)
    folder = FaceFolder(faces)
    provider = open_landmarks(landmarks, weights=weights_dir)
    points = TrustedLandmarks(provider)
    search, black = FaceSearch(provider, weights=weights_dir), 0
    console = Console(stderr=True)
    quiet = not console.is_terminal
    for i in track(range(len(folder)), "masks", console=console, transient=True, disable=quiet):
        crop = folder.read(i)
        size = len(crop.image)
        face = crop.face_in_crop or search.find(crop.image)
        found = None if face is None else points.find_or_five(crop.image, face)
        black += found is None
        for part in dict.fromkeys(parts):
            nothing = np.zeros((size, size), np.uint8)
            mask = nothing if found is None else part_mask(part, found, size, dilate=dilate, blur=blur)
            write_mask(mask_folder(faces, part) / f"{folder.files[i].stem}.png", mask)
    _report(points, black, len(folder), parts, faces)


def _report(points: TrustedLandmarks, black: int, count: int, parts: Sequence[str], faces: Path) -> None:
    from faceswap_gan.faces.folder import mask_folder

    if black:
        log.warning("%d of %d pictures show no face that was found: black masks", black, count)
    if points.missed:
        log.warning(
            "%s did not see %d of %d faces: drawn from the detector's five points",
            *(points.name, points.missed, count),
        )
    for part in dict.fromkeys(parts):
        log.info("%d masks of %s written to %s", count, part, mask_folder(faces, part))


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("masks")
