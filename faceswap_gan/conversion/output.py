"""Swapped frames to a finished file that says what it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from faceswap_gan import __version__
from faceswap_gan.conversion.consent import NOT_STATED
from faceswap_gan.conversion.layout import Layout, lay_out, layout_size
from faceswap_gan.conversion.swapper import SwappedFrame
from faceswap_gan.errors import NoFaceError
from faceswap_gan.media.video import VideoInfo, VideoWriter

TRAINED = "compositeWithTrainedAlgorithmicMedia"
"""Digital source type of a picture into which a trained network painted."""

log = logging.getLogger(__name__)


def make_metadata(consent: str | None, *, digital_source_type: str = TRAINED) -> dict[str, str]:
    """Make the container tags that name a video as synthetic.

    Args:
        consent: who agreed to what; None if nobody said.
        digital_source_type: how it came about, a term of IPTC's list.

    References:
        IPTC NewsCodes, digital source type.
    """
    made = "AI-generated: face swapped" if digital_source_type == TRAINED else "Synthetic: face swapped"
    mark = f"{made} by faceswap_gan {__version__}"
    return {
        "comment": mark,
        "description": mark,
        "digital_source_type": digital_source_type,
        "consent": consent or NOT_STATED,
    }


def write_swapped(
    swapped: Iterable[SwappedFrame],
    output: Path,
    info: VideoInfo,
    *,
    layout: Layout = "swap",
    metadata: Mapping[str, str],
) -> None:
    """Encode the frames and say in the log what became of them.

    Args:
        swapped: the frames in order; those without a face unchanged.
        output: where the result goes; written whole or not at all.
        info: of the video that the frames come from: its times, size, colours and sound are kept.
        layout: what a written frame shows.
        metadata: container tags, see `make_metadata`.

    Raises:
        NoFaceError: no frame has a face; nothing is written.
        MediaError: the output cannot be written.
        SettingsError: an unknown layout.
    """
    frames = faces = 0
    size = layout_size(layout, info.width, info.height)
    with VideoWriter(output, like=info, size=size, metadata=metadata) as writer:
        for entry in with_progress(swapped, info):
            writer.write(replace(entry.frame, image=lay_out(entry, layout)))
            frames += 1
            faces += entry.faces > 0
        if not faces:
            raise NoFaceError(f"expected a face in {info.path}, got none in {frames} frames; choose another video.")
    unchanged = f", {frames - faces} without a face left as they were" if frames > faces else ""
    log.info("%s: %d frames, %d swapped%s", output, frames, faces, unchanged)


def with_progress(swapped: Iterable[SwappedFrame], info: VideoInfo) -> Iterator[SwappedFrame]:
    """Show one live line on stderr while frames pass.

    Args:
        swapped: frames.
        info: of their video: how many there are.

    Yields:
        The same frames.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(swapped, total=info.frames or None, description="converting")
