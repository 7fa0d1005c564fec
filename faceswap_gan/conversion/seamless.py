"""Seamless blending: the difference of colours at a face's edge spread over all of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SIDE = 32
"""Side of the grid on which the spread is solved, px: it is smooth, so that more would not be seen."""

_PASSES = {8: 20, 16: 16, 32: 16}
_HOLD = 16.0  # what holds a pixel outside of the region to its own difference, against four neighbours


def membrane(painted: Floats, target: Floats, alpha: Floats) -> Floats:
    """Find what to add to a painted face so that it meets its surroundings.

    Poisson's equation with the painted face's gradients inside and the target's colours at the edge, written as
    Laplace's equation of their difference: what is added is as smooth as can be. The edge is soft: where the face
    is half painted, the difference counts as much as a neighbour does, so that no single pixel of it has the say.

    Args:
        painted: float32 (S, S, 3) in [0, 255].
        target: the crop it covers, float32 (S, S, 3) in [0, 255].
        alpha: how much of the face shows, float32 (S, S) in [0, 1].

    Returns:
        float32 (32, 32, 3) in levels, over the same square.

    References:
        Perez, Gangnet, Blake, "Poisson image editing", ACM Transactions on Graphics 22 (2003), eqs. 5 to 7.
    """
    away = np.clip(1 - alpha, 0, 1)
    weight = np.float32(_HOLD) * away * away * away
    known = np.dstack([weight[..., None] * (target - painted), weight])
    levels = {side: cv2.resize(known, (side, side), interpolation=cv2.INTER_AREA) for side in _PASSES}
    field = np.zeros((min(_PASSES), min(_PASSES), 3), np.float32)
    for side, passes in _PASSES.items():
        field = cv2.resize(field, (side, side), interpolation=cv2.INTER_LINEAR)
        # A pixel of a coarser grid stands for more of the edge, against the same four neighbours.
        scale = np.float32((SIDE / side) ** 2)
        field = _relax(field, levels[side][..., :3] * scale, levels[side][..., 3:] * scale, passes)
    return field


def _relax(field: Floats, pull: Floats, weight: Floats, passes: int) -> Floats:
    """Solve (weight + 4) h = pull + sum of the four neighbours by over-relaxed passes over a chequerboard."""
    side = field.shape[0]
    over = np.float32(2 / (1 + np.sin(np.pi / side)))  # the best factor for a square (Young, 1954)
    y, x = np.mgrid[:side, :side]
    share = over / (weight + 4)
    colours = [((x + y) % 2 == parity)[..., None] * share for parity in (0, 1)]
    damp = weight + 4
    padded = cv2.copyMakeBorder(field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inner = padded[1:-1, 1:-1]
    for _ in range(passes):
        for step in colours:
            around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
            inner += step * (pull + around - damp * inner)
            padded[0], padded[-1] = padded[1], padded[-2]
            padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
    return np.ascontiguousarray(inner)
