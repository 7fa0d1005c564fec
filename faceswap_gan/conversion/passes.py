"""The two passes over a video: faces found, then painted and encoded; their stages side by side in threads."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from faceswap_gan.conversion.output import Product, prepare_frames, write_stretches
from faceswap_gan.conversion.pipeline import STRETCH, Border, Role, paint_frames, restore
from faceswap_gan.conversion.progress import with_progress
from faceswap_gan.conversion.settings import OutputSettings
from faceswap_gan.conversion.work import WorkFolder
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.faces.scan_file import scan_video
from faceswap_gan.media import video
from faceswap_gan.media.video import Frame, VideoInfo
from faceswap_gan.threads import in_thread, opencv_in_one_thread

log = logging.getLogger(__name__)

_AHEAD_BYTES = 48 * 2**20


def find_people(info: VideoInfo, settings: OutputSettings, work: WorkFolder) -> FaceScan:
    """Make the first pass: find and follow all faces.

    Args:
        info: of the footage.
        settings: which part of it.
        work: keeps what is found, so that a stopped pass goes on where it was.

    Raises:
        MediaError: the video cannot be read.
        FaceFolderError: the disk does not take what is found.
    """
    with opencv_in_one_thread(), ExitStack() as stages:

        def read(first: int) -> Iterator[Frame]:
            frames = stages.enter_context(closing(in_thread(read_part(info, settings, first), ahead=_ahead(info))))
            shown = with_progress(frames, _count(info, settings), "finding faces", done=first)
            return stages.enter_context(closing(shown))

        part = {"start": settings.start, "end": settings.end}
        return scan_video(info.path, read, FaceDetector(), file=work.scan, settings=part)


def read_part(info: VideoInfo, settings: OutputSettings, first: int = 0) -> Iterator[Frame]:
    """Read the part of the footage that is meant, from a frame's number on."""
    return video.read_frames(info.path, start=settings.start, end=settings.end, from_index=first)


def paint_people(scan: FaceScan, roles: Sequence[Role], product: Product, work: WorkFolder, *, batch: int) -> None:
    """Make the second pass, from where the work folder says that an earlier run has stopped.

    Decoding, painting, marking and encoding run in threads of their own; between two of them a few frames wait, so
    that memory does not grow with the video.

    Args:
        scan: from the first pass, smoothed.
        roles: the models and whom they paint.
        product: what is made, and of what.
        work: receives the encoded stretches.
        batch: faces to swap at once.

    Raises:
        MediaError: the video cannot be read or the disk does not take the output.
        ModelError: a network gives what is no picture.
    """
    work.begin()
    if work.segments:
        restore(roles, work.segments[-1].state)
        log.info("going on after %d finished frames", work.frames)
    info, settings = product.plan.like, product.settings
    decoded = read_part(info, settings, work.next_frame)
    with opencv_in_one_thread(), ExitStack() as stages:
        frames = stages.enter_context(closing(in_thread(decoded, ahead=_ahead(info))))
        swapped = paint_frames(frames, scan, roles, batch=batch, stretch=STRETCH)
        painted = stages.enter_context(closing(in_thread(swapped, ahead=_ahead(info))))
        laid = prepare_frames(painted, product.marking, settings.output_layout)
        ready = stages.enter_context(closing(in_thread(laid, ahead=_ahead(info))))
        shown = with_progress(ready, _count(info, settings), "painting", done=work.frames, counts=_is_frame)
        write_stretches(stages.enter_context(closing(shown)), work, product)


def _ahead(info: VideoInfo) -> int:
    """Count the frames that may wait between two stages: as many as a few MiB hold, at least 2, at most 8."""
    return max(2, min(8, _AHEAD_BYTES // (info.width * info.height * 3)))


def _count(info: VideoInfo, settings: OutputSettings) -> int | None:
    """Estimate how many frames the part has, as far as the header tells."""
    if settings.start is None and settings.end is None:
        return info.frames or None
    until = min(settings.end or info.duration, info.duration)
    return max(1, round((until - (settings.start or 0.0)) * info.frame_rate))


def _is_frame(item: object) -> bool:
    return not isinstance(item, Border)
