"""Swap the face in a video with a trained model."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceswap_gan.conversion.color import ColorMethod
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
    from faceswap_gan.conversion.output import make_metadata, write_swapped
    from faceswap_gan.media.video import read_info
    from faceswap_gan.training.checkpoint import load_swap

    info = read_info(video)
    if output.exists() and output.samefile(video):
        raise SettingsError(f"expected an output beside the video, got the video itself ({output}); rename it.")
    loaded = load_swap(model, face=face)
    statement = settle_consent(model, consent, _ask if sys.stdin.isatty() else None)
    if statement is None:
        log.warning("no consent is stated for %s; name who agreed, and to what, with --consent", model)
    swapped = _swap(info, loaded, color=color, coverage=coverage, batch=batch, max_faces=max_faces)
    write_swapped(swapped, output, info, layout=output_layout, metadata=make_metadata(statement))


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


def _ask() -> str:
    from rich.console import Console

    return Console(stderr=True).input("Who agreed to this swap, and to what? One line, kept with the model: ")


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("convert")
