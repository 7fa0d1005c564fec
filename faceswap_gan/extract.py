"""Extract: cut the aligned faces out of a video into a face folder."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan.errors import FaceSwapError, NoFaceError, SettingsError

if TYPE_CHECKING:
    from faceswap_gan.faces.folder import FaceCrop, FaceWriter
    from faceswap_gan.faces.scan import FaceScan
    from faceswap_gan.faces.selection import Selection
    from faceswap_gan.faces.sorting import Limits, Reject
    from faceswap_gan.media.video import Frame

log = logging.getLogger(__name__)

SCAN = "scan.jsonl"
"""What was seen in the video, in the face folder: a stopped run goes on from it, another one need not look again."""

_AHEAD = 6  # frames decoded in advance


def run(
    video: Path,
    faces: Path,
    *,
    every: int = 1,
    start: float | None = None,
    end: float | None = None,
    size: int = 256,
    who: Literal["largest", "all"] = "largest",
    track: tuple[int, ...] | None = None,
    reference: Path | None = None,
    max_faces: int | None = None,
    min_face: int = 40,
    smoothing: Literal["rts", "kalman", "moving-average", "none"] = "rts",
    min_width: int = 0,
    max_yaw: float = 90.0,
    min_sharpness: float = 0.0,
    recognizer: Path | None = None,
    weights_dir: Path | None = None,
) -> None:
    """Cut the aligned faces out of a video into a face folder.

    The video is read twice: first everybody is found and followed, then whoever is wanted is cut out. A picture
    counts as a video of one frame, a folder of pictures as one of 25 a second. Running again over the same video
    goes on where the last run was stopped, and replaces what the folder holds of it.

    Args:
        video: Video, picture or folder of pictures to read.
        faces: Folder to write crops and faces.jsonl to.
        every: Look at every n-th frame only.
        start: Leave out what is shown before this time, in seconds.
        end: Leave out what is shown from this time on, in seconds.
        size: Side of the crops in pixels.
        who: Whom to take: who is seen longest, surest and largest, or all.
        track: Take the people with these numbers, which the tracks verb shows; every frame is looked at then.
        reference: Take the person whom this picture shows.
        max_faces: How many people to take at once; without it one, or with --who all or --track all there are.
        min_face: Side of the smallest face to look for, in pixels of the frame.
        smoothing: How boxes and landmarks are steadied: both ways, by the 2018 project's filters, or not at all.
        min_width: Leave out faces narrower than this, in pixels of the frame.
        max_yaw: Leave out heads turned further than this, in degrees; 90 takes all.
        min_sharpness: Leave out faces less sharp than this part of their track's median; 0 takes all, 0.5 is usual.
        recognizer: ONNX network that tells people apart, for --reference; without it the known one is looked for
            and downloaded.
        weights_dir: Folder of pretrained files, for machines without a network.

    Raises:
        NoFaceError: No frame shows a wanted face: no crop is written, and scan.jsonl stays if it shows others.
        MediaError: The video cannot be read.
        FaceFolderError: The folder holds faces of another video.
        SettingsError: A number is out of its range.
        WeightsError: The recogniser is nowhere to be had.
    """
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.folder import FaceWriter
    from faceswap_gan.faces.scan_file import scan_video
    from faceswap_gan.faces.selection import select_people
    from faceswap_gan.faces.smoothing import smooth_scan
    from faceswap_gan.faces.sorting import Limits, list_others

    _check(track, reference, recognizer, weights_dir, every=every, size=size, max_faces=max_faces, min_face=min_face)
    limits = Limits(min_width=min_width, max_yaw=max_yaw, min_sharpness=min_sharpness)
    looked = _Source(video, every=1 if track is not None else every, start=start, end=end)
    writer, detector = FaceWriter(faces, video=video), FaceDetector(min_size=min_face)
    with _NewFolder(faces):
        scan = scan_video(video, looked.read, detector, file=faces / SCAN, settings=looked.settings)
        chosen = select_people(
            scan, looked.read, detector, who=who, track=track, reference=reference, max_faces=max_faces,
            recognizer=recognizer, weights_dir=weights_dir,
        )  # fmt: skip
        frames = _Source(video, every=every, start=start, end=end).read(title="cutting")
        crops, left_out = _cut(frames, smooth_scan(scan, smoothing), chosen, writer, size=size, limits=limits)
        _conclude(video, faces, scan, crops, list_others(scan, chosen, every=every) + left_out, every=every)


@dataclass(frozen=True)
class _Source:
    """A part of a video, which can be read again and again.

    Where tracks are asked for by number, every frame is looked at, as the tracks verb does, which numbered them.
    """

    video: Path
    every: int
    start: float | None
    end: float | None

    @property
    def settings(self) -> dict[str, float | None]:
        """What tells this part from others."""
        return {"every": self.every, "start": self.start, "end": self.end}

    def __post_init__(self) -> None:
        """Say what is wrong with the video, or the part, before anything is made."""
        from faceswap_gan.media.video import exact_part, read_info

        exact_part(self.start, self.end)
        read_info(self.video)

    def read(self, first: int = 0, *, title: str = "looking") -> Iterator[Frame]:
        """Read the frames from one on, a few ahead in a thread, and show how far that is."""
        from faceswap_gan.media.video import read_frames, read_info
        from faceswap_gan.threads import in_thread

        frames = read_frames(self.video, every=self.every, start=self.start, end=self.end, from_index=first)
        total = read_info(self.video).frames // self.every
        return _with_progress(in_thread(frames, ahead=_AHEAD), title, total, done=first // self.every)


_LEAST = {"size": 16, "min_face": 12}
_LARGEST_CROP = 4096


def _check(
    track: tuple[int, ...] | None,
    reference: Path | None,
    recognizer: Path | None,
    weights_dir: Path | None,
    *,
    min_face: int,
    **numbers: int | None,
) -> None:
    """Refuse before a long look at the video what can be refused now."""
    from faceswap_gan.faces.selection import check_reference

    for name, value in {"min_face": min_face, **numbers}.items():
        least = _LEAST.get(name, 1)
        if value is not None and value < least:
            raise SettingsError(f"expected --{name.replace('_', '-')} of at least {least}, got {value}.")
    if (numbers["size"] or 0) > _LARGEST_CROP:
        raise SettingsError(f"expected --size of at most {_LARGEST_CROP}, got {numbers['size']}.")
    if track is not None and not track:
        raise SettingsError("expected numbers after --track, got none; the tracks verb shows them.")
    check_reference(reference, track=track, recognizer=recognizer, weights_dir=weights_dir, min_face=min_face)


class _NewFolder:
    """Makes a folder; where it is new and the work fails, it goes again if it saves another run nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_new = not path.exists()

    def __enter__(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        failed = kind is not None and issubclass(kind, FaceSwapError)
        if failed and self._is_new and not self._is_of_use():
            (self._path / SCAN).unlink(missing_ok=True)
            self._path.rmdir()

    def _is_of_use(self) -> bool:
        """Tell whether there is more than a scan, or one that is not whole, or that shows a face."""
        from faceswap_gan.faces.scan_file import read_scan_file

        known = read_scan_file(self._path / SCAN)
        scanned = bool(known.frames) and (not known.whole or any(frame.faces for frame in known.frames))
        return scanned or not {each.name for each in self._path.iterdir()} <= {SCAN}


def _cut(
    frames: Iterable[Frame], scan: FaceScan, chosen: Selection, writer: FaceWriter, *, size: int, limits: Limits
) -> tuple[int, list[Reject]]:
    """Write the wanted faces; returns their number, and what the limits left out."""
    from faceswap_gan.faces.cutting import crops_of
    from faceswap_gan.faces.sorting import BlurFinder

    rejects: list[Reject] = []
    blur = BlurFinder()
    written = 0
    with writer, _Background() as background:
        for frame in frames:
            for crop in crops_of(frame, scan, chosen.people, size=size):
                wrong = limits.judge(crop)
                if wrong is not None:
                    rejects.append(wrong)
                    continue
                if limits.min_sharpness > 0:
                    blur.look(crop)
                background.run(writer.write, crop)
                written += 1
        background.wait()
        blurred = blur.find(limits.min_sharpness)
        for name in blurred:
            writer.drop(name)
    return written - len(blurred), rejects + list(blurred.values())


def _conclude(video: Path, faces: Path, scan: FaceScan, crops: int, rejects: list[Reject], *, every: int) -> None:
    """List what was left out, and say how it went."""
    from faceswap_gan.faces.sorting import REJECTED, count_reasons, write_rejects

    if not crops:
        raise NoFaceError(_why_none(video, scan, rejects, every))
    write_rejects(faces / REJECTED, rejects)
    log.info("%s: %d faces in %d frames, written to %s", video.name, crops, len(scan.frames), faces)
    if rejects:
        log.info("%d faces were left out (%s), see %s", len(rejects), count_reasons(rejects), faces / REJECTED)


def _why_none(video: Path, scan: FaceScan, rejects: list[Reject], every: int) -> str:
    """Say why no face was taken, and what to do."""
    from faceswap_gan.faces.sorting import count_reasons

    frames, left_out = len(scan.frames), count_reasons(rejects)
    if rejects:
        why = f"shows no wanted face in {frames} frames; left out were {left_out}"
        return f"{video} {why}. Loosen the limits or choose others."
    if not frames:
        return f"expected a frame of {video} to look at, got none: --every {every} skips all. Give a smaller one."
    if any(frame.faces for frame in scan.frames):
        return f"{video} shows faces, but in none of the frames that --every {every} takes. Give a smaller one."
    return f"{video} shows no face in {frames} frames. Give a video with a larger face, or a smaller --min-face."


class _Background:
    """Runs one thing after another in a thread; errors come out at a later call or at the end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._running: deque[Future[None]] = deque()

    def run(self, function: Callable[[FaceCrop], None], crop: FaceCrop) -> None:
        """Queue a call; waits when sixteen are under way."""
        self._running.append(self._pool.submit(function, crop))
        if len(self._running) > 16:
            self._running.popleft().result()

    def wait(self) -> None:
        """Wait for all that is under way."""
        while self._running:
            self._running.popleft().result()

    def __enter__(self) -> _Background:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        failed = kind is not None and issubclass(kind, Exception)  # Ctrl-C is none: what is cut is still written
        self._pool.shutdown(cancel_futures=failed)
        if kind is None:
            self.wait()


def _with_progress(frames: Iterator[Frame], title: str, total: int, *, done: int = 0) -> Iterator[Frame]:
    """Show one live line while the frames go by."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(title), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(frames, total=total or None, completed=done)


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("extract")
