"""Everything but the pictures copied from one container to another, packet by packet, never decoded."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from faceswap_gan.errors import MediaError
from faceswap_gan.media.decode import moving_pictures, open_file
from faceswap_gan.media.images import is_picture
from faceswap_gan.media.timeline import Follower

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cut:
    """The part of the source that is kept, and how far it moves.

    Attributes:
        start: s; packets that are due earlier are left out; None keeps all.
        end: s; packets due then or later are left out; None keeps all.
        shift: s, taken from every time.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    shift: Fraction = field(default_factory=Fraction)

    def holds(self, seconds: Fraction) -> bool:
        """Tell whether a time lies inside."""
        return (self.start is None or seconds >= self.start) and (self.end is None or seconds < self.end)


def check_tracks(source: Path, path: Path, container: str) -> None:
    """Refuse a container that cannot hold the source's sound, before any work is done.

    Raises:
        MediaError: with the container to take instead.
    """
    with TrackCopy(source, container) as tracks:
        tracks.check(path)


class TrackCopy:
    """A file's sound, subtitles, chapters, attachments and data on their way into another; a context manager.

    Args:
        source: the file; pictures have nothing to copy.
        container: FFmpeg's name of the output's container.
        cut: the part to copy.
    """

    def __init__(self, source: Path, container: str, cut: Cut | None = None) -> None:
        self._source, self._container, self._cut = source, container, cut or Cut()
        self._input: Any = None
        self._kept: list[Any] = []
        self._refused: list[Any] = []
        self._attached: list[Any] = []
        self._pending: Any = None
        if not is_picture(source) and not source.is_dir():
            self._open()
        self._packets: Iterator[Any] = iter(())
        self._streams: dict[int, Any] = {}
        self._output: Any = None

    def __enter__(self) -> TrackCopy:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def late_time_scales(self) -> tuple[int, ...]:
        """Units per second of each audio stream that starts late; the container must hold these exactly."""
        late = (s for s in self._kept if s.type == "audio" and s.start_time != 0)
        return tuple(Fraction(stream.time_base).denominator for stream in late)

    def check(self, path: Path) -> None:
        """Refuse the output if sound would be lost; tell of anything else that would be.

        Sound whose codec FFmpeg does not know goes into no container, so it is told of.

        Raises:
            MediaError: the container cannot hold one of the sound's codecs.
        """
        sound = [stream for stream in self._refused if stream.type == "audio" and stream.codec_context]
        if sound:
            names = ", ".join(dict.fromkeys(map(_codec, sound)))
            raise MediaError(
                f"expected a container that holds {names} sound, got {path.suffix}; "
                f"name the output {path.with_suffix('.mkv').name} instead."
            )
        lost = [f"{_kind(stream)} ({_codec(stream)})" for stream in self._refused]
        if lost:
            log.warning("%s cannot hold %s; left out", path.suffix, ", ".join(lost))

    def connect(self, output: Any) -> None:
        """Add a stream to an output container for each that is copied, and the chapters."""
        self._output = output
        for stream in self._kept:
            copy = output.add_stream_from_template(stream)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._streams[stream.index] = copy
        for stream in self._attached:
            output.add_attachment(stream.name or "attachment", stream.mimetype or "", stream.data)
        if self._input is not None:
            output.set_chapters(list(self._chapters()))
        if self._kept:
            self._packets = self._read()

    def copy_until(self, seconds: Fraction | None) -> None:
        """Hand over the packets that start no later than a time of the output, in s; all that remain if None."""
        while (packet := self._pending or next(self._packets, None)) is not None:
            if seconds is not None and packet.dts * Fraction(packet.time_base) > seconds:
                self._pending = packet
                return
            self._pending = None
            packet.stream = self._streams[packet.stream.index]
            self._output.mux(packet)

    def close(self) -> None:
        """Close the source."""
        if self._input is not None:
            self._packets = iter(())
            self._input.close()
            self._input = None

    def _open(self) -> None:
        try:
            self._input = open_file(self._source)
        except (av.FFmpegError, OSError) as error:
            raise MediaError(f"could not open {self._source} for its sound: {error.strerror}.") from error
        chapters = bool(self._input.chapters())
        self._refused.extend(moving_pictures(self._input)[1:])
        for stream in self._input.streams:
            if stream.type == "attachment":
                (self._attached if self._container == "matroska" else self._refused).append(stream)
            elif stream.type in ("audio", "subtitle", "data") and not (chapters and _codec(stream) == "bin_data"):
                (self._kept if _takes(self._container, stream) else self._refused).append(stream)

    def _read(self) -> Iterator[Any]:
        try:
            for packet in self._timed():
                unit = Fraction(packet.time_base)
                if not self._cut.holds((packet.dts if packet.pts is None else packet.pts) * unit):
                    continue
                shift = round(self._cut.shift / unit)
                packet.dts -= shift
                if packet.pts is not None:
                    packet.pts -= shift
                yield packet
        except (av.FFmpegError, OSError) as error:
            log.warning("the sound of %s breaks off (%s); the rest is left out", self._source, error.strerror)

    def _timed(self) -> Iterator[Any]:
        """Give the packets that have a time, moved on with the pictures where the file's times jump back."""
        video = next(iter(moving_pictures(self._input)), None)
        follower = Follower(video, strict=self._container in ("mp4", "mov"))
        for packet in self._input.demux(*self._kept, *([video] if video else [])):
            if packet.dts is None:
                continue
            if packet.stream is video:
                follower.watch(packet)
                continue
            follower.move(packet)
            yield packet
        if follower.squeezed:
            log.warning(
                "%d packets beside the pictures of %s come before the one before them; moved past it",
                follower.squeezed,
                self._source,
            )

    def _chapters(self) -> Iterator[dict[str, Any]]:
        cut = self._cut
        for chapter in self._input.chapters():
            unit = Fraction(chapter["time_base"])
            start, end = chapter["start"] * unit, chapter["end"] * unit
            start = start if cut.start is None else max(start, cut.start)
            end = end if cut.end is None else min(end, cut.end)
            if start < end:
                moved = {"start": max(0, round((start - cut.shift) / unit)), "end": round((end - cut.shift) / unit)}
                yield {**chapter, **moved}


def _takes(container: str, stream: Any) -> bool:
    """Try whether a container's header can be written with a stream in it."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as scratch:
            scratch.add_stream_from_template(stream)
            scratch.start_encoding()
    except (ValueError, av.FFmpegError):
        return False
    return True


def _kind(stream: Any) -> str:
    return "another video" if stream.type == "video" else str(stream.type)


def _codec(stream: Any) -> str:
    """Name a stream's codec, or the stream; sound and subtitles without a codec have no name at all in PyAV."""
    return stream.codec_context.name if stream.codec_context else getattr(stream, "name", None) or "unknown"
