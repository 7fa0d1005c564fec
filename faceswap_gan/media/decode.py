"""A media file opened, and the decoded pictures of its video, of bounded size and in growing time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.timeline import Timeline

log = logging.getLogger(__name__)

MAX_PIXELS = 40_000_000
"""Most pixels of a video's picture, somewhat more than 8K: more is a damaged header, not a film."""


def open_file(path: Path) -> Any:
    """Open a container for reading; nothing but local files is ever opened, whatever the file says.

    Raises:
        FFmpegError: no media file.
    """
    options = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    return av.open(f"file:{path}", options=options, metadata_errors="replace")


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
        container = open_file(path)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"expected a video, got {path}, which cannot be opened ({error.strerror}); "
            "it may be cut off, still being written, or no video."
        ) from error
    with container:
        yield container


def video_stream(container: Any, path: Path) -> Any:
    """Find the stream of moving pictures, cover art aside.

    Raises:
        MediaError: there is none, or its pictures are too big to be true.
    """
    stream: Any = next(iter(moving_pictures(container)), None)
    if stream is None:
        raise MediaError(f"expected a video, got {path}, which has no video stream; it may be a sound file.")
    if stream.codec_context is None:
        raise MediaError(f"expected a video in {path}, got a codec that FFmpeg does not know; convert it.")
    check_size(stream.codec_context.width, stream.codec_context.height, path)
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.thread_type = "AUTO"
    return stream


def moving_pictures(container: Any) -> list[Any]:
    """List the video streams, cover art aside; the first is the video."""
    cover = int(av.stream.Disposition.attached_pic)
    return [stream for stream in container.streams.video if not int(stream.disposition) & cover]


def check_size(width: int, height: int, path: Path) -> None:
    """Refuse pictures that are too big to be true.

    Raises:
        MediaError: more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"expected pictures of at most {MAX_PIXELS:,} px, got {width}x{height} in {path}; "
            "scale the video down, if it is not damaged."
        )


def decode_video(container: Any, stream: Any, path: Path) -> Iterator[av.VideoFrame]:
    """Decode the pictures of a stream; what is damaged is left out with a logged warning.

    Raises:
        MediaError: nothing decodes, or a picture has another size than the first.
    """
    count = 0
    size: tuple[int, int] | None = None
    for frame in _decode(container, stream, path):
        if size is None:
            size = frame.width, frame.height
            check_size(*size, path)
        if size != (frame.width, frame.height):
            raise MediaError(
                f"expected every frame of {path} to be {size[0]}x{size[1]}, got {frame.width}x"
                f"{frame.height} at frame {count}; re-encode the video to one size first."
            )
        count += 1
        yield frame
    if count == 0:
        raise MediaError(
            f"expected at least one frame in {path}, got none that decodes; the file may be cut off or "
            f"need a decoder ({stream.codec_context.name}) that is not built in."
        )


def _decode(container: Any, stream: Any, path: Path) -> Iterator[av.VideoFrame]:
    """Decode packet by packet: one that does not decode costs what it shows, a file that breaks off all the rest."""
    count = skipped = 0
    order = _StoredOrder() if container.format.name == "avi" else None
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                skipped += 1
                continue
            for frame in order.time(packet, frames) if order else frames:
                count += 1
                yield frame
    except (av.FFmpegError, OSError) as error:
        if count:
            log.warning("%s breaks off after %d frames (%s); the rest is left out", path, count, error.strerror)
    finally:
        if count and skipped:
            log.warning("%s: %d of its packets do not decode; what they show is left out", path, skipped)


class _StoredOrder:
    """Times of an AVI's frames: it stores when packets are decoded, not when their pictures are shown.

    What FFmpeg makes up in their place does not grow where pictures refer to later ones. A frame leaves the decoder
    in the order of showing, always the same number of packets late, and says which packet brought it out.
    """

    def __init__(self) -> None:
        self._first: int | None = None
        self._late: int | None = None

    def time(self, packet: Any, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Time the frames that a packet brought out; those at the very end have no time."""
        if self._first is None:
            self._first = packet.dts
        for frame in frames:
            if self._late is None:
                self._late = 0 if frame.dts is None or self._first is None else frame.dts - self._first
            frame.pts = None if frame.dts is None else frame.dts - self._late
        return frames


def exact_seconds(value: float) -> Fraction:
    """Take a time in s for the number that was meant, to the microsecond: 0.16 is 4/25.

    Raises:
        SettingsError: it is no finite number.
    """
    if not math.isfinite(value):
        raise SettingsError(f"expected a time in seconds, got {value}; give a number such as 12.5.")
    return Fraction(value).limit_denominator(1_000_000)


class Clock:
    """Presentation times that exist and grow, with one line a video for each kind of time that does not.

    Args:
        path: the video.
        time_base: seconds per unit.
        rate: frames per second, for frames that carry no time.
    """

    def __init__(self, path: Path, time_base: Fraction, rate: Fraction) -> None:
        self.time_base = time_base
        self._path, self._told = path, set[str]()
        self._line = Timeline(round(1 / (rate * time_base)))

    def tick(self, frame: av.VideoFrame, index: int) -> int:
        """Give a frame's time, later than that of the one before."""
        given = frame.dts if frame.pts is None else frame.pts
        if given is None:
            self._tell("carries no presentation time; it follows the one before by a frame's duration", index)
            return self._line.next()
        last, offset = self._line.last, self._line.offset
        pts = self._line.place(int(given))
        if self._line.offset != offset:
            self._tell("is timed before the one before it; it and all that follows are moved on as one piece", index)
        elif last is not None and int(given) + offset <= last:
            self._tell("is not timed after the one before it; moved one unit past", index)
        return pts

    def _tell(self, what: str, index: int) -> None:
        if what not in self._told:
            self._told.add(what)
            log.warning("%s: frame %d %s; others like it are not told of", self._path, index, what)
