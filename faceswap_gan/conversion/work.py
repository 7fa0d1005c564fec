"""What is done of a conversion that was stopped: a hidden folder beside its output."""

from __future__ import annotations

import glob
import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from faceswap_gan.conversion.pipeline import Border
from faceswap_gan.errors import FaceFolderError, MediaError
from faceswap_gan.faces.scan_file import read_scan_file
from faceswap_gan.marks.credentials import sidecar
from faceswap_gan.media.images import write_whole
from faceswap_gan.media.lock import lock_file

log = logging.getLogger(__name__)

_JOB = "job.json"
_PART = "part"
_RUNS = "runs"


@dataclass(frozen=True)
class Segment:
    """A finished stretch of a video.

    Attributes:
        number: its place, from 0.
        file: name of its file in the work folder.
        sha256: of that file.
        frames: how many it holds.
        swapped: in how many of these a face was painted.
        next_frame: number, in the footage, of the first frame after it.
        until: when its last frame ends, s.
        state: what the painters remember at its end, ready for JSON.
    """

    number: int
    file: str
    sha256: str
    frames: int
    swapped: int
    next_frame: int
    until: float
    state: dict[str, Any]


class WorkFolder:
    """The folder ``.<output's name>.parts``, which goes when the output is whole.

    A segment counts once its record is written, whole and after the file itself; a process may be killed at any
    moment. What was made from something else, another video, model or flag, does not count; it is thrown away, with
    a line that says so, when the work begins: a flag that is refused before that costs nothing. ``faces.jsonl``
    stays, because it knows by itself what it was made from. One run at a time holds the folder, until it releases it
    or ends.

    Args:
        output: the file, or folder, that the conversion makes.
        made_from: all that the result depends on, ready for JSON.

    Attributes:
        folder: the folder.
        scan: file for what the first pass found.
        part: where a stopped conversion leaves what it has finished, as a file that plays.
        segments: finished ones, in order.

    Raises:
        MediaError: the folder cannot be made or read, or another run holds it.
    """

    def __init__(self, output: Path, made_from: Mapping[str, Any]) -> None:
        self.output = output
        self.folder = output.with_name(f".{output.name}.parts")
        self.scan = self.folder / "faces.jsonl"
        name = f"{output.stem}.part{output.suffix}" if output.suffix else f"{output.name}_part"
        self.part = output.with_name(name)
        # As it comes back from JSON: tuples are lists there, paths are text.
        self._wanted: dict[str, Any] = json.loads(json.dumps(dict(made_from), default=str))
        held = lock_file(self.folder / _RUNS)
        if held is None:
            raise MediaError(
                f"expected to be alone at work on {output}, but another run is making it; wait for that one to end, "
                "or name another --output."
            )
        self._lock = held
        with ExitStack() as undo:
            undo.callback(self.release)
            held.write(f"{os.getpid()}\n".encode())
            held.flush()
            self._before = _read(self.folder / _JOB)
            self.segments: list[Segment] = self._find() if self._before == self._wanted else []
            undo.pop_all()

    def begin(self) -> None:
        """Write down what is made, and throw away what was made from something else; nothing is refused any more.

        Raises:
            MediaError: the disk does not take it.
        """
        before, wanted = self._before, self._wanted
        if before == wanted:
            return
        if before is not None:
            differ = sorted(name for name in before.keys() | wanted if before.get(name) != wanted.get(name))
            log.info("%s was begun with another %s: it starts anew", self.output, ", ".join(differ))
        self._clear()
        write_whole(self.folder / _JOB, json.dumps(wanted, indent=1).encode())
        self._before = wanted

    def release(self) -> None:
        """Let other runs have the folder."""
        self._lock.close()

    def path(self, number: int, suffix: str) -> Path:
        """Name the file of a segment."""
        return self.folder / f"{number:06d}{suffix}"

    def record(self, file: Path, border: Border, *, frames: int, swapped: int) -> None:
        """Take in the next segment, whose file is whole.

        Args:
            file: in the work folder.
            border: its end.
            frames: how many it holds.
            swapped: in how many of these a face was painted.

        Raises:
            MediaError: the disk does not take it.
        """
        number = len(self.segments)
        segment = Segment(number, file.name, _sha256(file), frames, swapped, **asdict(border))
        write_whole(self._record_of(number), json.dumps(asdict(segment)).encode())
        self.segments.append(segment)

    @property
    def frames(self) -> int:
        """How many frames the segments hold."""
        return sum(segment.frames for segment in self.segments)

    @property
    def next_frame(self) -> int:
        """Number, in the footage, of the first frame that is still to be done."""
        return self.segments[-1].next_frame if self.segments else 0

    @property
    def files(self) -> list[Path]:
        """The segments' files, in order."""
        return [self.folder / segment.file for segment in self.segments]

    @property
    def is_worth_keeping(self) -> bool:
        """Whether another run could go on from here: segments, be it of other flags, a part, or faces found."""
        if self._record_of(0).exists() or (self.folder / _PART).exists():
            return True
        try:
            found = read_scan_file(self.scan)
        except FaceFolderError:
            return True
        return any(frame.faces for frame in found.frames) or (bool(found.frames) and not found.whole)

    def leave_part(self) -> Path:
        """Name the file for a part, and remember that it is ours to delete."""
        (self.folder / _PART).touch()
        return self.part

    def remove(self) -> None:
        """Delete the folder and all that is in it, and a part that was left; release it."""
        if (self.folder / _PART).exists():
            shutil.rmtree(self.part) if self.part.is_dir() else self.part.unlink(missing_ok=True)
            sidecar(self.part).unlink(missing_ok=True)
        self._tidy()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()
        if sys.platform == "win32":  # where an open file cannot be deleted
            shutil.rmtree(self.folder, ignore_errors=True)

    def _tidy(self) -> None:
        """Delete unfinished outputs of runs that were killed while they joined or signed; their names tell which."""
        for run in (self.folder / _RUNS).read_text().split() if (self.folder / _RUNS).exists() else ():
            for left in self.output.parent.glob(f".*{glob.escape(self.output.stem)}.{run}.*{self.output.suffix}"):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)

    def _record_of(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _find(self) -> list[Segment]:
        """Read the records that follow each other without a gap and whose files are as they were."""
        found: list[Segment] = []
        while (record := _read(self._record_of(len(found)))) is not None:
            segment = Segment(**record)
            file = self.folder / segment.file
            if not file.is_file() or _sha256(file) != segment.sha256:
                log.warning("%s is damaged; it is made again, with all after it", file)
                self._forget(len(found))
                break
            found.append(segment)
        return found

    def _forget(self, number: int) -> None:
        """Delete the records of a segment and of all after it."""
        while (record := self._record_of(number)).exists():
            record.unlink()
            number += 1

    def _clear(self) -> None:
        for file in self.folder.iterdir():
            if file.name not in (self.scan.name, _PART, _RUNS):
                file.unlink()


def _read(file: Path) -> dict[str, Any] | None:
    """Read what this module has written; None where there is nothing, or nothing whole."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MediaError(f"could not read {file} ({error.strerror}); delete its folder to start anew.") from error
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
