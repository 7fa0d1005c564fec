"""Speed, recall, accuracy and steadiness of extraction beside the `mtcnn` package's own detector, in one run.

    python benchmarks/extract.py --videos p2.mp4 p5.mp4 [--facedata ../shared/facedata]

Prints JSON. For every video:

* speed: `faceswap_gan.extract.run` over the whole video (decode, detect, track, smooth, align, write PNG; start-up
  included) against a loop of decode and `MTCNN().detect_faces` at its defaults (nothing tracked or written; start-up
  excluded). The package is slow: it sees blocks of frames that follow each other, evenly spaced over the video, half
  of them before our turn and half after it; its time a frame is that of these frames.
* recall: how many of the package's faces (confidence over 0.9) ours has in the same frames. It takes bellies and
  hands for faces: what the face mesh denies is counted apart.
* landmarks: median distance to the package's, in per cent of the distance between the eyes.
* jitter: how the landmarks tremble against the picture, see `steadiness.tremble`; and the plain acceleration, in
  which a shaking camera counts as well. Lag: the shift, in frames, at which our landmarks' motion correlates best
  with that of the package's.

With --facedata also how many pictures of a folder each finds a face in.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tyro
from mtcnn import MTCNN
from steadiness import lag, measure_motion, tremble

from faceswap_gan import extract
from faceswap_gan.errors import WeightsError
from faceswap_gan.faces.boxes import iou
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.landmarks import open_landmarks
from faceswap_gan.faces.people import choose_people
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.faces.scan_file import read_scan_file
from faceswap_gan.faces.smoothing import smooth_scan
from faceswap_gan.media.images import list_images, read_image
from faceswap_gan.media.video import read_frames, read_info

FACELESS = ("img_no_face_grass", "real_no_face_hands")
UNREADABLE = ("drv_truncated_no_moov",)
KEYS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
METHODS = ("none", "rts", "kalman", "moving-average")
SURE = 0.9


def main(
    videos: tuple[Path, ...], *, facedata: Path | None = None, blocks: int = 6, length: int = 12, stills: int = 10
) -> None:
    """Measure and print.

    Args:
        videos: What to extract from.
        facedata: Folder of real photos and videos to judge recall on too.
        blocks: How many stretches of each video the package sees; even.
        length: Frames of a stretch.
        stills: Evenly spaced frames of each of facedata's videos.
    """
    package = MTCNN()
    result: dict[str, Any] = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "videos": []}
    for video in videos:
        result["videos"].append(measure(video, package, blocks, length))
        print(json.dumps(result["videos"][-1]), file=sys.stderr)
    if facedata is not None:
        result["recall_on_facedata"] = measure_recall(facedata, package, stills)
    print(json.dumps(result, indent=2))


@dataclass
class Seen:
    """What the package says, and how long it took."""

    faces: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: float = 0.0
    processor: float = 0.0


def measure(video: Path, package: MTCNN, blocks: int, length: int) -> dict[str, Any]:
    """Take turns over a video."""
    total = sum(1 for _ in read_frames(video))
    starts = np.linspace(0, max(total - length, 0), blocks).astype(int).tolist()
    theirs = Seen()
    package.detect_faces(next(read_frames(video)).image)  # start-up
    run_package(video, package, starts[::2], length, theirs)
    with tempfile.TemporaryDirectory() as folder:
        start, processor = time.perf_counter(), time.process_time()
        extract.run(video, Path(folder) / "faces")
        ours, ours_processor = time.perf_counter() - start, time.process_time() - processor
        scan = FaceScan(read_scan_file(Path(folder) / "faces" / extract.SCAN).frames)
        written = len(list_images(Path(folder) / "faces"))
    run_package(video, package, starts[1::2], length, theirs)
    count = len(theirs.faces)
    return {
        "video": video.name,
        "frames": total,
        "faces_written": written,
        "extract_frames_per_s": round(total / ours, 2),
        "mtcnn_loop_frames_per_s": round(count / theirs.seconds, 3),
        "ratio": round(total / ours / (count / theirs.seconds), 1),
        "ratio_of_processor_time": round(total / ours_processor / (count / theirs.processor), 1),
        "frames_of_mtcnn": count,
        **compare(video, scan, theirs),
        "jitter": measure_jitter(video, scan, theirs),
    }


def run_package(video: Path, package: MTCNN, starts: Sequence[int], length: int, seen: Seen) -> None:
    """Let the package see stretches of a video; decoding counts, skipping to a stretch does not."""
    for first in starts:
        frames = read_frames(video, from_index=first)
        frame = next(frames)
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(length):
            seen.faces[frame.index] = package.detect_faces(frame.image)
            following = next(frames, None)
            if following is None:
                break
            frame = following
        seen.seconds += time.perf_counter() - start
        seen.processor += time.process_time() - processor


def compare(video: Path, scan: FaceScan, theirs: Seen) -> dict[str, Any]:
    """Say how many of the package's faces ours has, and how far apart the points are."""
    smooth = smooth_scan(scan)
    distances, missed, faces = [], [], 0
    for index, found in theirs.faces.items():
        seen = smooth.at(index)
        ours = [each.face for each in seen.faces] if seen is not None else []
        for one in found:
            if one["confidence"] <= SURE:
                continue
            faces += 1
            match = _match(one["box"], ours)
            if match is None:
                missed.append((index, one))
                continue
            points = _points(one)
            distances.append(np.linalg.norm(match.landmarks - points, axis=1) / np.linalg.norm(points[1] - points[0]))
    denied = _denied(video, missed)
    return {
        "mtcnn_faces": faces,
        "of_these_found": faces - len(missed),
        "not_found_and_no_face_by_the_mesh": denied,
        "recall": round((faces - len(missed)) / max(faces - (denied or 0), 1), 4),
        "landmarks_median_percent_of_eye_distance": round(100 * float(np.median(distances)), 2)
        if distances
        else None,
        "missed": [(i, one["box"], round(float(one["confidence"]), 3)) for i, one in missed],
    }


def measure_jitter(video: Path, scan: FaceScan, theirs: Seen) -> dict[str, Any]:
    """Say how the chosen person's landmarks tremble, by the package and by ours smoothed in each way."""
    people = choose_people(scan)
    runs = {method: smooth_scan(scan, method) for method in METHODS}
    raw: dict[int, np.ndarray] = {}
    boxes: dict[int, np.ndarray] = {}
    ours: dict[str, dict[int, np.ndarray]] = {method: {} for method in METHODS}
    for position, frame in enumerate(scan.frames):
        track = people[frame.index][0] if people[frame.index] else None
        for method, smooth in runs.items():
            face = None if track is None else smooth.frames[position].faces_by_track.get(track)
            if face is not None:
                ours[method][frame.index] = face.landmarks.astype(float)
                boxes[frame.index] = face.box.astype(float)
        near = [
            one
            for one in theirs.faces.get(frame.index, [])
            if frame.index in boxes and _is_near(one, boxes[frame.index])
        ]
        if near:
            raw[frame.index] = _points(near[0])
    motion = measure_motion(video, boxes, set(theirs.faces))
    span = float(np.median([np.linalg.norm(p[1] - p[0]) for p in raw.values()]))
    base = tremble(raw, motion, span, set(raw))
    result: dict[str, Any] = {"mtcnn": base}
    for method, points in ours.items():
        figures = tremble(points, motion, span, set(raw))
        ratios = {f"{name}_ratio": round(value / base[name], 3) for name, value in figures.items()}
        result[method] = figures | ratios | {"lag_frames": lag(points, raw)}
    return result


def _points(one: dict[str, Any]) -> np.ndarray:
    return np.asarray([one["keypoints"][key] for key in KEYS], float)


def _is_near(one: dict[str, Any], box: np.ndarray) -> bool:
    x, y, width, height = one["box"]
    return float(iou(np.asarray([[x, y, x + width, y + height]], float), box[None])[0, 0]) > 0.5


def _match(box: Sequence[int], faces: Sequence[Face]) -> Face | None:
    x, y, width, height = box
    if not faces:
        return None
    overlap = iou(np.asarray([[x, y, x + width, y + height]], float), np.stack([f.box for f in faces]).astype(float))[
        0
    ]
    return faces[int(overlap.argmax())] if overlap.max() > 0.5 else None


def _denied(video: Path, missed: Sequence[tuple[int, dict[str, Any]]]) -> int | None:
    """Count the faces in which the face mesh sees none; None where the mesh is not at hand."""
    if not missed:
        return 0
    try:
        mesh = open_landmarks("mesh")
    except (WeightsError, ImportError):
        return None
    frames = {index for index, _ in missed}
    images = {frame.index: frame.image for frame in read_frames(video) if frame.index in frames}
    count = 0
    for index, one in missed:
        x, y, width, height = one["box"]
        box = np.asarray([x, y, x + width, y + height], np.float32)
        found = mesh.find(images[index], Face(box, _points(one).astype(np.float32), 1.0))
        count += found.score < 0.5
    return count


def measure_recall(facedata: Path, package: MTCNN, stills: int) -> dict[str, Any]:
    """Compare what is found in every picture."""
    detector = FaceDetector()
    counts = dict.fromkeys(("pictures", "ours", "mtcnn", "mtcnn_faces", "of_these_found", "false_ours"), 0)
    counts["false_mtcnn"] = 0
    missed = []
    for name, image in pictures(facedata, stills):
        ours = detector.detect([image])[0]
        theirs = [f["box"] for f in package.detect_faces(image) if f["confidence"] > SURE]
        if name.startswith(FACELESS) or image.mean() < 4:
            counts["false_ours"] += len(ours)
            counts["false_mtcnn"] += len(theirs)
            continue
        counts["pictures"] += 1
        counts["ours"] += bool(ours)
        counts["mtcnn"] += bool(theirs)
        counts["mtcnn_faces"] += len(theirs)
        lost = [box for box in theirs if _match(box, ours) is None]
        counts["of_these_found"] += len(theirs) - len(lost)
        missed += [f"{name}: {box}" for box in lost]
    return counts | {"faces_of_mtcnn_not_found": missed}


def pictures(facedata: Path, stills: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and RGB image of every photo, and of evenly spaced frames of every video."""
    for folder in (facedata / "images", facedata / "hard", *sorted((facedata / "identities").iterdir())):
        if folder.is_dir():
            yield from ((path.name, read_image(path)) for path in list_images(folder))
    videos = sorted((facedata / "videos").iterdir()) + sorted((facedata / "hard").iterdir())
    for path in videos:
        if path.suffix in (".mp4", ".mkv", ".webm") and not path.stem.startswith(UNREADABLE):
            every = max(1, (read_info(path).frames or 100) // stills)
            yield from ((f"{path.name}@{f.index}", f.image) for f in islice(read_frames(path, every=every), stills))


if __name__ == "__main__":
    tyro.cli(main)
