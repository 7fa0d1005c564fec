"""How much light each vertex sends to the camera."""

from __future__ import annotations

import numpy as np

from faceswap_gan.synthetic.motion import Pose
from faceswap_gan.synthetic.shapes import Array

_WRAP = np.array([0.42, 0.28, 0.22], np.float32)
"""Light that bleeds past the terminator, per colour: skin scatters red the farthest."""


def shade(points: Array, pose: Pose) -> Array:
    """Light a surface.

    A warm or cool key light (wrapped Lambert and a Blinn-Phong highlight), a dim fill from the other
    side, sky from above, a rim from behind.

    Args:
        points: Vertices in the camera's axes, float32 (rows, columns, 3), z towards the camera.
        pose: Direction, strength and colour of the key light.

    Returns:
        float32 (rows, columns, 4): diffuse light in red, green and blue (linear, 1 shows the albedo as
        it is), and the highlight at full gloss.

    References:
        Blinn, "Models of light reflection for computer synthesized pictures", SIGGRAPH 1977.
    """
    normal = _normals(points)
    azimuth, elevation = np.radians(pose.light_azimuth), np.radians(pose.light_elevation)
    key = _direction(azimuth, elevation)
    tint = np.array([1.0 + 0.1 * pose.warmth, 1.0, 1.0 - 0.16 * pose.warmth], np.float32)
    lambert = (normal @ key)[..., None]
    light = 0.82 * pose.light_power * tint * np.clip((lambert + _WRAP) / (1.0 + _WRAP), 0.0, None)
    fill = np.clip(normal @ _direction(-azimuth - np.sign(azimuth) * 0.6, 0.2), 0.0, None)[..., None]
    up = (0.5 - 0.5 * normal[..., 1])[..., None]
    light = light + 0.13 * fill * np.array([0.9, 1.0, 1.12], np.float32)
    light = light + up * np.array([0.23, 0.25, 0.28], np.float32) + (1 - up) * np.array([0.13, 0.11, 0.1], np.float32)
    rim = np.clip(1.0 - np.abs(normal[..., 2:]), 0.0, 1.0) ** 3 * np.clip(0.3 - lambert, 0.0, 1.0)
    light = light + 0.3 * rim
    half = key + np.array([0.0, 0.0, 1.0], np.float32)
    glance = np.clip(normal @ (half / np.linalg.norm(half)), 0.0, None)
    highlight = pose.light_power * (0.34 * glance**28 + 0.14 * glance**7)
    return np.concatenate([light, highlight[..., None]], axis=-1).astype(np.float32)


def _direction(azimuth: float, elevation: float) -> Array:
    flat = np.cos(elevation)
    return np.array([np.sin(azimuth) * flat, -np.sin(elevation), np.cos(azimuth) * flat], np.float32)


def _normals(points: Array) -> Array:
    along = np.gradient(points, axis=1)
    down = np.gradient(points, axis=0)
    normal = np.cross(along, down)
    return np.asarray(normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9), np.float32)
