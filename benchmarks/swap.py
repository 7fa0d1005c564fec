"""Measure a finished swap: whose face it is, and whether it moves with the footage, beside a pasted still.

    python benchmarks/swap.py --src-video a.mp4 --dst-video b.mp4 --swapped out.mp4 [...] --recognizer net.onnx

Faces of all three videos are found and aligned anew. The recogniser is any ONNX network from an RGB 112 x 112 px
crop, 0..255, aligned to ArcFace's five points, to an embedding; training uses none.

* transfer: (cos(swap, src) - cos(dst, src)) / (cos(src, src) - cos(dst, src)), means over frames; 0 = still dst.
* nearer: share of frames whose mean cosine to src is above that to dst; a frame without a face counts as not nearer.
* eyes, mouth: correlation of the changes in luma from frame to frame, over all pixels of the box and all frames,
  each video aligned by its own landmarks; `*_fixed`: both aligned by the footage's landmarks.
* still: the same of src's mean face, pasted and recoloured as convert does it. It has no motion of its own; with the
  footage's detail laid over it, as convert does, it shows how much of the correlations that alone is worth.
* dst reconstructed: the same of a video made with `convert --face dst`: all the motion that the model can show.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np

from faceswap_gan.conversion.anchors import paste_still
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.finder import FoundFrame, find_faces
from faceswap_gan.faces.recognizer import SIDE, Recognizer, recognition_crop
from faceswap_gan.media.images import write_image
from faceswap_gan.media.video import Frame, read_frames

EMPTY = np.zeros((SIDE, SIDE, 3), np.uint8)
EYES, MOUTH = np.s_[43:61, 29:83], np.s_[80:104, 36:76]  # rows, columns of the aligned crop
SAMPLE = 150  # frames of src that stand for the person


@dataclass(frozen=True)
class Faces:
    """A video's faces: crops uint8 (N, 112, 112, 3) and landmarks (N, 5, 2); NaN landmarks where none was found."""

    crops: np.ndarray
    landmarks: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Which frames show a face, bool (N,)."""
        return np.isfinite(self.landmarks[:, 0, 0])

    def first(self, count: int) -> Faces:
        """Return those of the first frames."""
        return Faces(self.crops[:count], self.landmarks[:count])


def take(found: Iterable[FoundFrame], *, by: np.ndarray | None = None) -> Faces:
    """Align each frame's face by its own landmarks, or by given ones."""
    crops, points = [], []
    for entry, given in zip(found, repeat(None) if by is None else by, strict=False):
        own = entry.faces[0].face.landmarks if entry.faces else np.full((5, 2), np.nan)
        at = own if given is None else given
        crops.append(recognition_crop(entry.frame.image, at) if np.isfinite(at).all() else EMPTY)
        points.append(own)
    return Faces(np.stack(crops), np.stack(points))


def find(frames: Iterable[Frame]) -> Iterator[FoundFrame]:
    """Find one person's faces."""
    return find_faces(frames, FaceDetector(), size=256)


def embed(recognizer: Recognizer, crops: np.ndarray) -> np.ndarray:
    """Return unit embeddings (N, D)."""
    return np.stack([recognizer.embed(crop) for crop in crops])


def changes(crops: np.ndarray, box: tuple[slice, slice]) -> np.ndarray:
    """Return changes in luma from frame to frame inside a box, (N - 1, h, w)."""
    luma = crops[(slice(None), *box)].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.diff(luma, axis=0)


def correlation(first: np.ndarray, second: np.ndarray, both: np.ndarray) -> float:
    """Correlate changes over the pairs of frames in which both videos show a face."""
    return round(float(np.corrcoef(first[both].ravel(), second[both].ravel())[0, 1]), 3)


def measure(recognizer: Recognizer, swap: Faces, fixed: Faces, dst: Faces, src: Faces) -> dict[str, float]:
    """Return the figures of one video, over the frames that it and dst have."""
    swap, fixed, dst = (each.first(min(len(swap.crops), len(dst.crops))) for each in (swap, fixed, dst))
    if not swap.found.any():
        return {"transfer": 0.0, "nearer": 0.0, "found": 0.0}
    people = embed(recognizer, src.crops[src.found][:: max(1, src.found.sum() // SAMPLE)])
    half = len(people) // 2
    footage, painted = embed(recognizer, dst.crops[dst.found]), embed(recognizer, swap.crops[swap.found])
    to_src, floor = float((painted @ people.T).mean()), float((footage @ people.T).mean())
    ceiling = float((people[:half] @ people[half:].T).mean())
    nearer = ((painted @ people.T).mean(1) > (painted @ footage.T).mean(1)).sum()
    both = swap.found & dst.found
    pairs = both[1:] & both[:-1]
    figures = {
        "transfer": round((to_src - floor) / (ceiling - floor), 3),
        "nearer": round(float(nearer / len(swap.crops)), 3),
        "found": round(float(swap.found.mean()), 3),
    }
    for name, box in (("eyes", EYES), ("mouth", MOUTH)):
        wanted = changes(dst.crops, box)
        figures[name] = correlation(changes(swap.crops, box), wanted, pairs)
        figures[f"{name}_fixed"] = correlation(changes(fixed.crops, box), wanted, pairs)
    return figures


def draw_sheet(path: Path, dst_video: Path, swapped: Path, columns: int = 16) -> None:
    """Write frames of the footage above those of the swap."""
    rows = []
    for video in (dst_video, swapped):
        frames = [frame.image for frame in read_frames(video)]
        chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, columns).astype(int)]
        height = 240
        width = chosen[0].shape[1] * height // chosen[0].shape[0]
        rows.append([cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in chosen])
    half = columns // 2
    lines = [np.hstack(row[part]) for part in (slice(0, half), slice(half, None)) for row in rows]
    write_image(path, np.vstack(lines))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("src-video", "dst-video", "recognizer"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--swapped", type=Path, nargs="+", required=True, help="one or more finished swaps")
    parser.add_argument("--sheet", type=Path, help="picture to write: 16 frames of the first swap")
    parser.add_argument("--reconstructed", type=Path, help="dst's own face painted over itself, convert --face dst")
    args = parser.parse_args()
    recognizer = Recognizer(args.recognizer)
    found = list(find(read_frames(args.src_video)))
    src = take(found)
    stills = [entry.faces[0].image for entry in found if entry.faces]
    dst = take(find(read_frames(args.dst_video)))

    def still(finish: FinishSettings | None = None) -> Iterator[Frame]:
        pasted = paste_still(find(read_frames(args.dst_video)), stills, finish=finish)
        return (replace(entry.frame, image=entry.image) for entry in pasted)

    result = {}
    videos = {path.stem: read_frames(path) for path in args.swapped} | {"still": still()}
    videos["still with detail"] = still(FinishSettings())
    if args.reconstructed:
        videos["dst reconstructed"] = read_frames(args.reconstructed)
    for name, frames in videos.items():
        entries = list(find(frames))
        own = take(entries)
        result[name] = measure(recognizer, own, take(entries, by=dst.landmarks), dst, src)
    result["copy of dst"] = measure(recognizer, dst, dst, dst, src)
    if args.sheet:
        draw_sheet(args.sheet, args.dst_video, args.swapped[0])
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
