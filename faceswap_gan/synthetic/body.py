"""Everything of a person but the head: neck and shoulders, ears, long hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceswap_gan.synthetic.loft import Loft, front_angles, ring_points
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array, curve, mix, noise, smoothstep
from faceswap_gan.synthetic.skin import TEXELS, Coat


@dataclass(frozen=True)
class Part:
    """A painted surface that hangs on the head, the shoulders or both."""

    loft: Loft
    rest: Array
    """Vertices at rest, float32 (rows, columns, 3), cm."""
    follow: Array
    """How far each ring follows the head's turning, 0 to 1, float32 (rows,)."""
    coat: Coat


def build_parts(person: Person) -> tuple[Part, ...]:
    """Shape and paint what surrounds a head.

    Args:
        person: Who.

    Returns:
        The surfaces, in any order; nearness decides what hides what.
    """
    parts = [_bust(person)]
    if person.hair_style == "long":
        return (*parts, _long_hair(person))
    return (*parts, _ear(person, -1.0), _ear(person, 1.0))


def _coat(colour: Array, gloss: Array | float) -> Coat:
    shine = np.broadcast_to(np.asarray(gloss, np.float32), colour.shape[:2])
    paint = np.dstack([colour, 255.0 * np.clip(shine, 0.0, 1.0)])
    return Coat(paint=np.clip(paint, 0, 255).astype(np.uint8), face=np.zeros(colour.shape[:2], np.uint8))


def _bust(person: Person) -> Part:
    levels = np.linspace(6.0, 30.0, 44).astype(np.float32)
    neck, wide = person.neck, person.shoulder
    knots = [6.0, 12.0, 14.0, 15.2, 16.4, 17.6, 19.0, 21.0, 30.0]
    widths = [
        neck,
        neck * 0.98,
        neck + 0.8,
        neck + 2.8,
        0.62 * wide,
        0.82 * wide,
        0.94 * wide,
        wide,
        wide * 1.03,
    ]
    loft = Loft(levels=levels, angles=front_angles(40, 6), widths=curve(levels, knots, widths, soft=0.03))
    front = curve(levels, [6.0, 13.0, 17.0, 21.0, 30.0], [neck, neck, neck + 1.8, neck + 3.6, neck + 4.6])
    rest = ring_points(loft, front, front, roundness=0.8, centre=curve(levels, [6.0, 16.0], [-1.6, -3.6]))
    x, y = loft.sheet[..., 0], loft.sheet[..., 1]
    cord = np.exp(-(((np.abs(x) - (4.2 - 0.32 * (y - 8.0))) / 0.7) ** 2)) * smoothstep(17.5, 15.0, y)
    rest[..., 2] += 0.45 * cord * (rest[..., 2] > -2.0)
    return Part(loft=loft, rest=rest, follow=smoothstep(16.0, 8.5, levels), coat=_bust_coat(person, loft))


def _bust_coat(person: Person, loft: Loft) -> Coat:
    fine = loft.refined(TEXELS)
    x, y = fine.sheet[..., 0], fine.sheet[..., 1]
    rng = np.random.default_rng(person.seed + 2)
    skin = np.asarray(person.skin, np.float32) * (1.0 + 0.02 * noise(x.shape, (9, 9), rng=rng))[..., None]
    shadow = 0.66 * smoothstep(14.2, 10.5, y)
    skin = skin * (1.0 - shadow[..., None] * np.array([0.85, 1.0, 1.05], np.float32))
    depth = 19.2 if person.hair_style == "long" else 16.6
    line = 15.0 + (depth - 15.0) * np.clip(1.0 - (np.abs(x) / (person.neck + 2.6)) ** 1.5, -0.3, 1.0)
    cloth = smoothstep(-0.06, 0.06, y - line)
    seam = np.exp(-(((y - line - 0.75) / 0.1) ** 2)) + np.exp(-(((y - line) / 0.12) ** 2))
    weave = 1.0 + 0.03 * noise(x.shape, (1.0, 1.0), rng=rng) - 0.2 * seam
    return _coat(mix(skin, np.asarray(person.cloth, np.float32) * weave[..., None], cloth), 0.2 * (1.0 - cloth))


def _long_hair(person: Person) -> Part:
    levels = np.concatenate([-12.9 + 8.9 * (1 - np.cos(np.linspace(0, np.pi / 2, 14))), np.arange(-3.2, 21.0, 0.8)])
    levels = levels.astype(np.float32)
    dome = np.sqrt(1.0 - np.clip((-4.0 - levels) / 8.9, 0.0, 1.0) ** 2.3 * 0.9995)
    knots = [-4.0, 0.0, 4.0, 9.0, 14.0, 18.0, 21.0]
    widths = curve(levels, knots, [8.3, 8.55, 8.9, 9.3, 9.7, 9.2, 7.8]) * dome * person.head_width
    loft = Loft(levels=levels, angles=front_angles(52, 8), widths=widths.astype(np.float32))
    front = curve(levels, knots, [8.2, 8.3, 8.4, 8.2, 8.6, 8.8, 8.4]) * dome
    back = curve(levels, knots, [9.6, 9.6, 9.2, 8.4, 7.8, 7.0, 6.0]) * dome
    rest = ring_points(loft, front, back, roundness=0.8, centre=-2.0)
    rng = np.random.default_rng(person.seed + 3)
    x, angle = loft.sheet[..., 0], np.radians(loft.angles)[None, :]
    parted = smoothstep(-5.0, 6.0, levels)[:, None] * (np.cos(angle) > 0)
    rest[..., 2] -= 13.0 * np.exp(-((x / 4.9) ** 4)) * parted
    waves = np.sin(7.0 * angle + 0.5 * levels[:, None]) * 0.22 + 0.2 * noise(x.shape, (1.2, 5.0), rng=rng)
    outward = np.stack([np.sin(angle) + 0 * x, 0 * x, np.cos(angle) + 0 * x], axis=-1)
    rest += (outward * (waves * smoothstep(-9.0, 2.0, levels)[:, None])[..., None]).astype(np.float32)
    fine = loft.refined(TEXELS)
    shape = (len(fine.levels), len(fine.angles))
    strands = 0.75 * noise(shape, (0.9, 26.0), rng=rng) + 0.6 * noise(shape, (3.5, 40.0), rng=rng)
    shade = np.clip(1.0 + 0.34 * strands, 0.35, 2.2) * smoothstep(24.0, 8.0, fine.levels)[:, None] ** 0.4
    colour = np.asarray(person.hair, np.float32) * shade[..., None] + 5.0 * (shade[..., None] - 1.0)
    return Part(
        loft=loft, rest=rest, follow=0.25 + 0.75 * smoothstep(20.0, 3.0, levels),
        coat=_coat(colour.astype(np.float32), 0.55 + 0.22 * strands),
    )  # fmt: skip


def _ear(person: Person, sign: float) -> Part:
    t = np.linspace(0.02, np.pi - 0.02, 15)
    levels = (-3.1 * np.cos(t)).astype(np.float32)
    ring = np.sin(t)
    loft = Loft(levels=levels, angles=front_angles(14, 4), widths=(1.75 * ring).astype(np.float32))
    flat = ring_points(loft, (0.62 * ring).astype(np.float32), (0.62 * ring).astype(np.float32), roundness=1.0)
    flat[..., 0] *= 1.0 - 0.22 * smoothstep(0.0, 3.0, levels)[:, None]
    turn = np.radians(52.0) * sign
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    rest = np.stack([c * flat[..., 0] + s * flat[..., 2], flat[..., 1], c * flat[..., 2] - s * flat[..., 0]], axis=-1)
    rest += np.array([sign * (7.35 * person.head_width + 0.25), 1.6, -0.6], np.float32)
    fine = loft.refined(TEXELS)
    x, y = fine.sheet[..., 0], fine.sheet[..., 1]
    radius = np.hypot((x - 0.1 * sign) / 1.15, (y + 0.2) / 2.2)
    dark = 0.45 * smoothstep(0.75, 0.35, radius) - 0.1 * np.exp(-(((radius - 0.95) / 0.12) ** 2))
    dark += 0.25 * np.exp(-(((radius - 0.72) / 0.08) ** 2))
    rosy = np.asarray(person.skin, np.float32) * np.array([1.0, 0.86, 0.84], np.float32)
    colour = np.clip(rosy * (1.0 - dark[..., None]), 0, 255)
    return Part(loft=loft, rest=rest.astype(np.float32), follow=np.ones_like(levels), coat=_coat(colour, 0.2))
