"""Frames to a finished video: H.264 with the source's times, tags and untouched sound."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import av

from faceswap_gan.errors import MediaError
from faceswap_gan.media.audio import AudioCopy
from faceswap_gan.media.images import encode_image, is_picture, write_whole
from faceswap_gan.media.pixels import from_rgb
from faceswap_gan.media.xmp import add_xmp

if TYPE_CHECKING:
    from faceswap_gan.media.video import Frame, VideoInfo

log = logging.getLogger(__name__)

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_MAX_TIMESCALE = 2**31 - 1


class VideoWriter:
    """Write frames to a video, in order; a context manager.

    The file appears under its own name only when everything is in it: it is written under a temporary name
    beside it, renamed on a clean exit and removed on any other. Frames keep the source's presentation times
    (in .mkv rounded to a millisecond, which is all Matroska stores), pixel aspect and colour tags; every
    audio stream of the source is copied packet by packet.

    Args:
        path: output; the suffix decides the container (.mp4, .m4v, .mov, .mkv) or, for a one-frame source,
            the picture format.
        like: the source: times, tags and sound come from it.
        size: (width, height) in px if it is not the source's.
        metadata: container tags.
        crf: x264's constant rate factor, 0 (lossless) to 51.

    Raises:
        MediaError: unknown suffix, a frame of another size, a codec the container refuses, a full disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        like: VideoInfo,
        size: tuple[int, int] | None = None,
        metadata: Mapping[str, str] | None = None,
        crf: int = 17,
    ) -> None:
        self._path = path
        self._size = size or (like.width, like.height)
        self._sink: _VideoSink | _PictureSink
        if is_picture(path):
            self._sink = _PictureSink(path, like=like, metadata=dict(metadata or {}))
        else:
            self._sink = _VideoSink(path, like=like, size=self._size, metadata=dict(metadata or {}), crf=crf)

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Frame) -> None:
        """Add a frame; its image must have the writer's size, its time must lie after the last one's."""
        width, height = self._size
        if frame.image.shape != (height, width, 3):
            raise MediaError(
                f"expected frames of {width}x{height} for {self._path}, got an array of {frame.image.shape}; "
                "give VideoWriter the size it will be fed."
            )
        self._sink.write(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._sink.finish()
        else:
            self._sink.discard()


class _PictureSink:
    """A one-frame video written as a picture."""

    def __init__(self, path: Path, *, like: VideoInfo, metadata: dict[str, str]) -> None:
        if not is_picture(like.path):
            raise MediaError(
                f"expected a video suffix ({', '.join(CONTAINERS)}) for the output of a video, got {path}; "
                "a picture suffix is for a picture."
            )
        self._path, self._metadata, self._data = path, metadata, b""

    def write(self, frame: Frame) -> None:
        self._data = add_xmp(encode_image(frame.image, self._path.suffix), self._metadata)

    def finish(self) -> None:
        if not self._data:
            raise MediaError(f"expected one frame for {self._path}, got none.")
        write_whole(self._path, self._data)

    def discard(self) -> None:
        """Leave nothing: nothing was written."""


class _VideoSink:
    """An open container under a temporary name."""

    def __init__(
        self, path: Path, *, like: VideoInfo, size: tuple[int, int], metadata: dict[str, str], crf: int
    ) -> None:
        self._path, self._like = path, like
        self._temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
        self._durations: dict[int, int] = {}
        self._pix_fmt = "yuv420p" if size[0] % 2 == size[1] % 2 == 0 else "yuv444p"
        self._audio = AudioCopy(like.path)
        with ExitStack() as undo:
            undo.callback(self.discard)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._container = self._open(metadata)
                self._stream = self._add_video(size, crf)
                self._audio.connect(self._container, path)
                self._write_header()
            except (av.FFmpegError, OSError) as error:
                raise self._failed(error) from error
            undo.pop_all()

    def write(self, frame: Frame) -> None:
        picture = from_rgb(frame.image, self._pix_fmt, self._like.color)
        picture.pts, picture.time_base = frame.pts, frame.time_base
        self._durations[frame.pts] = frame.duration
        try:
            self._audio.copy_until(frame.pts * frame.time_base)
            self._mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def finish(self) -> None:
        try:
            self._mux(self._stream.encode(None))
            self._audio.copy_until(None)
            self._container.close()
            self._temporary.replace(self._path)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        self._audio.close()
        container: Any = getattr(self, "_container", None)
        if container is not None:
            try:
                container.close()
            except (av.FFmpegError, OSError) as error:
                log.debug("closing the unfinished %s: %s", self._temporary, error)
        with suppress(NotADirectoryError):  # the output's folder is none: nothing was written
            self._temporary.unlink(missing_ok=True)

    def _open(self, metadata: dict[str, str]) -> Any:
        name = CONTAINERS.get(self._path.suffix.lower())
        if name is None:
            known = ", ".join(CONTAINERS)
            raise MediaError(f"expected an output ending in {known}, got {self._path}; rename it.")
        options = {"avoid_negative_ts": "disabled"} if name == "matroska" else self._mov_options()
        container = av.open(f"file:{self._temporary}", "w", format=name, container_options=options)
        container.metadata.update(metadata)
        return container

    def _mov_options(self) -> dict[str, str]:
        """Time scales that hold the source's times without rounding, start offsets included."""
        options = {"movflags": "+use_metadata_tags+faststart"}
        base = self._like.time_base
        if base.numerator == 1:
            options["video_track_timescale"] = str(base.denominator)
        scale = math.lcm(base.denominator, *self._audio.late_time_scales)
        options["movie_timescale"] = str(scale if scale <= _MAX_TIMESCALE else base.denominator)
        return options

    def _add_video(self, size: tuple[int, int], crf: int) -> Any:
        like = self._like
        stream = self._container.add_stream(
            "libx264", rate=like.frame_rate, options={"crf": str(crf), "preset": "medium"}
        )
        stream.width, stream.height = size
        stream.pix_fmt = self._pix_fmt
        stream.codec_context.time_base = like.time_base
        stream.time_base = like.time_base
        stream.codec_context.sample_aspect_ratio = like.sample_aspect_ratio
        stream.color_range = 2 if like.color.full_range else 1
        stream.colorspace = like.color.matrix
        stream.color_primaries = like.color.primaries
        stream.color_trc = like.color.transfer
        return stream

    def _write_header(self) -> None:
        try:
            self._container.start_encoding()
        except av.FFmpegError as error:
            if not self._audio.codecs:
                raise
            raise self._audio.refused(self._path) from error

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            # x264 does not hand durations through; without them the last frame's is lost
            packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            self._container.mux(packet)

    def _failed(self, error: OSError) -> MediaError:
        return MediaError(
            f"could not write {self._path}: {error.strerror or error}; check folder, free space and suffix."
        )
