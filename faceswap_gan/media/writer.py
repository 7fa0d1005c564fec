"""Frames to a finished file in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.media.join import join_segments
from faceswap_gan.media.plan import CONTAINERS, plan_output
from faceswap_gan.media.segments import SegmentWriter

__all__ = ["CONTAINERS", "VideoWriter"]

if TYPE_CHECKING:
    from faceswap_gan.media.video import Frame, VideoInfo


class VideoWriter:
    """Write frames to a video, in order; a context manager.

    The file appears under its own name only when everything is in it: it is written under a temporary name
    beside it, renamed on a clean exit and removed on any other. Frames keep the source's presentation times
    (in .mkv and .webm rounded to a millisecond, which is all they store), pixel aspect, rotation, bit depth and
    colour tags; samples that no mask touches are encoded as the source stores them. Sound, subtitles and
    chapters of the source are copied packet by packet.

    Args:
        path: output, see `plan_output`.
        like: the source: times, tags and sound come from it.
        size: (width, height) in px if it is not the source's.
        metadata: container tags.
        codec: a key of `faceswap_gan.media.codecs.CODECS`; None lets the container choose.
        crf: quality, 0 best; None is visually lossless.
        preset: speed, as the codec calls it.
        start: s, where in the source the frames begin if not at its start; the sound is cut there.
        end: s, where they end.
        seal: is given the finished file under its temporary name before it appears.

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
        codec: str | None = None,
        crf: int | None = None,
        preset: str | None = None,
        start: float | None = None,
        end: float | None = None,
        seal: Callable[[Path], None] | None = None,
    ) -> None:
        self._plan = plan_output(path, like=like, size=size, codec=codec, crf=crf, preset=preset)
        self._metadata, self._cut, self._seal = dict(metadata or {}), (start, end), seal
        self._segment = path.with_name(f".{path.stem}.{os.getpid()}.segment")
        self._writer = SegmentWriter(self._segment, self._plan)

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Frame, image: NDArray[Any] | None = None, mask: NDArray[np.uint8] | None = None) -> None:
        """Add a frame, see `SegmentWriter.write`."""
        self._writer.write(frame, image, mask)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as clean:
            clean.callback(self._segment.unlink, missing_ok=True)
            self._writer.__exit__(kind, error, trace)
            if kind is None:
                if not self._writer.frames:
                    raise MediaError(f"expected at least one frame for {self._plan.path}, got none.")
                start, end = self._cut
                join_segments(
                    [self._segment], self._plan, metadata=self._metadata, start=start, end=end, seal=self._seal
                )
