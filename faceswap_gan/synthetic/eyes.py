"""Paint the eyes: lids that close, a gaze that moves, lashes, iris and catchlight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array, mix, smoothstep

IRIS_RADIUS = 0.66
"""Radius of the iris, cm; drawn a little large, as portraits do."""

_SOFT = 0.045


@dataclass(frozen=True)
class EyePaint:
    """What the pixels about one eye look like."""

    colour: Array
    """sRGB, float32 (n, 3), 0 to 255."""
    opening: Array
    """1 between the lids, 0 outside, float32 (n,)."""
    glint: Array
    """Light mirrored by the cornea, float32 (n,), 0 to 1."""


@dataclass(frozen=True)
class Lids:
    """Heights of both lids' edges over the line through the eye's centre; cm, y down."""

    upper: Array
    lower: Array
    crease: Array


def lids(person: Person, outward: Array, *, blink: float, smile: float, look_down: float) -> Lids:
    """Trace the edges of the eyelids.

    Args:
        person: Whose.
        outward: Distance from the eye's centre towards the temple, float32 (n,), cm.
        blink: 0 open to 1 closed.
        smile: 0 to 1; a smile lifts the lower lid.
        look_down: Vertical gaze, -1 up to 1 down; the upper lid follows it.

    Returns:
        The edges, in the eye's own tilted axes.
    """
    span = np.clip(np.abs(outward) / person.eye_width, 0.0, 1.0)
    lean = 1.0 - 0.16 * outward / person.eye_width
    arc = np.clip(1.0 - span**2.1, 0.0, 1.0)
    open_upper = -person.eye_height * arc**0.72 * lean
    lower = 0.56 * person.eye_height * arc**0.85 * (2.0 - lean) * (1.0 - 0.45 * smile)
    closing = np.clip(blink + 0.28 * max(look_down, 0.0) * (1.0 - blink), 0.0, 1.0)
    upper = open_upper + (lower - open_upper) * np.float32(closing) - 0.08 * min(look_down, 0.0) * open_upper
    crease = open_upper - 0.36 - 0.1 * arc
    return Lids(upper=upper, lower=np.maximum(lower, upper), crease=crease)


def paint_eye(person: Person, pose: Pose, colour: Array, x: Array, y: Array, *, right: bool) -> EyePaint:
    """Paint one eye over the skin.

    Args:
        person: Whose.
        pose: Blink, gaze, smile and light of the moment.
        colour: Skin about the eye, sRGB float32 (n, 3), 0 to 255.
        x: Sheet x of the pixels, float32 (n,), cm.
        y: Sheet y, float32 (n,), cm.
        right: Whether it is the eye on the image's right.

    Returns:
        The pixels' new look.
    """
    sign = 1.0 if right else -1.0
    blink = pose.blink_right if right else pose.blink_left
    outward = (sign * x - person.eye_x).astype(np.float32)
    height = (y + person.eye_tilt * outward).astype(np.float32)
    edge = lids(person, outward, blink=blink, smile=pose.smile, look_down=pose.gaze_y)
    colour = _skin_of_lids(person, colour, outward, height, edge, blink)
    gap = np.minimum(height - edge.upper, edge.lower - height)
    opening = smoothstep(-_SOFT, _SOFT, gap) * smoothstep(person.eye_width, person.eye_width - 0.1, np.abs(outward))
    opening *= smoothstep(0.02, 0.14, edge.lower - edge.upper)
    ball, glint = _eyeball(person, pose, outward, height, edge, sign)
    colour = mix(colour, ball, opening)
    return EyePaint(colour=_lashes(person, colour, outward, height, edge), opening=opening, glint=glint * opening)


def _eyeball(
    person: Person, pose: Pose, outward: Array, height: Array, edge: Lids, sign: float
) -> tuple[Array, Array]:
    dx = sign * outward - 0.62 * pose.gaze_x
    dy = height + 0.06 - 0.36 * pose.gaze_y
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    white = np.broadcast_to(np.array([236.0, 232.0, 228.0], np.float32), (*outward.shape, 3))
    corner = smoothstep(0.55, 1.05, np.abs(outward) / person.eye_width)
    white = mix(white, (206.0, 168.0, 158.0), 0.75 * corner)
    fibres = 0.5 + 0.25 * np.sin(17 * angle) * np.sin(29 * angle + 1.3) + 0.25 * np.cos(41 * angle)
    light = np.asarray(person.iris, np.float32) * np.float32(1.25) + np.float32(14.0)
    ring = smoothstep(0.26, 0.5, radius) * (0.55 + 0.45 * fibres)
    iris = mix(np.broadcast_to(light, white.shape), np.asarray(person.iris, np.float32) * 0.8, ring)
    iris = mix(iris, np.asarray(person.iris, np.float32) * 0.3, smoothstep(0.5, 0.66, radius))
    iris = mix(iris, (10.0, 8.0, 8.0), smoothstep(0.3, 0.24, radius))
    ball = mix(white, iris, smoothstep(IRIS_RADIUS + 0.05, IRIS_RADIUS - 0.03, radius))
    shade = 1.0 - 0.42 * smoothstep(0.42, 0.0, height - edge.upper) - 0.12 * smoothstep(0.2, 0.0, edge.lower - height)
    glint_x = 0.24 * np.clip(pose.light_azimuth / 40.0, -1.0, 1.0)
    spot = np.hypot(dx - glint_x, dy + 0.24)
    small = np.hypot(dx + glint_x, dy - 0.26)
    glint = smoothstep(0.19, 0.1, spot) + 0.25 * smoothstep(0.13, 0.05, small)
    return np.asarray(ball * shade[..., None], np.float32), np.asarray(glint, np.float32)


def _skin_of_lids(person: Person, colour: Array, outward: Array, height: Array, edge: Lids, blink: float) -> Array:
    across = smoothstep(person.eye_width + 0.45, person.eye_width - 0.4, np.abs(outward))
    lid = smoothstep(edge.crease - 0.25, edge.crease + 0.15, height) * smoothstep(0.12, 0.0, height - edge.upper)
    colour = mix(colour, person.shadow, person.eye_shadow * lid * across)
    line = np.exp(-(((height - edge.crease) / 0.1) ** 2)) * across
    return mix(colour, colour * np.float32(0.55), (0.62 - 0.4 * blink) * line)


def _lashes(person: Person, colour: Array, outward: Array, height: Array, edge: Lids) -> Array:
    wing = np.clip(outward / person.eye_width, -1.0, 1.25)
    thick = person.lash * (1.0 + 0.55 * wing) + 0.03
    reach = smoothstep(person.eye_width + 0.16 + 1.5 * person.lash, person.eye_width - 0.08, np.abs(outward))
    middle = edge.upper - 0.45 * thick - 1.1 * person.lash * np.clip(wing - 0.8, 0.0, 1.0)
    upper = np.exp(-(((height - middle) / thick) ** 2)) * reach
    colour = mix(colour, (26.0, 16.0, 14.0), np.clip(0.95 * upper, 0, 1))
    lower = np.exp(-(((height - edge.lower - 0.04) / 0.06) ** 2)) * reach
    return mix(colour, colour * np.float32(0.5), 0.6 * lower)
