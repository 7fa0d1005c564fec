"""How landmarks tremble, and how late they are: the figures of `benchmarks/extract.py`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from faceswap_gan.media.video import read_frames

SHIFTS = 3  # frames either way that a lag is looked for


def tremble(
    points: dict[int, np.ndarray], motion: dict[int, np.ndarray], span: float, where: set[int]
) -> dict[str, float]:
    """Mean change of motion from frame to frame, in per cent of the eye distance: against the picture, and plain.

    Against the picture: the face's own motion from frame to frame is taken out, and what is left is the landmarks'.
    """
    against, plain = [], []
    for i in where:
        if {i - 1, i, i + 1} <= where and {i, i + 1} <= motion.keys() and {i - 1, i, i + 1} <= points.keys():
            steps = [points[k] - _move(motion[k], points[k - 1]) for k in (i, i + 1)]
            against.append(np.linalg.norm(steps[1] - steps[0], axis=1).mean())
            plain.append(np.linalg.norm(points[i + 1] - 2 * points[i] + points[i - 1], axis=1).mean())
    return {
        "against_the_picture": round(100 * float(np.mean(against)) / span, 3),
        "plain": round(100 * float(np.mean(plain)) / span, 3),
    }


def lag(points: dict[int, np.ndarray], raw: dict[int, np.ndarray]) -> int:
    """Frames by which the motion of some points follows that of others: where the cross-correlation peaks."""
    scores = []
    for shift in range(-SHIFTS, SHIFTS + 1):
        pairs = [
            (points[i + shift] - points[i + shift - 1], raw[i] - raw[i - 1])
            for i in raw
            if i - 1 in raw and {i + shift, i + shift - 1} <= points.keys()
        ]
        ours, theirs = (np.stack(side).ravel() for side in zip(*pairs, strict=True))
        scores.append(np.corrcoef(ours, theirs)[0, 1])
    return int(np.argmax(scores)) - SHIFTS


def measure_motion(video: Path, boxes: dict[int, np.ndarray], wanted: set[int]) -> dict[int, np.ndarray]:
    """Measure a face's own motion by optical flow: frame number to the similarity (2, 3) from the frame before."""
    motion: dict[int, np.ndarray] = {}
    last: tuple[int, np.ndarray] | None = None
    for frame in read_frames(video):
        if frame.index not in wanted or frame.index not in boxes:
            last = None
            continue
        grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        if last is not None and last[0] in boxes:
            x1, y1, x2, y2 = (int(v) for v in boxes[last[0]])
            room = (x2 - x1) // 2
            left, top = max(x1 - room, 0), max(y1 - room, 0)
            part = (slice(top, y2 + room), slice(left, x2 + room))
            mask = np.zeros_like(grey)
            mask[max(y1, 0) : y2, max(x1, 0) : x2] = 255
            matrix = _follow(last[1][part], grey[part], mask[part])
            if matrix is not None:
                matrix[:, 2] += [left, top] - matrix[:, :2] @ [left, top]
                motion[frame.index] = matrix
        last = (frame.index, grey)
    return motion


def _follow(before: np.ndarray, after: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    corners = cv2.goodFeaturesToTrack(before, 150, 0.01, 5, mask=mask)
    if corners is None or len(corners) < 8:
        return None
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None, winSize=(21, 21), maxLevel=3)
    kept = found[:, 0] > 0
    matrix, _ = cv2.estimateAffinePartial2D(corners[kept], there[kept], ransacReprojThreshold=1.0)
    return matrix


def _move(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]
