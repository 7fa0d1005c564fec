"""Measures the watermark: is it found, is it seen, does anything else look like it, what does it cost.

    python benchmarks/marks.py --clips a.mp4 b.mp4 --unmarked folder another_folder

Of each clip every frame's largest face is marked inside a soft ellipse, as a swap's painted region is; nothing is
swapped. The result is encoded as `convert` does (H.264, CRF 17) and then once more in each of several ways;
`verify`'s detector looks at each. The unmarked files are those in which it must find nothing. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.marks.detection import MAX_CHANCE, Collector, Evidence
from faceswap_gan.marks.findings import find_watermark
from faceswap_gan.marks.watermark import embed
from faceswap_gan.media.images import is_picture, list_images
from faceswap_gan.media.video import read_frames

Picture = NDArray[np.uint8]

ATTACKS: dict[str, tuple[str, int, float]] = {
    "as convert writes it: h264, CRF 17": ("libx264", 17, 1.0),
    "then h264, CRF 18": ("libx264", 18, 1.0),
    "then h264, CRF 23": ("libx264", 23, 1.0),
    "then h264, CRF 28": ("libx264", 28, 1.0),
    "then size 0.75, h264, CRF 18": ("libx264", 18, 0.75),
    "then size 0.75, h264, CRF 28": ("libx264", 28, 0.75),
    "then hevc, CRF 28": ("libx265", 28, 1.0),
    "then vp9, CRF 35": ("libvpx-vp9", 35, 1.0),
}
OPTIONS = {
    "libx264": {"preset": "medium"},
    "libx265": {"preset": "fast", "x265-params": "log-level=error"},
    "libvpx-vp9": {"b:v": "0", "cpu-used": "5", "row-mt": "1"},
}
FACES_EVERY = 10  # frames: between, the ellipse moves in a straight line
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=200, help="of each clip")
    parser.add_argument("--unmarked", type=Path, nargs="*", default=[], help="folders, searched through")
    arguments = parser.parse_args()
    result = {
        "clips": {clip.name: measure_clip(clip, arguments.frames) for clip in arguments.clips},
        "unmarked": measure_unmarked(arguments.unmarked),
        "cost": measure_cost(),
    }
    print(json.dumps(result, indent=1))


def measure_clip(clip: Path, count: int) -> dict[str, object]:
    """Mark a clip and look for the mark after each attack."""
    footage = [frame.image for frame, _ in zip(read_frames(clip), range(count), strict=False)]
    masks = face_masks(footage)
    marked = [embed(image, mask) for image, mask in zip(footage, masks, strict=True)]
    width = np.median([cv2.boundingRect(mask)[2] for mask in masks])
    result: dict[str, object] = {"frames": len(footage), "ellipse_width_px": float(width)}
    result |= visibility(footage, marked, masks)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.mkv"
        encode(marked, first, "libx264", 17, 1.0)
        written = list(decode(first))
        for name, attack in ATTACKS.items():
            path = first
            if attack[1:] != (17, 1.0):
                path = Path(folder) / "attacked.mkv"
                encode(written, path, *attack)
            start = time.perf_counter()
            video = find_watermark([path])
            stills = [judge(image) for image in list(decode(path))[:: max(1, len(written) // 8)]]
            result[name] = {
                "deviations": round(video.deviations, 1),
                "chance": float(f"{video.chance:.1e}"),
                "found": video.found,
                "frames_looked_at": video.frames,
                "stills_found": f"{sum(still.found for still in stills)} of {len(stills)}",
                "seconds": round(time.perf_counter() - start, 1),
            }
    return result


def face_masks(footage: list[Picture]) -> list[Picture]:
    """A soft ellipse over the largest face of each frame."""
    detector, at, boxes = FaceDetector(), [], []
    for index in range(0, len(footage), FACES_EVERY):
        if faces := detector.detect([footage[index]])[0]:
            at.append(index)
            boxes.append(max((face.box for face in faces), key=lambda box: (box[2] - box[0]) * (box[3] - box[1])))
    moved = [np.interp(range(len(footage)), at, side) for side in np.transpose(boxes)]
    return [ellipse(footage[0].shape[:2], np.asarray(box)) for box in zip(*moved, strict=True)]


def ellipse(shape: tuple[int, ...], box: NDArray[np.floating]) -> Picture:
    """Draw it as large as nine tenths of the box, with a soft rim: uint8 (H, W)."""
    x1, y1, x2, y2 = box
    mask = np.zeros(shape, np.uint8)
    axes = (max(2, int((x2 - x1) * 0.45)), max(2, int((y2 - y1) * 0.45)))
    cv2.ellipse(mask, (int((x1 + x2) / 2), int((y1 + y2) / 2)), axes, 0, 0, 360, 255, -1)
    side = max(3, int((x2 - x1) * 0.1) | 1)
    return np.asarray(cv2.GaussianBlur(mask, (side, side), 0), np.uint8)


def visibility(footage: list[Picture], marked: list[Picture], masks: list[Picture]) -> dict[str, float]:
    """PSNR inside the mask, of luma and of RGB, over ten frames."""
    errors: dict[str, list[float]] = {"luma": [], "rgb": []}
    for index in range(0, len(footage), max(1, len(footage) // 10)):
        inside = masks[index] > 127
        pair = [each[index].astype(np.float64) for each in (footage, marked)]
        errors["rgb"].append(float(((pair[1] - pair[0])[inside] ** 2).mean()))
        luma = [each @ [0.299, 0.587, 0.114] for each in pair]
        errors["luma"].append(float(((luma[1] - luma[0])[inside] ** 2).mean()))
    return {f"psnr_{name}_db": round(10 * np.log10(255**2 / np.mean(e)), 1) for name, e in errors.items()}


def encode(images: list[Picture], path: Path, codec: str, crf: int, scale: float) -> None:
    """Write pictures with a codec, smaller if told."""
    height, width = (round(side * scale / 2) * 2 for side in images[0].shape[:2])
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=30, options={**OPTIONS[codec], "crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            small = image
            if image.shape[:2] != (height, width):
                small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(small), format="rgb24")))
        out.mux(stream.encode(None))


def decode(path: Path) -> Iterator[Picture]:
    """Read all frames of what `encode` wrote."""
    yield from (frame.image for frame in read_frames(path))


def judge(image: Picture) -> Evidence:
    """Look for the mark in one picture."""
    collector = Collector()
    collector.add(image)
    return collector.judge(quick=True)


def measure_unmarked(folders: list[Path]) -> dict[str, object]:
    """Look for the mark where it is not; list what is read, and how near the nearest comes."""
    nearest: list[tuple[float, str]] = []
    videos = pictures = 0
    for path in sorted(path for folder in folders for path in find_media(folder)):
        try:
            evidence = find_watermark([path])
        except MediaError:
            continue  # damaged on purpose
        videos, pictures = videos + (not is_picture(path)), pictures + is_picture(path)
        nearest.append((evidence.chance, path.name))
    nearest.sort()
    return {
        "videos": videos,
        "pictures": pictures,
        "false_alarms": sum(chance <= MAX_CHANCE for chance, _ in nearest),
        "allowed_chance_a_file": MAX_CHANCE,
        "nearest": nearest[:5],
    }


def find_media(folder: Path) -> Iterator[Path]:
    """All videos and pictures under a folder."""
    for place in (folder, *(path for path in sorted(folder.rglob("*")) if path.is_dir())):
        yield from list_images(place)
        yield from (path for path in sorted(place.iterdir()) if path.suffix.lower() in SUFFIXES)


def measure_cost() -> dict[str, float]:
    """Processor time of marking a frame of 512 px: a face in it, and all of it."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (512, 512, 3), dtype=np.uint8), (0, 0), 3)
    masks = {
        "face of 240 px": ellipse((512, 512), np.float64([122, 80, 390, 430])),
        "whole frame": image[..., 0] | 255,
    }
    result = {}
    for name, mask in masks.items():
        times = []
        for _ in range(50):
            start = time.process_time()
            embed(image, mask)
            times.append(time.process_time() - start)
        result[f"{name}: ms of processor time"] = round(float(np.median(times)) * 1e3, 2)
    return result


if __name__ == "__main__":
    main()
