"""The truth about where a face's points are."""

from __future__ import annotations

import cv2
import numpy as np

from faceswap_gan.synthetic.eyes import lids
from faceswap_gan.synthetic.head import Head
from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array
from faceswap_gan.synthetic.skin import lip_edges

NAMES = (
    "eye_left", "eye_right", "nose_tip", "mouth_left", "mouth_right",
    "eye_left_outer", "eye_left_inner", "eye_left_upper", "eye_left_lower",
    "eye_right_outer", "eye_right_inner", "eye_right_upper", "eye_right_lower",
    "brow_left_outer", "brow_left_middle", "brow_left_inner",
    "brow_right_outer", "brow_right_middle", "brow_right_inner",
    "lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer",
    "cheek_left", "jaw_left", "chin", "jaw_right", "cheek_right",
)  # fmt: skip
"""Names of the points, in order; left and right are the image's."""

_EYE_MIDDLE = -0.12
"""Height of the middle of an open eye, half way between the lids, cm."""


def marks(person: Person, head: Head, projected: Array, pose: Pose) -> Array:
    """Read the points off a projected head.

    Args:
        person: Whose head.
        head: Its surface.
        projected: Pixel position of every vertex, float32 (rows, columns, 2).
        pose: The moment; blinks and smiles move the lids.

    Returns:
        float32 (len(NAMES), 2), px. Points on the far side of the nose are where they would be seen.
    """
    at = head.loft.grid_of(_sheet_points(person, pose))
    lips = {NAMES.index("lip_upper_inner"): head.slit_row, NAMES.index("lip_lower_inner"): head.slit_row + 1}
    for number, row in lips.items():
        at[number, 1] = row
    return np.asarray(cv2.remap(projected, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR)[0], np.float32)


def _sheet_points(person: Person, pose: Pose) -> list[tuple[float, float]]:
    """List the sheet coordinates of `NAMES`, cm."""
    mouth, corner = person.mouth_y, person.mouth_width
    zero = np.zeros(1, np.float32)
    up, down = lip_edges(person, zero)
    sheet: list[tuple[float, float]] = [
        (-person.eye_x, _EYE_MIDDLE),
        (person.eye_x, _EYE_MIDDLE),
        (0.0, person.nose_tip),
    ]
    sheet += [(-corner, mouth), (corner, mouth)]
    for sign in (-1.0, 1.0):
        edge = lids(
            person, zero, blink=pose.blink_left if sign < 0 else pose.blink_right, smile=pose.smile,
            look_down=pose.gaze_y,
        )  # fmt: skip
        tilt = person.eye_tilt * person.eye_width
        middle = sign * person.eye_x
        sheet += [(middle + sign * person.eye_width, -tilt), (middle - sign * person.eye_width, tilt)]
        sheet += [(middle, float(edge.upper[0])), (middle, float(edge.lower[0]))]
    for sign in (-1.0, 1.0):
        arch = person.brow_y + 0.25 - 1.4 * person.brow_arch
        sheet += [(sign * 5.2, person.brow_y + 0.3), (sign * 3.8, arch), (sign * 1.5, person.brow_y + 0.25)]
    sheet += [
        (0.0, mouth - float(up[0])),
        (0.0, mouth - 0.02),
        (0.0, mouth + 0.02),
        (0.0, mouth + float(down[0])),
    ]
    sheet += [(-6.6, 3.0), (-5.0, 8.2), (0.0, person.chin_y - 0.4), (5.0, 8.2), (6.6, 3.0)]
    return sheet
