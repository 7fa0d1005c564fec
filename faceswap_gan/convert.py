"""Swap the face in a video with a trained model."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan import __version__
from faceswap_gan.errors import NoFaceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceswap_gan.conversion.color import ColorMethod
    from faceswap_gan.conversion.layout import Layout
    from faceswap_gan.conversion.swapper import SwappedFrame
    from faceswap_gan.media.video import VideoInfo
    from faceswap_gan.training.checkpoint import LoadedSwap

log = logging.getLogger(__name__)


def run(
    video: Path,
    model: Path,
    output: Path,
    *,
    face: Literal["src", "dst"] = "src",
    output_layout: Literal["swap", "side-by-side", "triple"] = "swap",
    color: Literal["none", "mean_std", "histogram"] = "mean_std",
    coverage: float = 0.95,
    batch: int = 16,
    max_faces: int = 1,
    consent: str | None = None,
) -> None:
    """Swap the face in a video with a trained model.

    The output keeps the video's frames, times, size, colours and sound; frames without a face stay as they
    are. Its metadata says that it is AI-generated, and who agreed to it.

    Args:
        video: video or picture to work on.
        model: model folder that train made.
        output: where the result goes; .mp4, .mov, .mkv, or a picture suffix for a picture.
        face: whose face is painted.
        output_layout: the swap alone, original | swap, or original | swap | mask.
        color: how the painted face takes on the colours of the one it covers.
        coverage: part of the face crop's side that may be painted, above 0 and at most 1.
        batch: faces to swap at once.
        max_faces: people to swap per frame.
        consent: who agreed to this swap, and to what; recorded with the model.

    Raises:
        FaceSwapError: the video, the model or a setting is not what it should be; nothing is written then.
    """
    from faceswap_gan.conversion.consent import settle_consent
    from faceswap_gan.media.video import read_info
    from faceswap_gan.training.checkpoint import load_swap

    info = read_info(video)
    if output.exists() and output.samefile(video):
        raise SettingsError(
            f"expected an output beside the video, got the video itself ({output}); rename it."
        )
    loaded = load_swap(model, face=face)
    statement = settle_consent(model, consent, _ask if sys.stdin.isatty() else None)
    if statement is None:
        log.warning("no consent is stated for %s; name who agreed, and to what, with --consent", model)
    swapped = _swap(info, loaded, color=color, coverage=coverage, batch=batch, max_faces=max_faces)
    _write(swapped, output, info, layout=output_layout, metadata=make_metadata(statement))


def make_metadata(consent: str | None) -> dict[str, str]:
    """Make the container tags that name a video as synthetic.

    Args:
        consent: who agreed to what; None if nobody said.

    References:
        IPTC NewsCodes, digital source type.
    """
    mark = f"AI-generated: face swapped by faceswap_gan {__version__}"
    return {
        "comment": mark,
        "description": mark,
        "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
        "consent": consent or "not stated",
    }


def _swap(
    info: VideoInfo, loaded: LoadedSwap, *, color: ColorMethod, coverage: float, batch: int, max_faces: int
) -> Iterator[SwappedFrame]:
    """Chain reading, finding and swapping; each holds a few frames only."""
    from faceswap_gan.conversion.swapper import swap_frames
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.finder import find_faces
    from faceswap_gan.media.video import read_frames

    found = find_faces(read_frames(info.path), FaceDetector(), size=loaded.align_size, max_faces=max_faces)
    yield from swap_frames(found, loaded.swap, size=loaded.size, color=color, coverage=coverage, batch=batch)


def _write(
    swapped: Iterator[SwappedFrame],
    output: Path,
    info: VideoInfo,
    *,
    layout: Layout,
    metadata: dict[str, str],
) -> None:
    """Encode the frames and say in the log what became of them."""
    from faceswap_gan.conversion.layout import lay_out, layout_size
    from faceswap_gan.media.video import VideoWriter

    frames = faces = 0
    size = layout_size(layout, info.width, info.height)
    with VideoWriter(output, like=info, size=size, metadata=metadata) as writer:
        for entry in _with_progress(swapped, info):
            writer.write(replace(entry.frame, image=lay_out(entry, layout)))
            frames += 1
            faces += entry.faces > 0
        if not faces:
            raise NoFaceError(
                f"expected a face in {info.path}, got none in {frames} frames; choose another video."
            )
    unchanged = f", {frames - faces} without a face left as they were" if frames > faces else ""
    log.info("%s: %d frames, %d swapped%s", output, frames, faces, unchanged)


def _with_progress(swapped: Iterator[SwappedFrame], info: VideoInfo) -> Iterator[SwappedFrame]:
    """Show one live line on stderr while frames pass."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(swapped, total=info.frames or None, description="converting")


def _ask() -> str:
    from rich.console import Console

    return Console(stderr=True).input("Who agreed to this swap, and to what? One line, kept with the model: ")


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("convert")
