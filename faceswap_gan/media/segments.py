"""Stretches of encoded frames on disk: what a broken-off conversion keeps, and what a file is joined from."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import MediaError
from faceswap_gan.media.planes import repack
from faceswap_gan.media.stored import paint_picture

if TYPE_CHECKING:
    from faceswap_gan.media.plan import OutputPlan
    from faceswap_gan.media.video import Frame

_RECORD = struct.Struct("<qqQ?")
"""Presentation time and duration in the source's units, bytes that follow, whether it starts anew."""
_END = struct.Struct("<QQ")
"""Frames, and bytes of everything before."""


@dataclass(frozen=True)
class EncodedPacket:
    """One frame, encoded.

    Attributes:
        pts: presentation time, in units of the source's time base.
        duration: how long it is shown, in the same; 0 if unknown.
        is_keyframe: whether decoding can start here.
        data: its bytes.
    """

    pts: int
    duration: int
    is_keyframe: bool
    data: bytes


class SegmentWriter:
    """Encode the frames of one segment, without sound, into a file of its own; a context manager.

    Each segment has a fresh encoder and starts with a key frame, so a file joined from segments is the same
    whether they were made in one run or in several. The file appears whole on a clean exit, or not at all.

    Args:
        file: where to.
        plan: of the finished file.

    Raises:
        MediaError: the encoder does not open, or the disk does not take the file.
    """

    def __init__(self, file: Path, plan: OutputPlan) -> None:
        self._path, self._plan = file, plan
        self._temporary = file.with_name(f".{file.name}.{os.getpid()}.partial")
        self._durations: dict[int, int] = {}
        self._last: int | None = None
        self.frames = 0
        self._untouched = np.zeros((plan.size[1], plan.size[0]), np.uint8)
        self._encoder = plan.new_encoder()
        header = {"fingerprint": plan.fingerprint, "extradata": (self._encoder.extradata or b"").hex()}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._temporary.open("wb")
            self._file.write(json.dumps(header).encode() + b"\n")
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> SegmentWriter:
        return self

    def write(self, frame: Frame, image: NDArray[Any] | None = None, mask: NDArray[np.uint8] | None = None) -> None:
        """Add a frame.

        Args:
            frame: gives the time and, as far as the image leaves them alone, the samples.
            image: what shall be shown, upright RGB uint8 or uint16 (H, W, 3) of the plan's size; the frame's
                own if None.
            mask: uint8 (H, W), above 0 wherever the image differs from the frame's; None if it may anywhere.

        Raises:
            MediaError: an array of another size, a time that does not grow, or a disk that is full.
        """
        if self._last is not None and frame.pts <= self._last:
            raise MediaError(f"expected a frame later than {self._last}, got {frame.pts}; write them in order.")
        picture = self.picture(frame, image, mask)
        picture.pts, picture.time_base = frame.pts, frame.time_base
        self._durations[frame.pts], self._last = frame.duration, frame.pts
        self._encode(picture)
        self.frames += 1

    def picture(self, frame: Frame, image: NDArray[Any] | None, mask: NDArray[np.uint8] | None) -> av.VideoFrame:
        """Make the picture that `write` encodes; takes what it takes."""
        plan, stored = self._plan, frame.stored
        shown = frame.image if image is None else image
        if stored is None or not plan.keeps_samples or stored.size != plan.stored_size:
            stored = None
        elif shown is stored.image:
            mask = self._untouched
        if image is None and frame.stored is not None and shown is frame.stored.image and plan.planar.depth > 8:
            shown = frame.stored.image if frame.deep is None else frame.deep
        height, width = plan.size[1], plan.size[0]
        for array, shape in ((shown, (height, width, 3)), (mask, (height, width))):
            if array is not None and array.shape != shape:
                raise MediaError(
                    f"expected pictures of {width}x{height} for {plan.path}, got an array of {array.shape}; "
                    "plan the output with the size it will be fed."
                )
        return paint_picture(shown, plan.planar, plan.tags, matrix=plan.matrix, stored=stored, mask=mask)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._encode(None)
                self._file.write(_RECORD.pack(0, 0, 0, False) + _END.pack(self.frames, self._file.tell()))
                self._file.close()
                self._temporary.replace(self._path)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _encode(self, picture: av.VideoFrame | None) -> None:
        plan = self._plan
        try:
            packets = self._encoder.encode(None if picture is None else repack(picture, plan.encoded_format))
            for packet in packets:
                data = bytes(packet)
                duration = self._durations.pop(packet.pts, 0)
                self._file.write(_RECORD.pack(packet.pts, duration, len(data), packet.is_keyframe) + data)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> MediaError:
        return MediaError(f"could not write {self._path}: {error.strerror or error}; check folder and free space.")


class Segment:
    """A finished segment.

    Args:
        file: made by `SegmentWriter`.

    Raises:
        MediaError: the file is missing or not whole.
    """

    def __init__(self, file: Path) -> None:
        self.path = file
        try:
            with file.open("rb") as opened:
                header = json.loads(opened.readline(1 << 20))
                self._start = opened.tell()
                opened.seek(-_END.size, os.SEEK_END)
                frames, size = _END.unpack(opened.read())
                whole = size == opened.tell() - _END.size - _RECORD.size
            self.fingerprint, self.extradata = str(header["fingerprint"]), bytes.fromhex(header["extradata"])
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            raise self._damaged() from error
        if not whole:
            raise self._damaged()
        self.frames = int(frames)

    def times(self) -> list[int]:
        """Presentation times in the order of decoding, without reading the pictures."""
        return [pts for pts, _, _, _ in self._records(data=False)]

    def last(self) -> tuple[int, int]:
        """Tell when the last picture is shown and for how long, 0 if unknown, without reading the pictures."""
        return max((pts, duration) for pts, duration, _, _ in self._records(data=False))

    def packets(self) -> Iterator[EncodedPacket]:
        """Read packet by packet, in the order of decoding."""
        for pts, duration, key, data in self._records(data=True):
            yield EncodedPacket(pts, duration, key, data)

    def _records(self, *, data: bool) -> Iterator[tuple[int, int, bool, bytes]]:
        with self.path.open("rb") as opened:
            opened.seek(self._start)
            for _ in range(self.frames):
                record = opened.read(_RECORD.size)
                if len(record) < _RECORD.size:
                    raise self._damaged()
                pts, duration, size, key = _RECORD.unpack(record)
                if data:
                    yield pts, duration, key, opened.read(size)
                else:
                    opened.seek(size, os.SEEK_CUR)
                    yield pts, duration, key, b""

    def _damaged(self) -> MediaError:
        return MediaError(f"expected a finished segment, got {self.path}, which is missing or damaged; remake it.")
