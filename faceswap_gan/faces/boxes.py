"""Boxes: overlap, suppression and squaring of xyxy rectangles.

A box is (x1, y1, x2, y2) in px, x to the right, y down; an array of boxes is float (n, 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


def area(boxes: FloatArray) -> FloatArray:
    """Compute the area of every box.

    Args:
        boxes: float (..., 4) xyxy px.

    Returns:
        float (...) square px; 0 for a box turned inside out.
    """
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def iou(boxes: FloatArray, others: FloatArray, *, over: str = "union") -> FloatArray:
    """Compute the overlap of every box with every other one.

    Args:
        boxes: float (n, 4) xyxy px.
        others: float (m, 4) xyxy px.
        over: what the common area is divided by, ``union`` of both or area of the ``smaller``.

    Returns:
        float (n, m) in [0, 1].

    Raises:
        ValueError: ``over`` is neither ``union`` nor ``smaller``.
    """
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.prod(np.maximum(opposite - corner, 0), axis=-1)
    area_1, area_2 = area(boxes)[:, None], area(others)[None, :]
    if over == "union":
        whole = area_1 + area_2 - common
    elif over == "smaller":
        whole = np.minimum(area_1, area_2)
    else:
        raise ValueError(f"over must be 'union' or 'smaller'. Received: {over!r}")
    return np.asarray(common / np.maximum(whole, 1e-9))


def suppress(boxes: FloatArray, scores: FloatArray, *, threshold: float, over: str = "union") -> npt.NDArray[np.intp]:
    """Choose the boxes that greedy non-maximum suppression keeps.

    Args:
        boxes: float (n, 4) xyxy px.
        scores: float (n,), the higher the better.
        threshold: a box that overlaps a kept, better one by more than this is dropped.
        over: as in `iou`.

    Returns:
        int (k,) indices of the kept boxes, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    overlap = iou(boxes[order], boxes[order], over=over) > threshold
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlap[i, i + 1 :]
    return order[alive]


def square(boxes: FloatArray) -> FloatArray:
    """Widen every box to a square of its longer side around the same centre.

    Args:
        boxes: float (n, 4) xyxy px.

    Returns:
        float (n, 4) xyxy px.
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)
