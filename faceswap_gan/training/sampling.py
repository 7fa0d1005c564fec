"""Which faces of a person are drawn how often, and which moments."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.config import Sampling
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.quality import estimate_yaw

_KINDS = 24  # groups of like faces
_SIDE = 16  # px: side of the picture by which faces are likened
_PARTS = ((0.7, 12, 7), (0.7, 12, 7), (1.3, 18, 13))  # eyes and mouth: width in eye distances, patch in px
_YAW_STEP = 5.0  # degrees


def face_probabilities(
    crops: NDArray[np.uint8],
    balance: float,
    *,
    sampling: Sampling = "pictures",
    landmarks: NDArray[np.float32] | None = None,
    drawn: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Tell how often each face is drawn: some evenly over the frames, some evenly over kinds of face.

    In a clip of someone talking, a broad smile or a turned head fills few frames; drawn evenly over frames it is
    hardly learned.

    Args:
        crops: a person's faces, RGB uint8 (N, S, S, 3), S at least 16.
        balance: share drawn evenly over kinds, in [0, 1]; 0 draws every face alike.
        sampling: what makes a kind: ``pictures`` and ``expression`` are 24 clusters, of the whole pictures at
            16 x 16 px or of what the eyes and the mouth look like; ``yaw`` is 5 degrees of the head's turn.
        landmarks: the five points of each, (N, 5, 2) px, NaN where unknown; None: all unknown.
        drawn: which may be drawn at all, (N,); None: all.

    Returns:
        float64 (N,), sums to 1.

    Raises:
        SettingsError: yaw is asked for where no landmarks are known.

    References:
        Kang et al. (2020), Decoupling representation and classifier, section 4.1 (class-balanced sampling); clusters
        by k-means++.
    """
    allowed = np.ones(len(crops)) if drawn is None else drawn.astype(np.float64)
    even = np.asarray(allowed / allowed.sum())
    if balance == 0.0 or len(crops) <= _KINDS:
        return even
    if sampling == "yaw":
        kinds = _yaw_kinds(landmarks)
    else:
        kinds = _cluster(_thumbnails(crops) if sampling == "pictures" else _expressions(crops, landmarks))
    sizes = np.bincount(kinds, weights=allowed)
    over_kinds = allowed / (np.count_nonzero(sizes) * np.maximum(sizes[kinds], 1.0))
    return np.asarray((1.0 - balance) * even + balance * over_kinds)


def _yaw_kinds(landmarks: NDArray[np.float32] | None) -> NDArray[np.int64]:
    if landmarks is None:
        raise SettingsError(
            "sampling over yaw needs landmarks: expected faces.jsonl beside the faces, got plain pictures; "
            "extract the faces from their video or leave --sampling yaw out."
        )
    yaw = estimate_yaw(landmarks)
    steps = np.rint(yaw / _YAW_STEP)
    known = np.nan_to_num(steps, nan=np.nanmin(steps) - 1)  # the unknown are a kind of their own
    return np.asarray(known - known.min(), np.int64)


def _thumbnails(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = [cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.stack(small).reshape(len(crops), -1).astype(np.float32)


def _expressions(crops: NDArray[np.uint8], landmarks: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Cut out eyes and mouth, level and of one size and contrast: float32 (N, pixels)."""
    usual = template(crops.shape[1])
    points = np.tile(usual, (len(crops), 1, 1)) if landmarks is None else landmarks
    rows = []
    for crop, five in zip(crops, np.where(np.isnan(points), usual, points), strict=True):
        grey = _grey(crop)
        centres = five[0], five[1], (five[3] + five[4]) / 2.0
        patches = [
            _patch(grey, centre, five[1] - five[0], part) for centre, part in zip(centres, _PARTS, strict=True)
        ]
        rows.append(np.concatenate([((p - p.mean()) / (p.std() + 1.0)).ravel() for p in patches]))
    return np.stack(rows).astype(np.float32)


def _patch(
    grey: NDArray[np.float32], centre: NDArray[np.floating], along: NDArray[np.floating], part: tuple[float, int, int]
) -> NDArray[np.float32]:
    """Cut a part (its width in eye distances, then width and height in px of the patch) out of a picture."""
    width, columns, rows = part
    x, y = np.asarray(along, np.float64) * width / columns  # px of the picture for one of the patch
    turn = np.array([[x, -y], [y, x]])
    shift = np.asarray(centre, np.float64) - turn @ [(columns - 1) / 2.0, (rows - 1) / 2.0]
    matrix = np.column_stack([turn, shift])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(grey, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.float32)


def _cluster(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find clusters of rows, the same for the same rows."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 50, 0.1)
    _, found, _ = cv2.kmeans(points, _KINDS, np.empty(0, np.int32), stop, 3, cv2.KMEANS_PP_CENTERS)
    return np.asarray(found[:, 0], np.int64)


def moment_probabilities(crops: NDArray[np.uint8], masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Tell how often each frame is drawn as the first of two that follow each other.

    Half evenly, half as much as the face changes until the next frame: a blink lasts a few frames of a hundred.

    Args:
        crops: a person's faces in the order of the video, RGB uint8 (N, S, S, 3).
        masks: where change counts, uint8 (N, S, S, M); the largest of the M masks is taken.

    Returns:
        float64 (N,), sums to 1.
    """
    number = len(crops)
    change = np.zeros(number)
    for i in range(number - 1):
        difference = np.abs(_grey(crops[i + 1]) - _grey(crops[i]))
        weight = masks[i].max(axis=-1).astype(np.float32)
        change[i] = float((difference * weight).sum() / max(float(weight.sum()), 1.0))
    if not change.any():
        return np.full(number, 1.0 / number)
    return np.asarray(0.5 / number + 0.5 * change / change.sum())


def _grey(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.float32)
