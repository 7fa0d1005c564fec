"""Paint the inside of an open mouth: teeth, tongue, darkness."""

from __future__ import annotations

import numpy as np

from faceswap_gan.synthetic.person import Person
from faceswap_gan.synthetic.shapes import Array, bump, mix, smoothstep
from faceswap_gan.synthetic.skin import MOUTH_DARK


def paint_mouth(person: Person, colour: Array, x: Array, below: Array, gap: Array) -> Array:
    """Paint what shows between the lips.

    Args:
        person: Whose mouth.
        colour: Colour of the closed slit, sRGB float32 (n, 3), 0 to 255.
        x: Sheet x of the pixels, float32 (n,), cm.
        below: Distance under the edge of the upper lip, float32 (n,), cm.
        gap: Opening of the lips at that x, float32 (n,), cm.

    Returns:
        sRGB float32 (n, 3).
    """
    side = np.abs(x) / person.mouth_width
    inside = np.broadcast_to(np.asarray(MOUTH_DARK, np.float32), colour.shape)
    tongue = bump(x, gap - below, (0.0, 0.0), (1.15, 0.48)) * smoothstep(0.5, 1.3, gap)
    inside = mix(inside, (150.0, 66.0, 66.0), 0.85 * tongue)
    lower = smoothstep(0.0, 0.08, gap - below) * smoothstep(0.3, 0.2, gap - below) * smoothstep(0.9, 1.4, gap)
    inside = mix(inside, (176.0, 164.0, 148.0), 0.6 * lower * smoothstep(0.62, 0.4, side))
    length = 0.66 - 0.3 * side**2
    teeth = smoothstep(length + 0.05, length - 0.03, below) * smoothstep(0.86, 0.6, side)
    seams = np.exp(-(((np.abs(((x / 0.62) % 1.0) - 0.0) - 0.5) / 0.06) ** 2))
    enamel = 232.0 * (1.0 - 0.1 * seams) * (1.0 - 0.45 * side**2) * (0.62 + 0.38 * smoothstep(0.0, 0.25, below))
    inside = mix(inside, enamel[..., None] * np.array([1.0, 0.97, 0.9], np.float32), teeth)
    return mix(colour, inside, smoothstep(0.05, 0.2, gap) * smoothstep(1.02, 0.9, side))
