"""Who is drawn: the parameters that make one synthetic person differ from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Colour = tuple[int, int, int]
"""sRGB, each 0 to 255."""


@dataclass(frozen=True)
class Person:
    """Identity of a synthetic person; lengths in centimetres unless a line says otherwise.

    The head's own axes: x to the image's right, y down, z towards the camera; the origin lies between
    the eyes in x and y and in the middle of the skull in z. An average adult head is 15 cm wide.
    """

    name: str
    skin: Colour
    """Albedo of the cheek."""
    lips: Colour
    hair: Colour
    iris: Colour
    brow: Colour
    cloth: Colour
    shadow: Colour
    """Colour of the upper eyelid (make-up)."""
    seed: int
    """Seed of the fixed skin and hair patterns; the same person always has the same freckles."""
    hair_style: Literal["short", "long"] = "short"
    hair_depth: float = 1.2
    """Thickness of the hair above the skull."""
    quiff: float = 0.0
    """How much thicker the hair is over the forehead, fraction."""
    hairline: float = -6.8
    """y of the hairline over the nose."""
    head_width: float = 1.0
    """Factor on the width of the skull and cheeks."""
    jaw_width: float = 1.0
    """Factor on the width of the jaw and chin."""
    chin: float = 0.7
    """How far the chin stands out."""
    chin_y: float = 11.6
    """y of the lowest point of the chin."""
    cheekbone: float = 0.5
    brow_ridge: float = 0.4
    eye_x: float = 3.25
    """x of each eye's centre."""
    eye_width: float = 1.5
    """Half the distance between the corners of an eye."""
    eye_height: float = 0.62
    """Rise of the upper lid above the corners."""
    eye_tilt: float = 0.05
    """Slope of the eye; positive lifts the outer corner."""
    eye_shadow: float = 0.0
    """Strength of the lid colour, 0 to 1."""
    lash: float = 0.08
    """Thickness of the upper lash line."""
    brow_y: float = -2.1
    brow_thickness: float = 0.4
    brow_arch: float = 0.35
    nose_tip: float = 4.5
    """y of the tip of the nose."""
    nose_width: float = 1.0
    nose_height: float = 2.3
    mouth_y: float = 7.4
    mouth_width: float = 2.6
    """Half the distance between the corners of the mouth."""
    lip_upper: float = 0.55
    lip_lower: float = 0.75
    beard: float = 0.0
    """Density of the beard, 0 (none) to 1 (full)."""
    freckles: float = 0.0
    """Strength of the freckles, 0 to 1."""
    blush: float = 0.2
    """Strength of the red of cheeks and nose, 0 to 1."""
    shoulder: float = 19.0
    """Half the width of the shoulders."""
    neck: float = 5.2
    """Half the width of the neck."""


MAYA = Person(
    name="maya", skin=(196, 138, 104), lips=(168, 52, 70), hair=(38, 26, 24), iris=(92, 58, 30),
    brow=(36, 24, 20), cloth=(226, 172, 58), shadow=(112, 62, 78), seed=11, hair_style="long",
    hair_depth=1.1, hairline=-6.6, head_width=0.97, jaw_width=0.88, chin=0.55, chin_y=10.9, cheekbone=0.62,
    brow_ridge=0.18, eye_x=3.25, eye_width=1.62, eye_height=0.78, eye_tilt=0.10, eye_shadow=0.55, lash=0.14,
    brow_y=-2.35, brow_thickness=0.27, brow_arch=0.5, nose_tip=4.0, nose_width=0.92, nose_height=1.8,
    mouth_y=6.85, mouth_width=2.5, lip_upper=0.68, lip_lower=0.95, blush=0.35, shoulder=17.0, neck=4.5,
)  # fmt: skip
"""Brown skin, long dark hair, dark made-up eyes, thin arched brows, full berry lips, narrow chin."""

THEO = Person(
    name="theo", skin=(230, 184, 158), lips=(184, 98, 92), hair=(56, 28, 15), iris=(74, 132, 176),
    brow=(54, 29, 17), cloth=(52, 74, 104), shadow=(200, 150, 130), seed=23, hair_style="short",
    hair_depth=1.25, quiff=0.9, hairline=-6.8, head_width=1.06, jaw_width=1.09, chin=0.85,
    chin_y=11.25, cheekbone=0.4, brow_ridge=0.4, eye_x=3.3, eye_width=1.56, eye_height=0.66, eye_tilt=0.02,
    lash=0.07, brow_y=-2.15, brow_thickness=0.45, brow_arch=0.36, nose_tip=4.2, nose_width=1.05,
    nose_height=2.25, mouth_y=6.9, mouth_width=2.7, lip_upper=0.5, lip_lower=0.74, beard=0.95, freckles=0.5,
    blush=0.45, shoulder=20.0, neck=5.8,
)  # fmt: skip
"""Fair freckled skin, short dark brown hair and beard, blue eyes, heavy brows, broad nose, square jaw."""
