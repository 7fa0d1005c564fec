"""A scan on disk: it grows while a video is scanned, so that a stopped scan goes on where it was.

The first line names the video and the settings, then comes a line a frame, after each batch one with the scanner's
state, and at the end one that says that the scan is whole. Only what lies before the last state counts when a scan
goes on; what it then finds is to the last bit what it would have found without the stop.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.scan import BATCH, FaceScan
from faceswap_gan.faces.scanner import Scanner
from faceswap_gan.faces.source import hash_source
from faceswap_gan.faces.tracker import SeenFrame, TrackedFace
from faceswap_gan.media.images import write_whole
from faceswap_gan.media.video import Frame

log = logging.getLogger(__name__)

_VERSION = 1

ReadFrom = Callable[[int], Iterable[Frame]]
"""Reads the video's frames from the one with this number on."""


def scan_video(
    video: Path,
    read: ReadFrom,
    detector: FaceDetector,
    *,
    file: Path,
    settings: Mapping[str, Any] | None = None,
    batch: int = BATCH,
) -> FaceScan:
    """Scan a video, or finish or read the scan that a file holds of it.

    A file that holds a scan of another video, or one made with other settings, is replaced.

    Args:
        video: the video, named in the file with its sha256.
        read: reads its frames; which of them, belongs into ``settings``.
        detector: finds the faces of a frame.
        file: where the scan is kept; its folder must exist.
        settings: what else the scan depends on, as plain values.
        batch: frames to look at together.

    Returns:
        The whole scan.

    Raises:
        FaceFolderError: the video or the file cannot be read, or the disk does not take it.
        MediaError: the video cannot be read, or the disk does not take the finished scan.
    """
    head = {
        "scan": _VERSION,
        "video": video.name,
        "sha256": hash_source(video),
        "min_size": detector.min_size,
        "threshold": detector.threshold,
        "batch": batch,
        **(settings or {}),
    }
    known = read_scan_file(file)
    if known.head != head:
        known = _Known(head)
    if known.whole:
        log.info("%s: %d frames were scanned before, see %s", video.name, len(known.frames), file)
        return FaceScan(known.frames)
    if known.frames:
        log.info("%s: scanning goes on after frame %d", video.name, known.frames[-1].index)
    return _go_on(known, read, detector, file, batch)


@dataclass(frozen=True)
class _Known:
    """What a file holds up to its last state."""

    head: dict[str, Any]
    frames: tuple[SeenFrame, ...] = ()
    state: dict[str, Any] | None = None
    whole: bool = False
    lines: tuple[str, ...] = field(default=(), repr=False)


def read_scan_file(file: Path) -> _Known:
    """Read what a file holds of a scan; nothing where there is none, or where it is damaged from the start.

    Raises:
        FaceFolderError: the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    except OSError as error:
        raise FaceFolderError(f"{file} cannot be read: {error.strerror}. Check its permissions.") from error
    head: dict[str, Any] = {}
    frames: list[SeenFrame] = []
    known = _Known({})
    lines: list[str] = []
    for line in text.split("\n")[:-1]:  # what follows the last line end is torn
        try:
            entry = json.loads(line)
            if not lines:
                head, known = dict(entry), _Known(dict(entry))
            elif "state" in entry or "whole" in entry:
                known = _Known(head, tuple(frames), entry.get("state"), "whole" in entry, (*lines, line))
            else:
                frames.append(_from_line(entry))
        except (KeyError, TypeError, ValueError):
            break
        lines.append(line)
    return known


def _go_on(known: _Known, read: ReadFrom, detector: FaceDetector, file: Path, batch: int) -> FaceScan:
    """Scan what is missing, adding to the file as it goes."""
    scanner = Scanner(detector)
    if known.state is not None:
        scanner.restore(known.state)
    frames = list(known.frames)
    first = frames[-1].index + 1 if frames else 0
    source = (frame for frame in read(first) if frame.index >= first)
    lines = list(known.lines) or [json.dumps(known.head)]
    try:
        with _open(file, lines) as out:
            while chunk := list(islice(source, batch)):
                state = scanner.state()
                seen = scanner.look(chunk)
                if seen:
                    added = [*map(_to_line, seen), json.dumps({"state": state})]
                    out.write("\n".join(added) + "\n")
                    out.flush()
                    frames += seen
    except OSError as error:
        raise FaceFolderError(f"{file} cannot be written: {error.strerror}. Check free space.") from error
    frames += scanner.finish()
    whole = [json.dumps(known.head), *map(_to_line, frames), json.dumps({"whole": len(frames)})]
    write_whole(file, ("\n".join(whole) + "\n").encode())
    return FaceScan(tuple(frames))


def _open(file: Path, lines: Iterable[str]) -> Any:
    """Open a file for adding, holding these lines and nothing torn behind them."""
    write_whole(file, ("\n".join(lines) + "\n").encode())
    return file.open("a", encoding="utf-8")


def _to_line(seen: SeenFrame) -> str:
    faces = [{"track": each.track, **each.face.to_plain()} for each in seen.faces]
    entry = {"frame": seen.index, "pts": seen.pts, "seconds": seen.seconds, "scene": seen.scene, "faces": faces}
    return json.dumps(entry)


def _from_line(entry: Mapping[str, Any]) -> SeenFrame:
    faces = tuple(TrackedFace(Face.from_plain(each), int(each["track"])) for each in entry["faces"])
    numbers = {key: int(entry[key]) for key in ("pts", "scene")}
    return SeenFrame(index=int(entry["frame"]), seconds=float(entry["seconds"]), faces=faces, **numbers)
