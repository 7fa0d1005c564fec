"""Extract: cut the aligned faces out of a video into a face folder."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap_gan.errors import NoFaceError, SettingsError

if TYPE_CHECKING:
    from faceswap_gan.faces.finder import FoundFrame
    from faceswap_gan.faces.folder import FaceCrop
    from faceswap_gan.media.video import Frame

log = logging.getLogger(__name__)


def run(
    video: Path,
    faces: Path,
    *,
    every: int = 1,
    size: int = 256,
    max_faces: int = 1,
    min_face: int = 40,
) -> None:
    """Cut the aligned faces out of a video into a face folder.

    The person is followed from frame to frame; a picture counts as a video of one frame. Running again over
    the same video replaces what the folder holds of it.

    Args:
        video: Video or picture to read.
        faces: Folder to write crops and faces.jsonl to; made with the first face.
        every: Look at every n-th frame only.
        size: Side of the crops in pixels.
        max_faces: How many people to follow at once.
        min_face: Side of the smallest face to look for, in pixels of the frame.

    Raises:
        NoFaceError: No frame shows a face; nothing is written.
        MediaError: The video cannot be read.
        FaceFolderError: The folder holds faces of another video.
        SettingsError: A number is out of its range.
    """
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.finder import find_faces
    from faceswap_gan.faces.folder import FaceWriter
    from faceswap_gan.media.video import read_frames, read_info

    _check(every=every, size=size, max_faces=max_faces)
    info = read_info(video)
    total = -(-info.frames // every) if info.frames else None
    detector = FaceDetector(min_size=min_face)
    frames = _read_ahead(read_frames(video, every=every))
    found = find_faces(frames, detector, size=size, max_faces=max_faces)
    seen = crops = 0
    with FaceWriter(faces, video=video) as writer, _Background() as background:
        for one in _with_progress(found, total):
            seen += 1
            for crop in one.faces:
                # A face that only its track knows of is good enough to swap, not to learn from.
                if crop.face is not None and crop.face.score > 0:
                    background.run(writer.write, crop)
                    crops += 1
    if not crops:
        raise NoFaceError(
            f"{video} shows no face in {seen} frames. Give a video with a face of at least {min_face} px, "
            "or a smaller --min-face."
        )
    log.info("%s: %d faces in %d frames, written to %s", video.name, crops, seen, faces)


def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise SettingsError(f"--{name.replace('_', '-')} must be at least 1. Received: {value}.")


def _read_ahead(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Decode the next frames in a thread while the networks are busy with the present ones."""
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, frames, None) for _ in range(8))
        while (frame := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, frames, None))
            yield frame


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

    def __enter__(self) -> _Background:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for future in self._running:
                future.result()


def _with_progress(found: Iterator[FoundFrame], total: int | None) -> Iterator[FoundFrame]:
    """Show one live line while the frames go by."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("faces"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(found, total=total)


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("extract")
