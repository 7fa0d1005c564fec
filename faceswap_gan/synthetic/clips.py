"""Write videos of synthetic people, and the demo pair with its truth."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.synthetic.backdrop import build_backdrop
from faceswap_gan.synthetic.motion import Pose, performance
from faceswap_gan.synthetic.person import MAYA, THEO, Person
from faceswap_gan.synthetic.renderer import Rendered, render
from faceswap_gan.synthetic.shapes import Array

_SAMPLE_RATE = 48000


@dataclass(frozen=True)
class Clip:
    """One person, one performance, one room: everything a video shows, ready to be drawn again."""

    person: Person
    poses: tuple[Pose, ...]
    background: npt.NDArray[np.uint8]
    """RGB uint8 (size, size, 3)."""

    def frames(self, person: Person | None = None) -> Iterator[Rendered]:
        """Draw the clip frame by frame.

        Args:
            person: Who performs it; the clip's own person when absent.

        Returns:
            One picture with its truth per pose.
        """
        size = len(self.background)
        return (render(person or self.person, pose, size=size, background=self.background) for pose in self.poses)


@dataclass(frozen=True)
class Pair:
    """Two videos to swap faces between, and what the swap should look like."""

    src: Path
    """Video of the person whose face is to be painted."""
    dst: Path
    """Video that receives the face."""
    src_clip: Clip
    dst_clip: Clip

    def truth(self) -> Iterator[Rendered]:
        """Draw the perfect swap: the src person in the dst video's poses, light and room, frame by frame."""
        return self.dst_clip.frames(self.src_clip.person)


def build_pair(folder: Path, *, seconds: float = 10.0, seed: int = 0, size: int = 320) -> Pair:
    """Say what the demo pair is, without drawing or writing anything.

    The src is Maya, the dst Theo; they move differently, in two rooms.

    Args:
        folder: Where the videos are or will be: `src.mp4` and `dst.mp4`.
        seconds: Length of each video at 25 frames per second.
        seed: Draws the performances and the rooms; the same seed gives the same pair.
        size: Side of the square picture, px; even, at least 64.

    Returns:
        The pair.

    Raises:
        SettingsError: A size that is odd or below 64, a length that is no number, or less than one frame.
    """
    if not math.isfinite(seconds):
        raise SettingsError(f"expected the length of a video in seconds, got {seconds}; try 10.")
    if size < 64 or size % 2:
        raise SettingsError(f"A synthetic video needs an even side of at least 64 px, got {size}. Try 320.")
    clips = {}
    for number, (side, person) in enumerate((("src", MAYA), ("dst", THEO))):
        poses = performance(round(25 * seconds), rng=np.random.default_rng([seed, number, 0]))
        room = build_backdrop(size, rng=np.random.default_rng([seed, number, 1]))
        clips[side] = Clip(person=person, poses=poses, background=room)
    return Pair(src=folder / "src.mp4", dst=folder / "dst.mp4", src_clip=clips["src"], dst_clip=clips["dst"])


def write_pair(folder: Path, *, seconds: float = 10.0, seed: int = 0, size: int = 320) -> Pair:
    """Draw and write the demo pair, 25 frames per second, each with a tone that follows the mouth.

    Args:
        folder: Receives `src.mp4` and `dst.mp4`; made when missing.
        seconds: Length of each video.
        seed: Draws the performances and the rooms.
        size: Side of the square picture, px; even, at least 64.

    Returns:
        The pair as `build_pair` gives it.

    Raises:
        SettingsError: A size that is odd or below 64, or less than one frame.
        MediaError: The videos cannot be written.
    """
    pair = build_pair(folder, seconds=seconds, seed=seed, size=size)
    write_clip(pair.src, pair.src_clip, tone_hz=220.0)
    write_clip(pair.dst, pair.dst_clip, tone_hz=130.0)
    return pair


def write_clip(path: Path, clip: Clip, *, frame_rate: int = 25, tone_hz: float | None = 220.0) -> None:
    """Draw a clip and write it as H.264 with AAC sound.

    The file appears under its name when it is complete; until then it has a temporary name beside it.

    Args:
        path: The video, `.mp4`; its folder is made when missing.
        clip: What to draw.
        frame_rate: Frames per second.
        tone_hz: Pitch of the hum, which swells as the mouth opens; None leaves the video silent.

    Raises:
        MediaError: The file cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with av.open(f"file:{temporary}", "w") as container:
                _encode(container, clip, frame_rate, tone_hz)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"Expected to write an .mp4 video to {path}, got: {error}. Check the name, the folder's "
            "permissions and the free space."
        ) from error


def _encode(container: Any, clip: Clip, frame_rate: int, tone_hz: float | None) -> None:
    size = len(clip.background)
    tags = ColorTags()
    video = container.add_stream("libx264", rate=frame_rate, options={"crf": "14", "preset": "veryfast"})
    video.width, video.height, video.pix_fmt = size, size, "yuv420p"
    video.color_range, video.colorspace = 1, tags.matrix
    video.color_primaries, video.color_trc = tags.primaries, tags.transfer
    audio = container.add_stream("aac", rate=_SAMPLE_RATE, layout="mono") if tone_hz is not None else None
    sound = _hum(clip.poses, frame_rate, tone_hz or 0.0)
    span = _SAMPLE_RATE // frame_rate
    for index, drawn in enumerate(clip.frames()):
        picture = from_rgb(drawn.image, "yuv420p", tags)
        picture.pts, picture.time_base = index, Fraction(1, frame_rate)
        container.mux(video.encode(picture))
        if audio is not None:
            container.mux(audio.encode(_samples(sound[index * span : (index + 1) * span], index * span)))
    for stream in (video, audio):
        if stream is not None:
            container.mux(stream.encode(None))


def _hum(poses: Sequence[Pose], frame_rate: int, tone_hz: float) -> Array:
    """Sum a tone and two overtones, as loud as the mouth is open: float32 (samples,), -1 to 1."""
    span = _SAMPLE_RATE // frame_rate
    time = np.arange(len(poses) * span) / _SAMPLE_RATE
    loudness = np.interp(time * frame_rate, np.arange(len(poses)) + 0.5, [0.04 + 0.3 * p.jaw for p in poses])
    wave = sum(np.sin(2.0 * np.pi * tone_hz * k * time) / k for k in (1, 2, 3))
    return np.asarray(loudness * wave / 2.0, np.float32)


def _samples(part: Array, start: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part[None, :], np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = _SAMPLE_RATE, start, Fraction(1, _SAMPLE_RATE)
    return frame
