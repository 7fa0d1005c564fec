"""Tests of faceswap_gan.faces.boxes."""

import numpy as np
import pytest

from faceswap_gan.faces import boxes as bx


def test_iou_by_hand():
    boxes = np.asarray([[0, 0, 10, 10], [0, 0, 5, 5]], float)
    np.testing.assert_allclose(bx.iou(boxes, boxes), [[1, 0.25], [0.25, 1]])
    np.testing.assert_allclose(bx.iou(boxes, boxes, over="smaller"), 1)
    assert bx.iou(boxes, np.asarray([[20.0, 20, 30, 30]])).max() == 0


def test_iou_refuses_unknown_divisor():
    with pytest.raises(ValueError, match="union"):
        bx.iou(np.zeros((1, 4)), np.zeros((1, 4)), over="min")


def test_suppress_keeps_best_and_does_not_chain():
    # 1 is dropped by 0; 2 overlaps only the dropped one and stays.
    boxes = np.asarray([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], float)
    kept = bx.suppress(boxes, np.asarray([0.9, 0.8, 0.7]), threshold=0.3)
    assert kept.tolist() == [0, 2]


def test_suppress_of_nothing():
    assert bx.suppress(np.empty((0, 4)), np.empty(0), threshold=0.5).tolist() == []


def test_square():
    square = bx.square(np.asarray([[0.0, 10, 10, 30]]))
    np.testing.assert_allclose(square, [[-5, 10, 15, 30]])
    assert bx.area(square) == 400
