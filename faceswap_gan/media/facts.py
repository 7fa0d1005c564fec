"""What a file holds besides its pictures: when frames are shown, and every byte of its sound, without decoding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from faceswap_gan.errors import MediaError
from faceswap_gan.media.decode import moving_pictures
from faceswap_gan.media.images import is_picture
from faceswap_gan.media.video import open_video, read_info


@dataclass(frozen=True)
class SoundFacts:
    """One audio stream.

    Attributes:
        codec: its name.
        packets: how many.
        sha256: of all packets' bytes in order, hexadecimal.
        start: s, when the first one is due; 0 where there is none.
        end: s, when the last one is over.
    """

    codec: str
    packets: int
    sha256: str
    start: float
    end: float = 0.0


@dataclass(frozen=True)
class MediaFacts:
    """A file's frames and sound.

    Attributes:
        path: the file.
        size: width and height, px, upright.
        pixel_shape: width / height of one pixel.
        seconds: when each frame is shown, ascending.
        sound: one entry an audio stream.
    """

    path: Path
    size: tuple[int, int]
    pixel_shape: Fraction
    seconds: tuple[float, ...]
    sound: tuple[SoundFacts, ...]


def read_facts(path: Path) -> MediaFacts:
    """Read a video's facts; a picture is a video of one frame without sound.

    Raises:
        MediaError: the file is missing, is no video, or nothing in it decodes.
    """
    info = read_info(path)
    size = (info.width, info.height)
    if is_picture(path):
        return MediaFacts(path, size, info.sample_aspect_ratio, (0.0,), ())
    with open_video(path) as container:
        seconds, sound = _read_packets(container, path)
    return MediaFacts(path, size, info.sample_aspect_ratio, seconds, sound)


class _Sound:
    """An audio stream on its way past."""

    def __init__(self, stream: Any) -> None:
        self._codec = stream.codec_context.name if stream.codec_context else "unknown"
        self._hash, self._packets, self._start, self._end = hashlib.sha256(), 0, 0.0, 0.0

    def take(self, packet: Any) -> None:
        if not self._packets:
            self._start = float((packet.pts or 0) * Fraction(packet.time_base))
        self._end = float(((packet.pts or 0) + (packet.duration or 0)) * Fraction(packet.time_base))
        self._hash.update(bytes(packet))
        self._packets += 1

    def facts(self) -> SoundFacts:
        return SoundFacts(self._codec, self._packets, self._hash.hexdigest(), self._start, self._end)


def _read_packets(container: Any, path: Path) -> tuple[tuple[float, ...], tuple[SoundFacts, ...]]:
    video = moving_pictures(container)[0]
    sounds = {stream.index: _Sound(stream) for stream in container.streams.audio}
    seconds = []
    is_shown_as_stored = container.format.name == "avi"  # what FFmpeg gives for times of showing is made up
    try:
        for packet in container.demux(video, *container.streams.audio):
            if not packet.size:
                continue
            if packet.stream.index in sounds:
                sounds[packet.stream.index].take(packet)
            elif not packet.is_discard:
                due = packet.dts if packet.pts is None or is_shown_as_stored else packet.pts
                if due is not None:
                    seconds.append(float(due * Fraction(packet.time_base)))
    except (av.FFmpegError, OSError) as error:
        if not seconds:
            raise MediaError(f"expected a video, got {path}, which breaks off at once ({error.strerror}).") from error
    return tuple(sorted(seconds)), tuple(sound.facts() for sound in sounds.values())
