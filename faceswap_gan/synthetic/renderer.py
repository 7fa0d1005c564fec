"""Draw a synthetic person in a pose, with the exact truth about what the picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.synthetic.backdrop import build_backdrop
from faceswap_gan.synthetic.body import Part, build_parts
from faceswap_gan.synthetic.camera import place, project
from faceswap_gan.synthetic.eyes import paint_eye
from faceswap_gan.synthetic.head import FRONT_CELLS, Head, build_head
from faceswap_gan.synthetic.light import shade
from faceswap_gan.synthetic.marks import marks
from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.mouth import paint_mouth
from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.raster import Fragments, rasterise
from faceswap_gan.synthetic.shapes import Array
from faceswap_gan.synthetic.skin import TEXELS, Coat, paint_head

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_SAMPLES = 2
"""Samples per pixel and side."""


@dataclass(frozen=True)
class Rendered:
    """A picture and its truth."""

    image: Bytes
    """RGB, uint8 (size, size, 3)."""
    landmarks: Array
    """Eye centres, nose tip, mouth corners; the image's left first; float32 (5, 2), px."""
    points: Array
    """All of `marks.NAMES`, float32 (n, 2), px."""
    eye_mask: Bytes
    """255 where an eyeball shows between the lids, uint8 (size, size); empty when the eyes are closed."""
    face_mask: Bytes
    """255 on the face: forehead to chin, cheek to cheek, without hair, ears and neck; uint8 (size, size)."""


@dataclass(frozen=True)
class _Model:
    head: Head
    coat: Coat
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Canvas:
    """What has been drawn so far, `_SAMPLES` a pixel."""

    paint: Bytes
    """RGB and coverage, uint8 (side, side, 4)."""
    masks: Bytes
    """Eyes and face, uint8 (side, side, 2)."""
    depth: Array
    """Nearness, float32 (side, side), cm."""


def render(person: Person, pose: Pose, *, size: int = 320, background: Bytes | None = None) -> Rendered:
    """Draw a person.

    Two people in the same pose share expression, gaze, light, background and position of the head; their eyes
    lie within a few pixels of each other.

    Args:
        person: Who.
        pose: Position, expression, gaze and light.
        size: Side of the picture, px, at least 64.
        background: RGB uint8 (size, size, 3); a plain blurred room when absent.

    Returns:
        The picture and its truth; equal arguments give equal pixels.

    Raises:
        SettingsError: `size` is below 64, or the background has another shape.
    """
    if size < 64:
        raise SettingsError(f"A rendered picture needs a side of at least 64 px, got {size}. Ask for more.")
    if background is None:
        background = _plain_room(size)
    if background.shape != (size, size, 3):
        raise SettingsError(
            f"Expected a background of shape {(size, size, 3)}, got {background.shape}. Resize it or leave it out."
        )
    model = _model(person)
    side = size * _SAMPLES
    canvas = _Canvas(
        paint=np.zeros((side, side, 4), np.uint8), masks=np.zeros((side, side, 2), np.uint8),
        depth=np.full((side, side), -np.inf, np.float32),
    )  # fmt: skip
    for part in model.parts:
        _draw_part(canvas, part, pose, size)
    points = _draw_head(canvas, person, model, pose, size)
    paint = cv2.resize(canvas.paint, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    room = background.astype(np.float32) * np.float32(0.8 + 0.2 * pose.light_power)
    image = paint[..., :3] + room * (1.0 - paint[..., 3:] / 255.0)
    masks = cv2.resize(canvas.masks, (size, size), interpolation=cv2.INTER_AREA)
    return Rendered(
        image=np.clip(image + 0.5, 0, 255).astype(np.uint8), landmarks=points[:5], points=points,
        eye_mask=masks[..., 0].copy(), face_mask=masks[..., 1].copy(),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _plain_room(size: int) -> Bytes:
    return build_backdrop(size, rng=np.random.default_rng(0))


@lru_cache(maxsize=8)
def _model(person: Person) -> _Model:
    head = build_head(person)
    return _Model(head=head, coat=paint_head(person, head), parts=build_parts(person))


def _draw_part(canvas: _Canvas, part: Part, pose: Pose, size: int) -> None:
    placed = place(part.rest, pose, follow=part.follow)
    drawn = _visible(canvas, placed, pose, size)
    colour, gloss, face = _look_up(part.coat, drawn)
    _write(canvas, drawn, _lit(colour, gloss, _sample(shade(placed, pose), drawn)), np.zeros_like(face), face)


def _draw_head(canvas: _Canvas, person: Person, model: _Model, pose: Pose, size: int) -> Array:
    """Draw the head over the parts and return its marks, float32 (n, 2), px."""
    head = model.head
    formed = head.rest.copy()
    for name, move in head.moves.items():
        formed += move * np.float32(getattr(pose, name))
    placed = place(formed, pose, follow=np.ones(len(formed), np.float32))
    drawn = _visible(canvas, placed, pose, size)
    colour, gloss, face = _look_up(model.coat, drawn)
    light = _sample(shade(placed, pose), drawn)
    sheet = _sample(head.loft.sheet, drawn)
    facing = np.abs(drawn.u - (len(head.loft.angles) - 1) / 2) < FRONT_CELLS / 2
    slit = np.flatnonzero((np.floor(drawn.v) == head.slit_row) & facing)
    gap = (formed[head.slit_row + 1, :, 1] - formed[head.slit_row, :, 1])[drawn.u[slit].astype(np.int64)]
    colour[slit] = paint_mouth(person, colour[slit], sheet[slit, 0], (drawn.v[slit] - head.slit_row) * gap, gap)
    gloss[slit] *= gap <= 0.15
    opening, glint = _paint_eyes(person, pose, colour, sheet, facing)
    even = light[:, :3].mean(axis=0) if len(light) else 1.0
    light[:, :3] += (0.45 * (even - light[:, :3])) * opening[:, None]  # eyeballs are rounder than the lids
    lit = _lit(colour, gloss * (1.0 - opening), light)
    lit += (217.0 * np.float32(pose.light_power) * glint)[:, None]
    _write(canvas, drawn, lit, 255.0 * opening, face)
    return marks(person, head, project(placed, pose, size=size), pose)


def _paint_eyes(person: Person, pose: Pose, colour: Array, sheet: Array, facing: Flags) -> tuple[Array, Array]:
    """Paint both eyes into `colour`, in place; return their opening and glint, float32 (n,)."""
    opening, glint = np.zeros(len(colour), np.float32), np.zeros(len(colour), np.float32)
    for right in (False, True):
        middle = person.eye_x if right else -person.eye_x
        near = np.flatnonzero((np.abs(sheet[:, 0] - middle) < 2.7) & (np.abs(sheet[:, 1]) < 2.1) & facing)
        eye = paint_eye(person, pose, colour[near], sheet[near, 0], sheet[near, 1], right=right)
        colour[near], opening[near], glint[near] = eye.colour, eye.opening, eye.glint
    return opening, glint


def _visible(canvas: _Canvas, placed: Array, pose: Pose, size: int) -> Fragments:
    """Rasterise a surface, drop what lies behind the canvas, and note the new depths."""
    pixels = (project(placed, pose, size=size) + 0.5) * _SAMPLES - 0.5
    found = rasterise(pixels, placed[..., 2], size=(size * _SAMPLES, size * _SAMPLES))
    near = _sample(np.ascontiguousarray(placed[..., 2]), found)
    front = np.flatnonzero(near > canvas.depth.ravel()[found.pixel])
    drawn = Fragments(pixel=found.pixel[front], u=found.u[front], v=found.v[front])
    canvas.depth.ravel()[drawn.pixel] = near[front]
    return drawn


def _look_up(coat: Coat, drawn: Fragments) -> tuple[Array, Array, Array]:
    """Read colour (n, 3), gloss (n,) and face weight (n,) off a coat."""
    fine = Fragments(pixel=drawn.pixel, u=drawn.u * TEXELS, v=drawn.v * TEXELS)
    paint = _sample(coat.paint, fine).astype(np.float32)
    return paint[:, :3].copy(), paint[:, 3] / np.float32(255), _sample(coat.face, fine).astype(np.float32)


def _sample(grid: npt.NDArray[np.generic], at: Fragments) -> Array:
    """Interpolate a grid at fragments: (rows, columns[, k]) to (n[, k])."""
    wide = 1024  # cv2 limits a picture's side, so the list of points is folded
    tall = -(-max(len(at.u), 1) // wide)
    maps = np.zeros((2, tall * wide), np.float32)
    maps[0, : len(at.u)], maps[1, : len(at.u)] = at.u, at.v
    folded = maps.reshape(2, tall, wide)
    found = cv2.remap(grid, folded[0], folded[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(tall * wide, *grid.shape[2:])[: len(at.u)])


def _lit(colour: Array, gloss: Array, light: Array) -> Array:
    """Light an sRGB albedo and return sRGB, both (n, 3), 0 to 255; gamma 2 stands in for the sRGB curve."""
    linear = colour * colour * light[:, :3] + (65025.0 * gloss * light[:, 3])[:, None]
    return np.asarray(np.sqrt(linear), np.float32)


def _write(canvas: _Canvas, drawn: Fragments, colour: Array, eyes: Array, face: Array) -> None:
    paint = np.full((len(colour), 4), 255, np.uint8)
    paint[:, :3] = np.minimum(colour, 255.0)
    canvas.paint.reshape(-1, 4).view(np.uint32)[drawn.pixel, 0] = paint.view(np.uint32)[:, 0]
    masks = np.stack([eyes, face], axis=-1).astype(np.uint8)
    canvas.masks.reshape(-1, 2).view(np.uint16)[drawn.pixel, 0] = masks.view(np.uint16)[:, 0]
