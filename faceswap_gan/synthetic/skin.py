"""Paint what never changes on a head: skin, lips, nostrils, brows, beard and hair."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.synthetic.head import LIP_SLIT, Head, beard_weight, hair_weight
from faceswap_gan.synthetic.loft import Loft
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array, bump, mix, noise, smoothstep

TEXELS = 6
"""Texels per grid cell and side."""

MOUTH_DARK = (44.0, 14.0, 16.0)
"""sRGB of the inside of the mouth."""


@dataclass(frozen=True)
class Coat:
    """The painted surface of a mesh, `TEXELS` per grid cell."""

    paint: npt.NDArray[np.uint8]
    """sRGB albedo and gloss, uint8 (rows, columns, 4)."""
    face: npt.NDArray[np.uint8]
    """255 where the texel belongs to the face (not hair, not neck), uint8 (rows, columns)."""


def paint_head(person: Person, head: Head) -> Coat:
    """Paint the head of a person.

    Args:
        person: Who.
        head: Their surface.

    Returns:
        Its coat; the same person always gets the same.
    """
    loft = head.loft.refined(TEXELS)
    sheet = loft.sheet
    facing = smoothstep(0.0, 0.3, np.cos(np.radians(loft.angles)))[None, :] * np.ones_like(sheet[..., 0])
    x, y = sheet[..., 0] + 99.0 * (facing == 0), sheet[..., 1]
    rng = np.random.default_rng(person.seed + 1)
    colour = _skin(person, x, y, facing, rng)
    colour = _occlusion(person, x, y, colour)
    gloss = 0.32 + 0.25 * bump(x, y, (0, person.nose_tip), (0.9, 1.2)) + 0.15 * bump(x, y, (0, -5), (3, 1.6))
    strands = _strands(person, loft, rng)
    beard = beard_weight(person, x, y) * facing
    grain = noise(x.shape, (0.8, 2.0), rng=rng)
    beard = np.clip(beard * (0.86 + 0.16 * grain), 0.0, 1.0)
    colour = mix(colour, _hairs(person.hair, 0.22 * strands + 0.05 * grain, 1.05), 0.93 * beard)
    gloss = gloss * (1 - beard) + 0.25 * beard
    colour, gloss = _lips(person, x, y, colour, gloss, rng)
    colour = mix(colour, person.brow, _brows(person, x, y, rng) * facing)
    hair = hair_weight(person, loft)
    hair = smoothstep(0.2, 0.7, hair + 0.16 * strands * (hair > 0.02) * (hair < 0.98))
    colour = mix(colour, _hairs(person.hair, 0.24 * strands, 1.0), hair)
    gloss = gloss * (1 - hair) + hair * (0.55 + 0.2 * strands)
    side = np.abs(loft.angles)[None, :]
    face = smoothstep(82.0, 70.0, side) * smoothstep(-6.0, -5.2, y) * (1.0 - hair) * smoothstep(12.6, 12.2, y)
    paint = np.dstack([colour, 255.0 * np.clip(gloss, 0, 1)])
    return Coat(paint=np.clip(paint, 0, 255).astype(np.uint8), face=(255 * face).astype(np.uint8))


def lip_edges(person: Person, x: Array) -> tuple[Array, Array]:
    """Trace the outer edges of the lips.

    Args:
        person: Whose.
        x: Sheet x, float32, any shape, cm.

    Returns:
        Heights of the upper and lower lip over the slit, both >= 0, shape of `x`, cm.
    """
    arc = np.clip(1.0 - (x / (person.mouth_width * 0.98)) ** 2, 0.0, 1.0)
    bow = 1.0 - 0.24 * np.exp(-((x / 0.32) ** 2)) + 0.1 * np.exp(-(((np.abs(x) - 0.55) / 0.35) ** 2))
    return (person.lip_upper * bow * arc**0.85).astype(np.float32), (person.lip_lower * arc**0.62).astype(np.float32)


def _skin(person: Person, x: Array, y: Array, facing: Array, rng: np.random.Generator) -> Array:
    base = np.broadcast_to(np.asarray(person.skin, np.float32), (*x.shape, 3))
    mottle = 1.0 + 0.022 * noise(x.shape, (14, 14), rng=rng) + 0.012 * noise(x.shape, (1.2, 1.2), rng=rng)
    colour = base * mottle[..., None]
    side = np.abs(x)
    red = bump(side, y, (4.4, 3.6), (1.7, 1.5)) + 0.8 * bump(x, y, (0, person.nose_tip), (1.3, 0.9))
    red += 0.35 * bump(x, y, (0, person.chin_y - 1.5), (1.8, 1.0))
    flush = np.asarray(person.skin, np.float32) * np.array([1.0, 0.74, 0.72], np.float32)
    colour = mix(colour, flush, person.blush * np.clip(red, 0, 1))
    tired = bump(side, y, (person.eye_x - 0.3, 1.0), (1.3, 0.55))
    colour = mix(colour, np.asarray(person.skin, np.float32) * np.float32(0.72), 0.28 * tired)
    if person.freckles > 0:
        dots = smoothstep(2.1, 2.8, noise(x.shape, (1.3, 1.3), rng=rng))
        where = bump(side, y, (2.8, 3.0), (2.6, 1.6)) * facing
        colour = mix(colour, np.asarray(person.skin, np.float32) * np.float32(0.62), person.freckles * dots * where)
    return colour


def _occlusion(person: Person, x: Array, y: Array, colour: Array) -> Array:
    side, tip, mouth = np.abs(x), person.nose_tip, person.mouth_y
    dark = 0.34 * bump(side, y, (person.eye_x - 1.6, -0.6), (0.6, 0.8))
    dark += 0.26 * bump(side, y, (person.eye_x, -0.95), (1.4, 0.35))
    dark += 0.42 * bump(x, y, (0, tip + 1.0), (0.95 * person.nose_width, 0.28))
    dark += 0.22 * bump(side, y, (1.72 * person.nose_width, tip + 0.3), (0.16, 0.45))
    dark += 0.3 * bump(x, y, (0, mouth + person.lip_lower + 0.38), (1.3, 0.26))
    dark += 0.3 * bump(side, y, (person.mouth_width + 0.12, mouth + 0.06), (0.28, 0.25))
    fold = 1.9 * person.nose_width + 0.34 * (y - tip) + 0.04 * (y - tip) ** 2
    dark += 0.16 * np.exp(-(((side - fold) / 0.22) ** 2)) * bump(0 * x, y, (0, tip + 1.2), (1, 0.9))
    dark += 0.5 * smoothstep(person.chin_y - 0.2, person.chin_y + 0.7, y)
    nostril = bump(side, y, (0.68 * person.nose_width, tip + 0.72), (0.27 * person.nose_width, 0.14))
    tint = np.array([0.75, 1.0, 1.05], np.float32)
    colour = colour * (1.0 - np.clip(dark, 0, 0.8)[..., None] * tint)
    return mix(colour, (40.0, 18.0, 16.0), np.clip(1.15 * smoothstep(0.3, 0.8, nostril), 0, 0.92))


def _lips(
    person: Person, x: Array, y: Array, colour: Array, gloss: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    up, down = lip_edges(person, x)
    height = y - person.mouth_y
    soft = 0.09
    lip = smoothstep(-up - soft, -up + soft * 0.4, height) * smoothstep(down + soft, down - soft * 0.4, height)
    lip *= smoothstep(person.mouth_width + 0.05, person.mouth_width - 0.25, np.abs(x))
    wrinkles = 1.0 + 0.06 * noise(x.shape, (0.9, 6.0), rng=rng) - 0.14 * (height < 0)
    colour = mix(colour, np.asarray(person.lips, np.float32) * wrinkles[..., None], 0.94 * lip)
    slit = np.exp(-((np.maximum(np.abs(height) - LIP_SLIT, 0) / 0.07) ** 2))
    slit *= smoothstep(person.mouth_width + 0.12, person.mouth_width - 0.2, np.abs(x))
    colour = mix(colour, MOUTH_DARK, 0.85 * slit)
    return colour, np.asarray(gloss + (0.75 - gloss) * lip * smoothstep(0.1, 0.3, np.abs(height)), np.float32)


def _brows(person: Person, x: Array, y: Array, rng: np.random.Generator) -> Array:
    side = np.abs(x)
    along = np.clip((side - 1.35) / 4.0, 0.0, 1.0)
    line = person.brow_y + 0.25 - person.brow_arch * np.sin(np.pi * np.clip(along * 0.75, 0, 1)) * 1.5
    line = line + 0.9 * np.clip(along - 0.66, 0, 1)
    thick = person.brow_thickness * (1.0 - 0.85 * along**2.2)
    across = np.abs(y - line) / thick
    ends = smoothstep(1.1, 1.75, side) * smoothstep(5.45, 4.9, side)
    strands = noise(x.shape, (1.6, 0.9), rng=rng)
    return np.asarray(np.clip(smoothstep(1.25, 0.45, across) * ends * (0.86 + 0.16 * strands), 0, 0.95), np.float32)


def _hairs(base: tuple[int, int, int], strands: Array, gain: float) -> Array:
    shade = np.clip(gain * (1.0 + strands), 0.35, 2.0)[..., None]
    return np.asarray(np.asarray(base, np.float32) * shade + 6.0 * (shade - 1.0), np.float32)


def _strands(person: Person, loft: Loft, rng: np.random.Generator) -> Array:
    """Streak the hair: swept sideways from a parting, or combed back from the forehead."""
    shape = (len(loft.levels), len(loft.angles))
    side, y = np.abs(loft.angles)[None, :] + np.zeros(shape), loft.levels[:, None] + np.zeros(shape)
    if person.hair_style == "long":
        across, along = y - 0.004 * side**1.7, side
    else:
        across = 0.3 * loft.angles[None, :] + 0.5 * np.sin(0.8 * y) * np.sin(np.radians(7.0 * loft.angles))[None, :]
        along = 5.0 * y
    pattern = 0.85 * noise((512, 512), (22.0, 1.2), rng=rng) + 0.5 * noise((512, 512), (50.0, 4.0), rng=rng)
    to_pattern = (np.mod(along * 2.0, 511).astype(np.float32), np.mod(across * 16.0, 511).astype(np.float32))
    return np.asarray(cv2.remap(pattern, *to_pattern, cv2.INTER_LINEAR), np.float32)
