"""How a talking head moves: smooth random poses, speech, blinks, glances and light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from faceswap_gan.errors import SettingsError
from faceswap_gan.synthetic.shapes import Array, smoothstep


@dataclass(frozen=True)
class Pose:
    """One moment of a performance, the same for whoever performs it; the default is a still, neutral face."""

    yaw: float = 0.0
    """Turn of the head, degrees; positive turns the nose to the image's right."""
    pitch: float = 0.0
    """Nod, degrees; positive looks down."""
    roll: float = 0.0
    """Tilt in the picture, degrees; positive is clockwise."""
    x: float = 0.0
    """Shift to the right, fraction of the picture's side."""
    y: float = 0.0
    """Shift down, fraction of the picture's side."""
    scale: float = 1.0
    """Apparent size; 1 puts 6.6 cm, 8 cm in front of the head's middle, on a fifth of the picture's side."""
    jaw: float = 0.0
    """Opening of the mouth, 0 to 1."""
    smile: float = 0.0
    """0 to 1."""
    round: float = 0.0
    """Rounding of the lips, 0 to 1."""
    brow: float = 0.0
    """Brow raise, -0.4 (frown) to 1."""
    blink_left: float = 0.0
    """Closing of the eye on the image's left, 0 to 1."""
    blink_right: float = 0.0
    gaze_x: float = 0.0
    """Horizontal gaze in the head, -1 to 1; positive to the image's right."""
    gaze_y: float = 0.0
    """Vertical gaze, -1 (up) to 1 (down)."""
    light_azimuth: float = -25.0
    """Direction of the key light, degrees; positive comes from the image's right."""
    light_elevation: float = 35.0
    """Height of the key light, degrees."""
    light_power: float = 1.0
    """Strength of the key light."""
    warmth: float = 0.0
    """Colour of the key light, -1 (cool) to 1 (warm)."""


def performance(frames: int, *, rng: np.random.Generator, frame_rate: float = 25.0) -> tuple[Pose, ...]:
    """Invent a performance: talking, turning, blinking, looking around, under moving light.

    Args:
        frames: Number of poses, at least 1.
        rng: Source of randomness; the same state gives the same performance.
        frame_rate: Frames per second.

    Returns:
        One pose per frame. Head within about 24 degrees of yaw, 15 of pitch, 8 of roll.

    Raises:
        SettingsError: `frames` is below 1 or `frame_rate` is not positive.
    """
    if frames < 1 or frame_rate <= 0:
        raise SettingsError(
            f"A performance needs at least 1 frame and a positive frame rate, got {frames} frames at "
            f"{frame_rate}. Ask for more."
        )
    tracks = _tracks(frames, frame_rate, rng)
    return tuple(Pose(**{name: float(track[i]) for name, track in tracks.items()}) for i in range(frames))


def _tracks(frames: int, frame_rate: float, rng: np.random.Generator) -> dict[str, Array]:
    """Draw each field of `Pose` over time, float32 (frames,)."""

    def wander(seconds: float, low: float, high: float) -> Array:
        return _wander(frames, seconds * frame_rate, low, high, rng)

    speech = _speech(frames, frame_rate, rng)
    blink = _blinks(frames, frame_rate, rng)
    yaw = wander(0.75, -24, 24)
    return {
        "yaw": yaw,
        "pitch": wander(0.6, -12, 13) + 1.5 * speech,
        "roll": wander(0.9, -8, 8),
        "x": wander(1.0, -0.03, 0.03) + 0.0007 * yaw,
        "y": wander(1.0, -0.015, 0.02),
        "scale": wander(1.6, 0.95, 1.04),
        "jaw": speech,
        "smile": np.clip(wander(0.7, -0.55, 1.05), 0, 1),
        "round": np.clip(wander(0.12, -0.8, 0.9), 0, 1) * smoothstep(0.05, 0.3, speech),
        "brow": wander(0.35, -0.4, 1.0),
        "blink_left": blink,
        "blink_right": blink,
        "gaze_x": np.clip(_glances(frames, frame_rate, 0.85, rng) - yaw / 70, -1, 1),
        "gaze_y": _glances(frames, frame_rate, 0.65, rng),
        "light_azimuth": wander(2.0, -48, 48),
        "light_elevation": wander(2.0, 18, 52),
        "light_power": wander(1.5, 0.78, 1.18),
        "warmth": wander(2.5, -0.8, 0.9),
    }


def _wander(frames: int, sigma: float, low: float, high: float, rng: np.random.Generator) -> Array:
    """Band-limited noise that fills a range without leaving it; `sigma` is its smoothing in frames."""
    margin = int(3 * sigma) + 2
    raw = rng.standard_normal((1, frames + 2 * margin)).astype(np.float32)
    smooth = cv2.GaussianBlur(raw, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)[0, margin : margin + frames]
    unit = np.tanh(0.85 * smooth * np.sqrt(2.0 * np.sqrt(np.pi) * sigma))
    return np.asarray(low + (high - low) * (unit + 1.0) / 2.0, np.float32)


def _speech(frames: int, frame_rate: float, rng: np.random.Generator) -> Array:
    """Jaw opening: syllables at about four a second, in phrases with pauses."""
    phrase = smoothstep(-0.45, 0.1, _wander(frames, 0.45 * frame_rate, -1, 1, rng))
    pace = 4.2 + 0.9 * _wander(frames, 0.5 * frame_rate, -1, 1, rng)
    angle = 2.0 * np.pi * np.cumsum(pace) / frame_rate + rng.uniform(0, 2 * np.pi)
    syllable = 0.5 - 0.5 * np.cos(angle)
    loud = _wander(frames, 0.16 * frame_rate, 0.2, 1.0, rng)
    return np.asarray(np.clip(phrase * syllable * loud, 0, 1), np.float32)


def _blinks(frames: int, frame_rate: float, rng: np.random.Generator) -> Array:
    """Lids: a blink of a fifth of a second every two to four seconds."""
    closed = np.zeros(frames, np.float32)
    shape = np.array([0.45, 0.95, 1.0, 0.7, 0.3], np.float32)
    stretch = np.interp(np.linspace(0, 4, max(round(0.2 * frame_rate), 3)), np.arange(5), shape)
    at = int(rng.uniform(0.4, 1.5) * frame_rate)
    while at < frames:
        part = stretch[: frames - at]
        closed[at : at + len(part)] = part
        at += max(int(rng.uniform(2.0, 4.0) * frame_rate), len(stretch) + 1)
    return closed


def _glances(frames: int, frame_rate: float, reach: float, rng: np.random.Generator) -> Array:
    """Gaze: holds of half a second to two, joined by quick jumps."""
    target = np.zeros(frames, np.float32)
    at = 0
    while at < frames:
        hold = max(int(rng.uniform(0.4, 1.8) * frame_rate), 1)
        target[at : at + hold] = rng.uniform(-reach, reach) * (rng.random() < 0.75)
        at += hold
    return np.asarray(cv2.GaussianBlur(target[None], (0, 0), 0.9, borderType=cv2.BORDER_REPLICATE)[0], np.float32)
