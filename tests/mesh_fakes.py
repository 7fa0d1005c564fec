"""A provider and a face finder that know a drawn head by where it is."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from heads import head, picture

from faceswap_gan.faces.alignment import align
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.media.video import Frame

Look = Callable[[int], Landmarks | None]


def frame_of(index, image):
    return Frame(index, index, Fraction(1, 25), image)


def film(look: Look, count: int, **paint):
    """Frames of a drawn head; a bare ground where ``look`` gives nothing."""
    for index in range(count):
        mesh = look(index)
        image = np.full((128, 128, 3), 90, np.uint8) if mesh is None else picture(mesh, **paint)
        yield frame_of(index, image)


def finder_of(look: Look):
    """What stands for `find_faces`: one face where ``look`` gives a mesh; the box carries the frame's number."""

    def find(frames, detector, *, size=256, max_faces=1, **_):
        for frame in frames:
            crops = ()
            if look(frame.index) is not None:
                points = np.asarray([[40, 50], [80, 50], [60, 70], [45, 90], [75, 90]], np.float32)
                face = Face(np.asarray([frame.index, 0, 100, 100], np.float32), points, 1.0)
                crops = (FaceCrop(frame.image, frame.index, track=3, face=face, alignment=align(points)),)
            yield FoundFrame(frame, crops)

    return find


class FakeProvider:
    """Gives the drawn head of the frame that the face's box tells."""

    name = "mesh"

    def __init__(self, look: Look) -> None:
        self._look = look

    def find(self, image, face):
        found = self._look(int(face.box[0]))
        assert found is not None
        return found


def still(index):
    return head()
