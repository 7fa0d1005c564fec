"""Speed and recall of face extraction beside the `mtcnn` package's own detector, in one run.

    python benchmarks/extract.py --video p2.mp4 [--facedata ../shared/facedata] [--rounds 3]

Prints JSON. Speed: `faceswap_gan.extract.run` over the whole video (decode, detect, track, smooth, align,
write PNG; start-up included) against a loop of decode and `MTCNN().detect_faces` at its defaults (nothing
tracked or written; start-up excluded), taken in turns. Recall: pictures and frames that show a face, in which
each finds one with confidence over 0.9; and how many of the package's faces ours finds too.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tyro
from mtcnn import MTCNN

from faceswap_gan import extract
from faceswap_gan.faces.boxes import iou
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.media.images import list_images, read_image
from faceswap_gan.media.video import read_frames, read_info

FACELESS = ("img_no_face_grass", "real_no_face_hands")
UNREADABLE = ("drv_truncated_no_moov",)


def main(video: Path, *, facedata: Path | None = None, rounds: int = 3, frames_per_video: int = 10) -> None:
    """Measure and print.

    Args:
        video: What to extract from.
        facedata: Folder of real photos and videos; recall is left out without it.
        rounds: How often the two take turns.
        frames_per_video: Evenly spaced frames to judge recall on, per video.
    """
    package = MTCNN()
    result: dict[str, Any] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    result["speed"] = measure_speed(video, package, rounds)
    if facedata is not None:
        result["recall"] = measure_recall(facedata, package, frames_per_video)
    print(json.dumps(result, indent=2))


def measure_speed(video: Path, package: MTCNN, rounds: int) -> dict[str, Any]:
    """Take turns over the video; each of the package's turns covers one part of it."""
    total = sum(1 for _ in read_frames(video))
    part = -(-total // rounds)
    next(map(package.detect_faces, (frame.image for frame in read_frames(video))))
    ours, theirs = [], []
    for i in range(rounds):
        frames = read_frames(video)
        for _ in range(i * part):
            next(frames)
        start, count = time.perf_counter(), 0
        for frame in islice(frames, part):
            package.detect_faces(frame.image)
            count += 1
        theirs.append(count / (time.perf_counter() - start))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            extract.run(video, Path(folder) / "faces")
            ours.append(total / (time.perf_counter() - start))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "video": video.name,
        "frames": total,
        "extract_frames_per_s": round(statistics.median(ours), 2),
        "mtcnn_loop_frames_per_s": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(r, 2) for r in ratios],
    }


def measure_recall(facedata: Path, package: MTCNN, frames_per_video: int) -> dict[str, Any]:
    """Compare what is found in every picture."""
    detector = FaceDetector()
    counts = dict.fromkeys(("pictures", "ours", "mtcnn", "mtcnn_faces", "of_these_found", "false_ours"), 0)
    counts["false_mtcnn"] = 0
    missed = []
    for name, image in pictures(facedata, frames_per_video):
        ours = [face.box.astype(float) for face in detector.detect([image])[0]]
        theirs = [f["box"] for f in package.detect_faces(image) if f["confidence"] > 0.9]
        if name.startswith(FACELESS) or image.mean() < 4:
            counts["false_ours"] += len(ours)
            counts["false_mtcnn"] += len(theirs)
            continue
        counts["pictures"] += 1
        counts["ours"] += bool(ours)
        counts["mtcnn"] += bool(theirs)
        counts["mtcnn_faces"] += len(theirs)
        lost = [box for box in theirs if not _is_among(box, ours)]
        counts["of_these_found"] += len(theirs) - len(lost)
        missed += [f"{name}: {box}" for box in lost]
    return counts | {"faces_of_mtcnn_not_found": missed}


def pictures(facedata: Path, frames_per_video: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and RGB image of every photo, and of evenly spaced frames of every video."""
    for folder in (facedata / "images", facedata / "hard", *sorted((facedata / "identities").iterdir())):
        if folder.is_dir():
            yield from ((path.name, read_image(path)) for path in list_images(folder))
    videos = sorted((facedata / "videos").iterdir()) + sorted((facedata / "hard").iterdir())
    for path in videos:
        if path.suffix in (".mp4", ".mkv", ".webm") and not path.stem.startswith(UNREADABLE):
            every = max(1, (read_info(path).frames or 100) // frames_per_video)
            frames = islice(read_frames(path, every=every), frames_per_video)
            yield from ((f"{path.name}@{frame.index}", frame.image) for frame in frames)


def _is_among(box: list[int], boxes: list[np.ndarray]) -> bool:
    x, y, width, height = box
    one = np.asarray([[x, y, x + width, y + height]], float)
    return bool(boxes) and float(iou(one, np.stack(boxes)).max()) > 0.5


if __name__ == "__main__":
    tyro.cli(main)
