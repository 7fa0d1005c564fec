"""What lies around a bent face: the rest of its picture, bent along."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.faces.mesh_warp import Raster, SourceMap

Floats = npt.NDArray[np.float32]

_STEP = 4  # px: outside the face displacements are worked out on every fourth pixel
_NEAR, _FAR = 0.03, 0.25  # how far the face's rim, and all of it, is followed, in sides of the frame
_SOFT = 1.0  # px: width of the border between the face's own map and its surroundings'


def surround(there: SourceMap, raster: Raster, shape: tuple[int, ...]) -> SourceMap:
    """Continue the map of a mesh over all of its frame: what is near the face moves as its rim does.

    Args:
        there: where the raster's pixels come from, see `map_back`.
        raster: of the mesh.
        shape: of the frame, (H, W) or (H, W, C).

    Returns:
        Places for every pixel of the frame, float32 (H, W) each; inside the mesh those of ``there``, but for a rim of
        two pixels.
    """
    height, width = shape[:2]
    moved = np.zeros((height, width, 3), np.float32)  # displacement, and where it is known
    place, part = raster.overlap(shape)
    known = cv2.erode(raster.covered, np.ones((5, 5), np.uint8))[part].astype(np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    moved[place][..., 2] = known
    moved[place][..., 0] = np.where(known > 0, there.x[part] - columns[place], 0)
    moved[place][..., 1] = np.where(known > 0, there.y[part] - rows[place], 0)
    outside = _outside(moved)
    inside = cv2.GaussianBlur(moved[..., 2], (0, 0), _SOFT) * moved[..., 2]
    field = outside + inside[..., None] * (moved[..., :2] - outside)
    return SourceMap(columns + field[..., 0], rows + field[..., 1])


def _outside(moved: Floats) -> Floats:
    """Average the known displacements (H, W, 3) around each pixel: nearby where there are any, else all of them."""
    height, width = moved.shape[:2]
    few = cv2.resize(moved, (-(-width // _STEP), -(-height // _STEP)), interpolation=cv2.INTER_AREA)
    near, far = (cv2.GaussianBlur(few, (0, 0), reach * width / _STEP) for reach in (_NEAR, _FAR))
    trust = near[..., 2:] / (near[..., 2:] + np.float32(0.02))
    mean = [each[..., :2] / np.maximum(each[..., 2:], 1e-6) for each in (near, far)]
    return np.asarray(cv2.resize(mean[1] + trust * (mean[0] - mean[1]), (width, height)), np.float32)
