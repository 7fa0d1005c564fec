"""The head's surface: skull, features pushed in and out of it, and how expressions move them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceswap_gan.synthetic.loft import Loft, front_angles, ring_points
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array, bump, curve, noise, smoothstep

LIP_SLIT = 0.02
"""Half the height of the closed mouth's slit, cm."""

FRONT_CELLS = 62
"""Grid cells from ear to ear across the face."""

_TOP, _CAP_END, _NOMINAL_CHIN = -11.6, -3.0, 11.6


@dataclass(frozen=True)
class Head:
    """One person's head at rest and the directions in which expressions move it."""

    loft: Loft
    rest: Array
    """Vertices at rest, float32 (rows, columns, 3), cm."""
    moves: dict[str, Array]
    """Displacement at full strength of "jaw", "smile", "round" and "brow", each like `rest`."""
    slit_row: int
    """Row of the upper lip's edge; the lower lip's edge is the next one."""


def build_head(person: Person) -> Head:
    """Shape the head of a person.

    Args:
        person: Who.

    Returns:
        Its surface and expressions.
    """
    levels = _levels(person)
    slit_row = int(np.searchsorted(levels, person.mouth_y - LIP_SLIT - 1e-4))
    loft = Loft(levels=levels, angles=front_angles(FRONT_CELLS, 9), widths=_widths(person, levels))
    front, back = _depths(person, levels)
    rest = ring_points(loft, front, back, roundness=0.86)
    x, y = loft.sheet[..., 0], loft.sheet[..., 1]
    facing = smoothstep(0.0, 0.25, np.cos(np.radians(loft.angles)))[None, :]
    rest[..., 2] += facing * (_relief(person, x, y) + _nose(person, x, y))
    rest[..., 1] += facing * _mouth_bow(person, x, y)
    rest += _hair_and_beard(person, loft, rest)
    moves = _moves(person, x, y, slit_row)
    return Head(loft=loft, rest=rest, moves={k: m * facing[..., None] for k, m in moves.items()}, slit_row=slit_row)


def hair_weight(person: Person, loft: Loft, *, soft: float = 0.4) -> Array:
    """Say where hair grows on the head.

    Args:
        person: Whose.
        loft: Grid of the head.
        soft: Half the width of the hairline's ramp, cm.

    Returns:
        0 (skin) to 1 (hair), float32 (rows, columns).
    """
    side = np.abs(loft.angles)
    h = person.hairline
    if person.hair_style == "long":
        heights = [h - 0.7, h + 0.0, h + 1.5, -2.0, 3.0, 6.0, 9.0, 9.0]
    else:
        heights = [h + 0.1, h - 0.3, h + 0.2, -4.2, -0.6, 2.0, 0.5, 7.5]
    line = curve(side, [0, 22, 40, 55, 64, 72, 95, 180], heights, soft=0.02)
    return smoothstep(soft, -soft, loft.levels[:, None] - line[None, :])


def beard_weight(person: Person, x: Array, y: Array) -> Array:
    """Say where the beard grows.

    Args:
        person: Whose.
        x: Sheet x, float32, any shape, cm.
        y: Sheet y, same shape.

    Returns:
        0 to 1, already times the person's density, shape of `x`.
    """
    mouth, side = person.mouth_y, np.abs(x)
    top = curve(
        side,
        [0, 1.8, 3.0, 4.2, 5.6, 6.6],
        [mouth + 0.75, mouth + 0.6, mouth - 0.2, mouth - 1.0, mouth - 2.6, 1.5],
    )
    cheeks = smoothstep(-0.35, 0.6, y - top)
    crown = mouth - 1.75 + 0.12 * side**2
    moustache = smoothstep(3.2, 2.3, side) * smoothstep(0.0, 0.3, mouth - y) * smoothstep(-0.25, 0.45, y - crown)
    return np.asarray(person.beard * np.maximum(cheeks, moustache), np.float32)


def _levels(person: Person) -> Array:
    cap = _TOP + (_CAP_END - _TOP) * (1.0 - np.cos(np.linspace(0.0, np.pi / 2, 18)))
    face = np.arange(_CAP_END + 0.28, person.chin_y + 0.9, 0.28)
    face = face[np.abs(face - person.mouth_y) > 0.12]
    slit = [person.mouth_y - LIP_SLIT, person.mouth_y + LIP_SLIT]
    return np.sort(np.concatenate([cap, face, slit])).astype(np.float32)


def _nominal(person: Person, levels: Array) -> Array:
    """Stretch heights below the eyes to the standard chin."""
    return np.asarray(np.where(levels > 0, levels * np.float32(_NOMINAL_CHIN / person.chin_y), levels))


def _dome(levels: Array) -> Array:
    rise = np.clip((_CAP_END - levels) / (_CAP_END - _TOP), 0.0, 1.0)
    return np.asarray(np.sqrt(1.0 - rise**2.3 * 0.9995))


def _widths(person: Person, levels: Array) -> Array:
    y = _nominal(person, levels)
    knots = [-3.0, 0.0, 2.0, 4.5, 6.5, 8.2, 9.6, 10.7, 11.5, 12.1, 12.6]
    jaw, head = person.jaw_width, person.head_width
    widths = [7.5 * head, 7.3 * head, 7.05 * head, 6.65 * (jaw + head) / 2, 6.2 * jaw, 5.6 * jaw]
    widths += [4.75 * jaw, 3.75 * jaw, 2.7 * jaw, 1.6 * jaw, 0.4 * jaw]
    return np.asarray(curve(y, knots, widths, soft=0.03) * _dome(levels), np.float32)


def _depths(person: Person, levels: Array) -> tuple[Array, Array]:
    y = _nominal(person, levels)
    knots = [-3.0, 0.0, 3.0, 6.0, 8.0, 9.8, 10.8, 11.5, 12.1, 12.6]
    front = curve(y, knots, [8.5, 8.2, 8.1, 8.15, 8.1, 7.9, 7.5, 6.4, 4.0, 1.5], soft=0.025)
    back = curve(y, [-3.0, 1.0, 5.0, 8.0, 12.6], [9.6, 9.2, 7.5, 4.5, 1.0], soft=0.04)
    return np.asarray(front * _dome(levels), np.float32), np.asarray(back * _dome(levels), np.float32)


def _relief(person: Person, x: Array, y: Array) -> Array:
    side, mouth = np.abs(x), person.mouth_y
    eye = person.eye_x
    relief = -1.15 * bump(side, y, (eye - 0.15, 0.0), (1.7, 1.15)) + 0.5 * bump(side, y, (eye, 0.05), (1.1, 0.75))
    relief += person.brow_ridge * bump(side, y, (2.6, person.brow_y + 0.2), (2.2, 0.65))
    relief += person.cheekbone * bump(side, y, (4.7, 3.0), (1.7, 1.5))
    relief -= 0.35 * bump(side, y, (6.4, -2.5), (1.2, 2.5))
    relief += 0.55 * bump(x, y, (0.0, mouth), (2.7, 1.9))
    lateral = np.exp(-((x / (person.mouth_width * 0.72)) ** 4))
    relief += lateral * 0.42 * bump(0 * x, y, (0.0, mouth - person.lip_upper * 0.55), (1.0, 0.3))
    relief += lateral * 0.5 * bump(0 * x, y, (0.0, mouth + person.lip_lower * 0.55), (1.0, 0.34))
    relief -= 0.2 * lateral * bump(x, y, (0.0, mouth), (9.0, 0.14))
    relief -= 0.3 * bump(side, y, (person.mouth_width + 0.25, mouth + 0.1), (0.45, 0.5))
    relief -= 0.45 * bump(x, y, (0.0, mouth + person.lip_lower + 0.65), (1.9, 0.45))
    relief -= 0.14 * bump(x, y, (0.0, mouth - 1.3), (0.28, 0.6))
    relief += person.chin * bump(x, y, (0.0, person.chin_y - 1.4), (1.7, 1.05))
    return np.asarray(relief, np.float32)


def _nose(person: Person, x: Array, y: Array) -> Array:
    tip, height, wide = person.nose_tip, person.nose_height, person.nose_width
    along = np.clip((y + 0.6) / (tip + 0.6), 0.0, 1.2)
    end = tip + 0.95 - 0.3 * np.minimum(np.abs(x), 1.5)
    ridge = height * (0.2 * smoothstep(-1.6, 0.6, y) + 0.5 * along**1.3) * smoothstep(end, end - 1.1, y)
    width = wide * (0.6 + 0.28 * along + 0.5 * smoothstep(-0.2, -2.0, y))
    nose = ridge * np.exp(-(np.abs(x / width) ** 2.0))
    nose += 0.33 * height * bump(x, y, (0.0, tip), (0.66 * wide, 0.62))
    nose += 0.36 * height * bump(np.abs(x), y, (1.1 * wide, tip + 0.3), (0.4 * wide, 0.42))
    nose += 0.1 * height * bump(x, y, (0.0, tip - 0.5), (1.6 * wide, 1.8))
    return np.asarray(nose, np.float32)


def _mouth_bow(person: Person, x: Array, y: Array) -> Array:
    """Bend the straight slit into a bow: the middle dips, the corners fall a little."""
    near = np.exp(-(((y - person.mouth_y) / 1.3) ** 2))
    bow = 0.1 * np.exp(-((x / 0.55) ** 2)) - 0.1 * np.exp(-(((np.abs(x) - 1.0) / 0.7) ** 2))
    return np.asarray(near * (bow - 0.09 * bump(np.abs(x), 0 * x, (person.mouth_width, 0.0), (0.8, 1.0))), np.float32)


def _hair_and_beard(person: Person, loft: Loft, rest: Array) -> Array:
    outward = rest - np.array([0.0, -2.0, -1.0], np.float32)
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    rng = np.random.default_rng(person.seed)
    lumps = 1.0 + 0.13 * noise(rest.shape[:2], (1.6, 1.6), rng=rng) * smoothstep(0.0, 4.0, loft.widths)[:, None]
    hair = hair_weight(person, loft, soft=1.3)
    top = smoothstep(3.0, -9.0, loft.levels)[:, None]
    front = np.clip(np.cos(np.radians(loft.angles)), 0.0, 1.0)[None, :] * bump(
        rest[..., 1], rest[..., 1], (-9.5, -9.5), (3, 3)
    )
    thickness = person.hair_depth * hair * lumps * (0.3 + 0.7 * top) * (1.0 + person.quiff * front)
    thickness += 0.45 * beard_weight(person, loft.sheet[..., 0], loft.sheet[..., 1]) * (1.0 - hair)
    return np.asarray(outward * thickness[..., None], np.float32)


def _moves(person: Person, x: Array, y: Array, slit_row: int) -> dict[str, Array]:
    side, sign, mouth, corner = np.abs(x), np.sign(x), person.mouth_y, person.mouth_width
    below = (np.arange(len(x)) > slit_row)[:, None]
    lip = np.sqrt(np.clip(1.0 - (x / corner) ** 2, 0.0, 1.0))
    reach = np.clip((y - mouth) / 3.0, 0.0, 1.0)
    bone = smoothstep(7.0, 3.2, side)
    lower = np.where(below, lip + (bone - lip) * smoothstep(0.0, 1.0, reach), 0.0)
    upper = np.where(below, 0.0, lip * np.exp(-(((y - mouth) / 0.9) ** 2)))
    pull = bump(side, y, (corner, mouth), (1.25, 1.2))
    cheek = bump(side, y, (4.3, 3.9), (1.6, 1.3))
    lips = bump(x, y, (0.0, mouth), (corner * 0.8, 0.9))
    raised = bump(side, y, (2.9, person.brow_y), (2.6, 1.0))
    zero = np.zeros_like(x)

    def move(dx: Array, dy: Array, dz: Array) -> Array:
        return np.stack([dx, dy, dz], axis=-1).astype(np.float32)

    return {
        "jaw": move(-0.3 * sign * pull, 2.1 * lower - 0.28 * upper, -0.55 * lower),
        "smile": move(0.75 * sign * pull, -0.55 * pull - 0.35 * cheek - 0.18 * upper, 0.5 * cheek - 0.45 * pull),
        "round": move(-0.75 * sign * pull, zero, 0.55 * lips),
        "brow": move(zero, -0.75 * raised, 0.1 * raised),
    }
