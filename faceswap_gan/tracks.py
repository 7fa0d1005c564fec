"""Tracks: show who is in a video, and under which number."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap_gan.errors import NoFaceError, SettingsError

if TYPE_CHECKING:
    from faceswap_gan.faces.scan import FaceScan
    from faceswap_gan.media.video import Frame

log = logging.getLogger(__name__)


def run(
    video: Path,
    *,
    sheet: Path | None = None,
    start: float | None = None,
    end: float | None = None,
    min_face: int = 40,
    most: int = 40,
) -> None:
    """Show who is in a video, and under which number.

    Everybody is followed from where they appear to where they are lost or the picture cuts: one track. The sheet
    has a row a track with its best faces; its number is what --track of extract takes, with the same
    --start, --end and --min-face, and --track of convert with the same --start and --end: convert has no --min-face,
    so for it leave --min-face out here.

    Args:
        video: Video, picture or folder of pictures to look through.
        sheet: PNG to write; without it <video>_tracks.png in the current folder.
        start: Leave out what is shown before this time, in seconds.
        end: Leave out what is shown from this time on, in seconds.
        min_face: Side of the smallest face to look for, in pixels of the frame.
        most: Tracks to show; the longest, surest and largest.

    Raises:
        NoFaceError: Nobody is seen; nothing is written.
        MediaError: The video cannot be read or the sheet not written.
        SettingsError: A number is out of its range, or the sheet no picture or one that is looked through.
    """
    from faceswap_gan.faces.contact_sheet import choose_faces, cut_faces, describe_track, draw_sheet, list_tracks
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.scan import scan_faces
    from faceswap_gan.faces.smoothing import smooth_scan
    from faceswap_gan.media.images import write_image
    from faceswap_gan.media.video import exact_part, read_frames, read_info
    from faceswap_gan.threads import in_thread

    if most < 1:
        raise SettingsError(f"--most must be at least 1. Received: {most}.")
    exact_part(start, end)
    page = sheet if sheet is not None else Path(f"{video.stem}_tracks.png")
    _check_page(page, video)
    total = read_info(video).frames

    def read() -> Iterator[Frame]:
        return in_thread(read_frames(video, start=start, end=end), ahead=6)

    measured = scan_faces(_with_progress(read(), total), FaceDetector(min_size=min_face))
    tracks = list_tracks(measured, most)  # before gaps are filled: those whom extract and convert take, too
    scan = smooth_scan(measured)
    if not tracks:
        raise NoFaceError(
            f"{video} shows nobody in {len(scan.frames)} frames. Give a video with a face of at least {min_face} px, "
            "or a smaller --min-face."
        )
    crops = cut_faces(read(), scan, choose_faces(scan, tracks))
    write_image(page, draw_sheet(tracks, crops))
    for summary in tracks:
        log.info("track %d: %s", summary.track, ", ".join(describe_track(summary)))
    log.info("%s tracks in %d frames, drawn in %s", _count(len(tracks), scan), len(scan.frames), page)


def _count(shown: int, scan: FaceScan) -> str:
    """Say how many tracks are shown, and of how many if not all are."""
    from faceswap_gan.faces.people import summarize_tracks

    everybody = len(summarize_tracks(scan))
    return f"{shown} of {everybody}" if shown < everybody else str(shown)


def _check_page(page: Path, video: Path) -> None:
    """Refuse before a long look a sheet that is no picture, or would replace one that is looked through."""
    from faceswap_gan.media.images import is_picture

    if not is_picture(page) or page.is_dir():
        raise SettingsError(f"expected a --sheet that is a picture, such as who.png, got {page}; rename it.")
    is_video = page.exists() and video.exists() and page.samefile(video)
    if is_video or page.resolve().parent == video.resolve():
        raise SettingsError(f"expected a --sheet beside the video, got {page}, a part of it; name another --sheet.")


def _with_progress(frames: Iterator[Frame], total: int) -> Iterator[Frame]:
    """Show one live line while the frames go by."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        frames, "looking", total=total or None, console=console, transient=True, disable=not console.is_terminal
    )


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("tracks")
