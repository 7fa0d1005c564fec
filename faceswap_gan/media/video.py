"""Videos to frames: upright RGB pictures with their exact presentation times.

The writers are offered here too, so that one import gives both ways.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.decode import Clock, decode_video, exact_seconds, open_video, video_stream
from faceswap_gan.media.hdr import HdrTags, read_hdr
from faceswap_gan.media.images import is_picture, list_images, read_deep_image
from faceswap_gan.media.join import join_segments
from faceswap_gan.media.pixels import UPRIGHT, ColorTags, Matrix, display_matrix, read_tags
from faceswap_gan.media.plan import OutputPlan, plan_output
from faceswap_gan.media.planes import Planar, read_planar
from faceswap_gan.media.segments import SegmentWriter
from faceswap_gan.media.stored import StoredPicture
from faceswap_gan.media.writer import VideoWriter

__all__ = [
    "Frame",
    "OutputPlan",
    "SegmentWriter",
    "VideoInfo",
    "VideoWriter",
    "exact_part",
    "is_picture",
    "join_segments",
    "open_video",
    "plan_output",
    "read_frames",
    "read_info",
]

_PICTURE_RATE = Fraction(25)


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header and first frame say.

    Attributes:
        path: the file, or a folder of pictures.
        width: px, upright.
        height: px, upright.
        frame_rate: frames per second, an average where the rate varies.
        time_base: seconds per timestamp unit.
        frames: the header's count, or an estimate from the duration; 0 if unknown.
        duration: s; 0 if unknown.
        sample_aspect_ratio: width / height of one pixel, upright; 1 if unstated.
        rotation: degrees the stored picture is turned clockwise to stand upright (0, 90, 180, 270).
        color: colour tags.
        planar: how its samples are stored: depth and chroma.
        matrix: display matrix that makes the stored picture upright.
        hdr: static HDR tags; None if it has none.
        codec: FFmpeg's name of its decoder; empty for pictures.
        interlaced: whether its first frame is made of two fields.
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
    color: ColorTags = field(default_factory=ColorTags)
    planar: Planar = Planar("yuv", 8, (1, 1))
    matrix: Matrix = UPRIGHT
    hdr: HdrTags | None = None
    codec: str = ""
    interlaced: bool = False


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: number in the video, from 0.
        pts: presentation time in units of the time base.
        time_base: seconds per unit.
        image: upright RGB picture, uint8 (H, W, 3).
        duration: how long it is shown, in units; 0 if unknown.
        stored: its samples as the video stores them, for the writer; None if there are none.
    """

    index: int
    pts: int
    time_base: Fraction
    image: NDArray[np.uint8]
    duration: int = 0
    stored: StoredPicture | None = field(default=None, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)

    @cached_property
    def deep(self) -> NDArray[np.uint16] | None:
        """Upright RGB, uint16 (H, W, 3) with white at 65535; None where the video has 8 bits."""
        return None if self.stored is None else self.stored.deep


def read_info(path: Path) -> VideoInfo:
    """Read what a video is; decodes its first frame. A picture is a video of one frame, a folder one of 25 a second.

    Raises:
        MediaError: the file is missing, is no video, or nothing in it decodes.
    """
    if is_picture(path) or path.is_dir():
        return _describe_pictures(path)
    with open_video(path) as container:
        stream = video_stream(container, path)
        first = next(decode_video(container, stream, path))
        return _describe(path, container, stream, first)


def read_frames(
    path: Path, *, every: int = 1, start: float | None = None, end: float | None = None, from_index: int = 0
) -> Iterator[Frame]:
    """Read a video frame by frame; holds one frame at a time.

    A packet that does not decode is left out, and a damaged tail ends the video, each with a logged warning.
    Frames that carry no time of their own follow the one before by a frame's duration. A time that does not grow is
    moved one unit past the last; where times jump back, as in two recordings in a row, all that follows is moved
    on as one piece. One warning tells of each.

    Args:
        path: video, GIF, picture, or folder of pictures, which are sorted by name.
        every: give one frame of so many; `Frame.index` still counts all.
        start: s; frames shown earlier are skipped.
        end: s; frames shown then or later are left out.
        from_index: frames of a smaller index are skipped, which costs their decoding only.

    Raises:
        MediaError: the file is missing, is no video, nothing in it decodes, or a video's frames change size. A
            folder's pictures may; `plan_output` refuses them.
        SettingsError: start and end are no part, as `exact_part` says, or no frame is shown between them.
    """
    source = _read_pictures(path) if is_picture(path) or path.is_dir() else _read_video(path)
    for index, pts, time_base, content, duration in _between(source, path, start, end):
        if index % every == 0 and index >= from_index:
            if isinstance(content, StoredPicture):
                yield Frame(index, pts, time_base, content.image, duration, content)
            else:
                yield _picture_frame(index, pts, read_deep_image(content))


def exact_part(start: float | None, end: float | None) -> tuple[Fraction | None, Fraction | None]:
    """Take the limits of a part of a video, in s, for the times that were meant; None is the video's own.

    Raises:
        SettingsError: start is below 0, end not after it, or one is no finite number.
    """
    if not (0 <= (start or 0.0) < math.inf and (end is None or (start or 0.0) < end < math.inf)):  # nor not a number
        got = " and ".join(
            "no " + flag if value is None else f"{flag} {value:g}"
            for flag, value in (("--start", start), ("--end", end))
        )
        raise SettingsError(
            f"expected --start of at least 0 and --end after it, in seconds, got {got}; give times of the video."
        )
    first, last = (None if limit is None else exact_seconds(limit) for limit in (start, end))
    return first, last


_Given = tuple[int, int, Fraction, StoredPicture | Path, int]
"""Index, time, time base, what to show, and duration."""


def _between(source: Iterator[_Given], path: Path, start: float | None, end: float | None) -> Iterator[_Given]:
    """Pass on what is shown from start until end, s; it is an error if there is nothing."""
    first, last = exact_part(start, end)
    seconds, found = Fraction(0), False
    for given in source:
        seconds = given[1] * given[2]
        if last is not None and seconds >= last:
            break
        if first is None or seconds >= first:
            found = True
            yield given
    if not found:
        is_late = first is not None and seconds < first
        there, flag = ("ends", f"--start {start:g}") if is_late else ("begins", f"--end {end:g}")
        raise SettingsError(f"expected a part of {path}, which {there} at {float(seconds):g} s, got {flag}.")


def _read_video(path: Path) -> Iterator[_Given]:
    with open_video(path) as container:
        stream = video_stream(container, path)
        clock = Clock(path, Fraction(stream.time_base), Fraction(stream.guessed_rate or _PICTURE_RATE))
        matrix = UPRIGHT
        for index, decoded in enumerate(decode_video(container, stream, path)):
            if index == 0:
                # Asked once: a frame that was asked lives on until the garbage collector finds it.
                matrix = display_matrix(decoded)
            pts = clock.tick(decoded, index)
            yield index, pts, clock.time_base, StoredPicture(decoded, matrix), int(decoded.duration or 0)


def _read_pictures(path: Path) -> Iterator[_Given]:
    for index, picture in enumerate(_pictures(path)):
        yield index, index, 1 / _PICTURE_RATE, picture, 1


def _picture_frame(index: int, pts: int, image: NDArray[Any]) -> Frame:
    """Make a frame of a picture; one of more than 8 bits is kept as stored."""
    if image.dtype == np.uint8:
        return Frame(index, pts, 1 / _PICTURE_RATE, image, 1)
    stored = StoredPicture(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb48le"))
    return Frame(index, pts, 1 / _PICTURE_RATE, stored.image, 1, stored)


def _pictures(path: Path) -> list[Path]:
    if is_picture(path) and not path.is_dir():
        return [path]
    found = list_images(path)
    if not found:
        raise MediaError(f"expected a folder with pictures, got {path}, which has none; check the path.")
    return found


def _describe_pictures(path: Path) -> VideoInfo:
    pictures = _pictures(path)
    first = read_deep_image(pictures[0])
    height, width = first.shape[:2]
    planar = Planar("rgb", 8 if first.dtype == np.uint8 else 16)
    unit = 1 / _PICTURE_RATE
    return VideoInfo(
        path, width, height, _PICTURE_RATE, unit, len(pictures), float(unit * len(pictures)), planar=planar
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
        color=read_tags(first),
        planar=read_planar(first.format.name),
        matrix=matrix,
        hdr=read_hdr(first),
        codec=stream.codec_context.name,
        interlaced=bool(first.interlaced_frame),
    )
