"""Seamless blending: the difference of colours at a face's edge spread over all of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SIDE = 32
"""Side of the grid on which the spread is solved, px: it is smooth, so that more would not be seen."""

_PASSES = {8: 20, 16: 16, 32: 16}
_ODD = 40.0  # levels, over the three channels, by which a pixel is off that has a quarter of its say
_RIM = 0.1  # alpha between this and 1 less this is the face's rim
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
    difference, alpha = (
        np.asarray(cv2.resize(x, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
        for x in (target - painted, alpha)
    )
    away = np.clip(1 - alpha, 0, 1)
    rim = (alpha > _RIM) & (away > _RIM)
    usual = np.median(difference[rim], axis=0) if rim.any() else np.zeros(3, np.float32)
    # Hair and background beside the face differ by far more than light does: they have little say (Geman and
    # McClure's weight, of how far a pixel is off the rim's usual difference).
    off = np.square((difference - usual) / np.float32(_ODD)).sum(axis=2)
    weight = (np.float32(_HOLD) * away * away * away / np.square(1 + off)).astype(np.float32)
    known = np.dstack([weight[..., None] * difference, weight])
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
