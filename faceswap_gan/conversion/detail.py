"""The frame's own finest detail over a painted face: skin, stubble, grain, rims of glasses."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.finish import FACE

Floats = npt.NDArray[np.float32]

_FINEST = 0.012  # deviation of the blur that what is kept is finer than, in widths of the face
_COARSER = 4.0  # times that: the structure that tells whether both faces have their edges in the same places
_AROUND = 2.5  # times that: how far around a pixel it is compared
_FLAT = 4.0  # levels of structure below which a painted face has none of its own

# What shows whose face it is, and must not be drawn twice: centre as an offset from a landmark, half width and
# half height of an ellipse, all in distances between the eyes.
_FEATURES: dict[str, tuple[tuple[int, ...], float, float, float]] = {
    "eyes": ((0, 1), 0.0, 0.30, 0.17),
    "brows": ((0, 1), -0.36, 0.38, 0.14),
    "nostrils": ((2,), 0.10, 0.30, 0.16),
    "mouth": ((3, 4), 0.0, 0.48, 0.24),
}
_FEW = 64  # px of a side on which they are drawn
_SOFTNESS = 0.5  # width of an ellipse's edge, in parts of its radius


def detail_weight(painted: Floats, target: Floats, landmarks: npt.NDArray[np.float64]) -> Floats:
    """Say where the frame's detail may lie over a painted face without a second edge beside one of its own.

    Nowhere on eyes, brows, nostrils and mouth, which are the painted person's; elsewhere where the painted face is
    smooth, or has its structure in the same places as the frame.

    Args:
        painted: float32 (S, S, 3) in [0, 255].
        target: the crop it covers, float32 (S, S, 3) in [0, 255].
        landmarks: the five points in the crop, float (5, 2) px.

    Returns:
        float32 (S, S) in [0, 1].
    """
    sigma = _FINEST * FACE * len(painted)
    own, below = (_structure(image, sigma) for image in (painted, target))
    energy, other, both = (
        cv2.GaussianBlur(x, (0, 0), _AROUND * sigma) for x in (own * own, below * below, own * below)
    )
    agreement = np.clip(both / np.sqrt(energy * other + 1e-3), 0, 1)
    busy = energy / (energy + _FLAT**2)
    return np.asarray((1 - busy * (1 - agreement)) * _beside_features(landmarks, len(painted)), np.float32)


def finest_detail(luma: Floats, face: float) -> Floats:
    """Give what is finest in a frame, float32 (h, w) levels.

    Args:
        luma: of the frame, float32 (h, w) in [0, 255].
        face: width of the face in it, px.
    """
    return np.asarray(cv2.subtract(luma, cv2.GaussianBlur(luma, (0, 0), max(_FINEST * face, 0.3))), np.float32)


def _structure(image: Floats, sigma: float) -> Floats:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    fine, coarse = (cv2.GaussianBlur(luma, (0, 0), s) for s in (sigma, _COARSER * sigma))
    return np.asarray(cv2.subtract(fine, coarse), np.float32)


def _beside_features(landmarks: npt.NDArray[np.float64], size: int) -> Floats:
    """Draw 0 on eyes, brows, nostrils and mouth, 1 beside them."""
    across = landmarks[1] - landmarks[0]
    distance = max(float(np.hypot(*across)), 1e-6)
    across = across / distance
    down = np.asarray([-across[1], across[0]])
    # The ellipses are soft: every second pixel of a crop of 128 px tells.
    few = max(1, size // _FEW)
    y, x = _places(size // few, few)
    u, v = (cv2.addWeighted(x, axis[0], y, axis[1], 0) for axis in (across, down))
    nearest = np.full(x.shape, np.inf, np.float32)
    for points, offset, half_width, half_height in _FEATURES.values():
        centres = landmarks[list(points)]
        for centre in [centres.mean(axis=0)] if points == (3, 4) else centres:
            cu, cv = np.float32(centre @ across), np.float32(centre @ down + offset * distance)
            beside, below = (
                (u - cu) / np.float32(half_width * distance),
                (v - cv) / np.float32(half_height * distance),
            )
            cv2.min(nearest, cv2.magnitude(beside, below), dst=nearest)
    kept = np.clip((nearest - 1) / np.float32(_SOFTNESS) + np.float32(0.5), 0, 1)
    return np.asarray(cv2.resize(kept, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=4)
def _places(count: int, step: int) -> Floats:
    """Give rows and columns of a grid whose cells are ``step`` px wide, float32 (2, count, count); shared."""
    return np.asarray(np.mgrid[:count, :count] * step + (step - 1) / 2, np.float32)
