"""Draw docs/images/finish.jpg: colours, edges and surface of a swap on the drawn pair.

    python benchmarks/finish_sheet.py --output docs/images/finish.jpg

The swap is what a perfect network of 128 px would paint: src drawn in dst's pose, softened. The footage is made
harder: warm light from one side, grain, wire glasses.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.faces.alignment import align
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.parts import face_mask
from faceswap_gan.media.images import resize, to_float, write_image
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap
from faceswap_gan.synthetic.clips import build_pair

SIZE = 128
POSE = 52
SHEET: tuple[tuple[str, FinishSettings], ...] = (
    ("color none", FinishSettings(color="none", detail=0.0)),
    ("color mean_std", FinishSettings(detail=0.0)),
    ("color lab", FinishSettings(color="lab", detail=0.0)),
    ("color sot", FinishSettings(color="sot", detail=0.0)),
    ("blend seamless", FinishSettings(blend="seamless", detail=0.0)),
    ("blend laplacian", FinishSettings(blend="laplacian", detail=0.0)),
    ("match-grain", FinishSettings(match_grain=True, detail=0.0)),
    ("detail 1", FinishSettings(detail=1.0)),
    ("seamless, detail 1, match-grain", FinishSettings(blend="seamless", detail=1.0, match_grain=True)),
)


def harden(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Give the footage warm light from one side, wire glasses and grain."""
    across = np.linspace(0.75, 1.2, image.shape[1], dtype=np.float32)[None, :, None]
    lit = image * across * np.float32([1.08, 1.0, 0.82])
    radius = round(0.36 * float(np.hypot(*(landmarks[1] - landmarks[0]))))
    centres = [tuple(int(v) for v in np.rint(eye)) for eye in landmarks[:2]]
    for centre in centres:
        cv2.circle(lit, centre, radius, (70, 64, 60), 1, cv2.LINE_AA)
    bridge = [(centres[0][0] + radius, centres[0][1]), (centres[1][0] - radius, centres[1][1])]
    cv2.line(lit, *bridge, (70, 64, 60), 1, cv2.LINE_AA)
    noise = np.random.default_rng(1).normal(0, 5, image.shape[:2]).astype(np.float32)
    return np.clip(np.rint(lit + cv2.GaussianBlur(noise, (0, 0), 0.6)[..., None]), 0, 255).astype(np.uint8)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    pair = build_pair(Path(), seconds=4, size=448)
    clip = replace(pair.dst_clip, poses=pair.dst_clip.poses[POSE : POSE + 1])
    dst, truth = next(clip.frames()), next(clip.frames(pair.src_clip.person))
    points = np.asarray(dst.landmarks, np.float32)
    footage = harden(dst.image, points)
    alignment = align(points, size=256)
    face = Face(np.concatenate([points.min(axis=0), points.max(axis=0)]), points, 1.0)
    crop = FaceCrop(alignment.crop(footage), 0, track=0, face=face, alignment=alignment)
    frame = Frame(0, 0, Fraction(1, 25), footage)
    soft = cv2.GaussianBlur(resize(alignment.crop(truth.image), SIZE), (0, 0), 0.8)
    mask = face_mask(alignment.resized(SIZE).points(points), SIZE)[..., None].astype(np.float32) / 255

    def swap(crops: NDArray[np.float32]) -> Swap:
        count = len(crops)
        return Swap(np.repeat(to_float(np.asarray(soft, np.uint8))[None], count, 0), np.repeat(mask[None], count, 0))

    tiles = [_tile(footage, "footage")]
    for name, finish in SHEET:
        (done,) = swap_frames([FoundFrame(frame, (crop,))], swap, size=SIZE, finish=finish, batch=1)
        tiles.append(_tile(np.asarray(done.image, np.uint8), name))
    write_image(args.output, np.vstack([np.hstack(tiles[:5]), np.hstack(tiles[5:])]))


def _tile(image: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    cut = np.ascontiguousarray(image[60:410, 84:364])
    cv2.putText(cut, name, (8, 340), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return cut


if __name__ == "__main__":
    main()
