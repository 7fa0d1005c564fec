"""Videos to frames: upright RGB pictures with their exact presentation times.

The writer of `faceswap_gan.media.writer` is offered here too, so that one import gives both ways.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import is_picture, read_image
from faceswap_gan.media.pixels import ColorTags, display_matrix, read_tags, to_rgb, turn_upright
from faceswap_gan.media.writer import VideoWriter

__all__ = ["Frame", "VideoInfo", "VideoWriter", "is_picture", "open_video", "read_frames", "read_info"]

log = logging.getLogger(__name__)

_PICTURE_RATE = Fraction(25)


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header and first frame say.

    Attributes:
        path: the file.
        width: px, upright.
        height: px, upright.
        frame_rate: frames per second, an average where the rate varies.
        time_base: seconds per timestamp unit.
        frames: the header's count, or an estimate from the duration; 0 if unknown.
        duration: s; 0 if unknown.
        sample_aspect_ratio: width / height of one pixel, upright; 1 if unstated.
        rotation: degrees the stored picture is turned clockwise to stand upright (0, 90, 180, 270).
        audio_streams: number of audio streams.
        color: colour tags.
    """

    path: Path
    width: int
    height: int
    frame_rate: Fraction
    time_base: Fraction
    frames: int
    duration: float
    sample_aspect_ratio: Fraction = Fraction(1)
    rotation: int = 0
    audio_streams: int = 0
    color: ColorTags = field(default_factory=ColorTags)


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: number in the video, from 0.
        pts: presentation time in units of the time base.
        time_base: seconds per unit.
        image: upright RGB picture, uint8 (H, W, 3).
        duration: how long it is shown, in units; 0 if unknown.
    """

    index: int
    pts: int
    time_base: Fraction
    image: NDArray[np.uint8]
    duration: int = 0

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


def read_info(path: Path) -> VideoInfo:
    """Read what a video is; decodes its first frame. A picture is a video of one frame.

    Raises:
        MediaError: the file is missing, is no video, or nothing in it decodes.
    """
    if is_picture(path):
        height, width = read_image(path).shape[:2]
        unit = 1 / _PICTURE_RATE
        return VideoInfo(path, width, height, _PICTURE_RATE, unit, 1, float(unit))
    with open_video(path) as container:
        stream = _video_stream(container, path)
        first = next(_decode(container, stream, path))
        return _describe(path, container, stream, first)


def read_frames(path: Path, *, every: int = 1) -> Iterator[Frame]:
    """Read a video frame by frame; holds one frame at a time.

    A damaged tail ends the video with a logged warning. Frames that carry no time of their own follow the
    one before by its duration, and a time that does not grow is moved one unit past the last, with a warning.

    Args:
        path: video or picture.
        every: give one frame of so many; `Frame.index` still counts all.

    Raises:
        MediaError: the file is missing, is no video, nothing in it decodes, or its frames change size.
    """
    if is_picture(path):
        yield Frame(0, 0, 1 / _PICTURE_RATE, read_image(path), 1)
        return
    with open_video(path) as container:
        stream = _video_stream(container, path)
        clock = _Clock(Fraction(stream.time_base), Fraction(stream.guessed_rate or _PICTURE_RATE))
        shape: tuple[int, int] | None = None
        matrix = (1, 0, 0, 1)
        for index, decoded in enumerate(_decode(container, stream, path)):
            pts = clock.tick(decoded, index)
            if shape is None:
                # Asked once: a frame that was asked lives on until the garbage collector finds it.
                shape, matrix = (decoded.width, decoded.height), display_matrix(decoded)
            if shape != (decoded.width, decoded.height):
                raise MediaError(
                    f"expected every frame of {path} to be {shape[0]}x{shape[1]}, got {decoded.width}x"
                    f"{decoded.height} at frame {index}; re-encode the video to one size first."
                )
            if index % every == 0:
                image = turn_upright(to_rgb(decoded), matrix)
                yield Frame(index, pts, clock.time_base, image, int(decoded.duration or 0))


@contextmanager
def open_video(path: Path) -> Iterator[Any]:
    """Open a local media file for reading; nothing but local files is ever opened.

    Raises:
        MediaError: the file is missing or no media file.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise MediaError(f"expected a video file, got {path}, which {what}; check the path.")
    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"expected a video, got {path}, which cannot be opened ({error.strerror}); "
            "it may be cut off, still being written, or no video."
        ) from error
    with container:
        yield container


class _Clock:
    """Presentation times that exist and grow."""

    def __init__(self, time_base: Fraction, rate: Fraction) -> None:
        self.time_base = time_base
        self._step = max(1, round(1 / (rate * time_base)))
        self._last: int | None = None

    def tick(self, frame: av.VideoFrame, index: int) -> int:
        pts = frame.pts
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
            log.warning("frame %d carries no presentation time; %d is taken", index, pts)
        elif self._last is not None and pts <= self._last:
            log.warning("frame %d is timed %d, not after %d; moved one unit past", index, pts, self._last)
            pts = self._last + 1
        self._last = int(pts)
        return self._last


def _video_stream(container: Any, path: Path) -> Any:
    for stream in container.streams.video:
        if not (int(stream.disposition) & int(av.stream.Disposition.attached_pic)):
            stream.thread_type = "AUTO"
            return stream
    raise MediaError(f"expected a video, got {path}, which has no video stream; it may be a sound file.")


def _decode(container: Any, stream: Any, path: Path) -> Iterator[av.VideoFrame]:
    count = 0
    try:
        for frame in container.decode(stream):
            count += 1
            yield frame
    except (av.FFmpegError, OSError) as error:
        if count:
            log.warning("%s breaks off after %d frames (%s); the rest is left out", path, count, error.strerror)
    if count == 0:
        raise MediaError(
            f"expected at least one frame in {path}, got none that decodes; the file may be cut off or "
            f"need a decoder ({stream.codec_context.name}) that is not built in."
        )


def _describe(path: Path, container: Any, stream: Any, first: av.VideoFrame) -> VideoInfo:
    matrix = display_matrix(first)
    width, height = (first.width, first.height) if matrix[0] else (first.height, first.width)
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    rate = Fraction(stream.average_rate or stream.guessed_rate or _PICTURE_RATE)
    duration = Fraction(0)
    if stream.duration:
        duration = stream.duration * Fraction(stream.time_base)
    elif container.duration:
        duration = Fraction(container.duration, av.time_base)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=rate,
        time_base=Fraction(stream.time_base),
        frames=stream.frames or round(duration * rate),
        duration=float(duration),
        sample_aspect_ratio=aspect if matrix[0] else 1 / aspect,
        rotation=-first.rotation % 360,
        audio_streams=len(container.streams.audio),
        color=read_tags(first),
    )
