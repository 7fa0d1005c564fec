"""A detector that reads from a script, and the frames that go with it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from faceswap_gan.faces.detector import Face
from faceswap_gan.media.video import Frame


def face(x, y=40.0, width=60.0, score=0.99):
    box = np.asarray([x, y, x + width, y + 1.3 * width], np.float32)
    parts = np.asarray([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return Face(box, (box[:2] + parts * width * [1, 1.3]).astype(np.float32), score)


class Scripted:
    """A detector whose answer for frame i is script[i]; a frame's number is its first two pixels."""

    min_size, threshold = 20, 0.9

    def __init__(self, script):
        self.script = script

    def detect(self, images, *, min_size=None):
        return [self.script[self._number(image)] for image in images]

    def refine(self, images, boxes):
        known = [self.script[self._number(image)] for image in images]
        return [
            min(faces, key=lambda f: np.abs(f.box - box).sum(), default=Face(box, np.zeros((5, 2)), 0.1))
            for faces, box in zip(known, boxes, strict=True)
        ]

    @staticmethod
    def _number(image):
        return int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])


def frames(count, scene=lambda i: 0):
    for i in range(count):
        image = np.zeros((160, 320, 3), np.uint8)
        image[20:, scene(i) * 100 : scene(i) * 100 + 100] = 200
        image[0, 0] = (i % 256, i // 256, 0)
        yield Frame(i, i, Fraction(1, 30), image)
