"""All 15 combinations of parts on one frame, as a sheet to look at.

    python benchmarks/parts_sheet.py --video data/dst.mp4 --model data/model --output build/parts.png

The first picture is the frame, then come the combinations by size, then the whole swap. Each says how many pixels
outside its mask changed, which must be none.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from faceswap_gan.conversion.parts import Part, PartRegion
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.finder import FoundFrame, find_faces
from faceswap_gan.faces.landmarks import open_landmarks
from faceswap_gan.media.images import write_image
from faceswap_gan.media.video import read_frames
from faceswap_gan.training.checkpoint import LoadedSwap, load_swap

COLUMNS = 6
TEXT = 22  # px


def main(
    video: Path,
    model: Path,
    output: Path,
    *,
    at: int = 0,
    face: Literal["src", "dst"] = "src",
    landmarks: Literal["mtcnn", "mesh", "fan"] = "mtcnn",
    weights_dir: Path | None = None,
    masks: bool = False,
) -> None:
    """Draw the sheet.

    Args:
        video: Video or picture.
        model: Model folder.
        output: Picture to write.
        at: Index of the frame.
        face: Whose face is painted.
        landmarks: Points that the parts are drawn from.
        weights_dir: Folder of their weights.
        masks: Show masks rather than swaps.
    """
    frames = itertools.islice(read_frames(video), max(0, at - 12), at + 13)
    loaded = load_swap(model, face=face)
    found = next(f for f in find_faces(frames, FaceDetector(), size=loaded.align_size) if f.frame.index == at)
    provider = open_landmarks(landmarks, weights=weights_dir)
    window = _window(found)
    tiles = [_tile(found.frame.image[window], "frame")]
    parts = get_args(Part)
    combinations = [c for count in range(1, 5) for c in itertools.combinations(parts, count)]
    for chosen in [*combinations, None]:
        region = None if chosen is None else PartRegion(chosen, provider)
        tiles.append(_swap(found, loaded, region, window, masks=masks))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    write_image(output, np.vstack(rows))


def _swap(
    found: FoundFrame, loaded: LoadedSwap, region: PartRegion | None, window: Any, *, masks: bool
) -> NDArray[np.uint8]:
    (done,) = swap_frames([found], loaded.swap, size=loaded.size, batch=1, region=region)
    moved = (done.image != found.frame.image).any(axis=2)
    outside = int((moved & (done.mask == 0)).sum())
    name = "whole face" if region is None else " ".join(region.parts)
    sys.stdout.write(f"{name}: {int(moved.sum())} pixels changed, {outside} outside of the mask\n")
    shown = np.repeat(done.mask[..., None], 3, axis=2) if masks else done.image
    return _tile(shown[window], name)


def _window(found: FoundFrame) -> tuple[slice, slice]:
    """The square of the frame around the face's crop."""
    alignment = found.faces[0].alignment
    if alignment is None:
        raise SystemExit("the face has no alignment")
    corners = alignment.corners()
    low = np.maximum(corners.min(axis=0), 0).astype(int)
    high = corners.max(axis=0).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _tile(image: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    height = round(256 * image.shape[0] / image.shape[1])
    small = cv2.resize(image, (256, height), interpolation=cv2.INTER_AREA)
    label = np.zeros((TEXT, 256, 3), np.uint8)
    cv2.putText(label, text, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(np.vstack([label, small]), np.uint8)


if __name__ == "__main__":
    tyro.cli(main)
