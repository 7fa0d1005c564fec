"""A blurred room to stand a person in front of."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def build_backdrop(size: int, *, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Paint an out-of-focus room: wall, window, shelves with books, lamps.

    Args:
        size: Side of the picture, px.
        rng: Source of randomness; the same state gives the same room.

    Returns:
        RGB uint8 (size, size, 3).
    """
    room = _wall(rng)
    _window(room, rng)
    _shelves(room, rng)
    room = cv2.GaussianBlur(room, (0, 0), 7.0)
    for _ in range(3):
        centre = (int(rng.uniform(0, 320)), int(rng.uniform(0, 140)))
        glow = np.zeros_like(room)
        cv2.circle(glow, centre, int(rng.uniform(6, 14)), (70.0, 58.0, 36.0), -1, cv2.LINE_AA)
        room += cv2.GaussianBlur(glow, (0, 0), 3.0)
    scaled = cv2.resize(room, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _wall(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    base = rng.uniform(70, 130, 3).astype(np.float32)
    fall = np.linspace(1.15, 0.7, 320, dtype=np.float32)[:, None, None]
    sweep = np.linspace(rng.uniform(0.75, 0.95), rng.uniform(1.0, 1.2), 320, dtype=np.float32)[None, :, None]
    return np.ascontiguousarray(base * fall * sweep)


def _window(room: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    left = int(rng.choice([10, 215]))
    sky = tuple(float(c) for c in rng.uniform((165, 180, 190), (205, 215, 230)))
    for column in range(2):
        for row in range(3):
            x, y = left + 48 * column, 18 + 58 * row
            cv2.rectangle(room, (x, y), (x + 42, y + 52), sky, -1)


def _shelves(room: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    left, right = (175, 320) if room[40, 30].mean() > room[40, 250].mean() else (0, 150)
    for y in (70, 150, 230):
        cv2.rectangle(room, (left, y), (right, y + 8), (62.0, 46.0, 34.0), -1)
        x = left + 4
        while x < right - 12:
            width, height = int(rng.uniform(8, 18)), int(rng.uniform(32, 58))
            colour = tuple(float(c) for c in rng.uniform(40, 170, 3))
            cv2.rectangle(room, (x, y - height), (x + width, y - 1), colour, -1)
            x += width + int(rng.uniform(1, 10))
