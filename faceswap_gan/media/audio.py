"""Sound copied from one container to another, packet by packet, never decoded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from faceswap_gan.errors import MediaError
from faceswap_gan.media.images import is_picture

log = logging.getLogger(__name__)


class AudioCopy:
    """The audio packets of a file, on their way into another.

    Args:
        source: the file whose every audio stream is copied; a picture has none.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._input: Any = None
        self._streams: list[Any] = []
        self._pending: Any = None
        if not is_picture(source):
            try:
                self._input = av.open(f"file:{source}", options={"protocol_whitelist": "file"})
            except (av.FFmpegError, OSError) as error:
                raise MediaError(f"could not open {source} for its sound: {error.strerror}.") from error
            self._streams = list(self._input.streams.audio)
        self._packets: Iterator[Any] = iter(())
        self._outputs: dict[int, Any] = {}
        self._container: Any = None

    @property
    def late_time_scales(self) -> tuple[int, ...]:
        """Units per second of each audio stream that starts late; the container must hold these exactly."""
        late = (stream for stream in self._streams if stream.start_time != 0)
        return tuple(Fraction(stream.time_base).denominator for stream in late)

    @property
    def codecs(self) -> tuple[str, ...]:
        """Codec name of each audio stream."""
        return tuple(s.codec_context.name if s.codec_context else "unknown" for s in self._streams)

    def refused(self, path: Path) -> MediaError:
        """Make the error that says an output container does not take this sound."""
        return MediaError(
            f"expected a container that holds {', '.join(self.codecs)} sound, got {path.suffix}; "
            f"name the output {path.with_suffix('.mkv').name} instead."
        )

    def connect(self, container: Any, path: Path) -> None:
        """Add a stream to an output container for each of the source's.

        Raises:
            MediaError: the container cannot hold one of the codecs.
        """
        self._container = container
        for stream in self._streams:
            try:
                copy = container.add_stream_from_template(stream)
            except (ValueError, av.FFmpegError) as error:
                raise self.refused(path) from error
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._outputs[stream.index] = copy
        if self._streams:
            self._packets = self._read()

    def copy_until(self, seconds: Fraction | None) -> None:
        """Hand over the packets that start no later than a time, in s; all that remain if None."""
        while (packet := self._pending or next(self._packets, None)) is not None:
            if seconds is not None and packet.dts * Fraction(packet.time_base) > seconds:
                self._pending = packet
                return
            self._pending = None
            packet.stream = self._outputs[packet.stream.index]
            self._container.mux(packet)

    def close(self) -> None:
        """Close the source."""
        if self._input is not None:
            self._packets = iter(())
            self._input.close()
            self._input = None

    def _read(self) -> Iterator[Any]:
        try:
            for packet in self._input.demux(*self._streams):
                if packet.dts is not None:
                    yield packet
        except (av.FFmpegError, OSError) as error:
            log.warning("the sound of %s breaks off (%s); the rest is left out", self._source, error.strerror)
