"""Swap the face in a video with a trained model."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faceswap_gan.conversion.parts import Part, PartRegion
    from faceswap_gan.faces.finder import FoundFrame
    from faceswap_gan.faces.landmarks import LandmarkName
    from faceswap_gan.media.video import VideoInfo
    from faceswap_gan.training.checkpoint import LoadedSwap

log = logging.getLogger(__name__)


def run(
    video: Path,
    model: Path,
    output: Path,
    *,
    face: Literal["src", "dst"] = "src",
    checkpoint: Literal["last", "best"] = "last",
    output_layout: Literal["swap", "side-by-side", "triple"] = "swap",
    color: Literal["none", "mean_std", "mean_std_xyz", "histogram", "lab", "sot"] = "mean_std",
    coverage: float = 0.95,
    batch: int = 16,
    max_faces: int = 1,
    parts: tuple[Literal["eyes", "eyebrows", "nose", "mouth"], ...] | None = None,
    landmarks: Literal["mtcnn", "mesh", "fan"] = "mtcnn",
    weights_dir: Path | None = None,
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
        checkpoint: the model's newest weights, or those that did best on faces held out from training.
        output_layout: the swap alone, original | swap, or original | swap | mask.
        color: how the painted face takes on the colours of the one it covers.
        coverage: part of the face crop's side that may be painted, above 0 and at most 1.
        batch: faces to swap at once.
        max_faces: people to swap per frame.
        parts: swap these parts of the face only, in any combination; the whole face if not given.
        landmarks: points that the parts are drawn from: the detector's 5, the 478 of MediaPipe's mesh, or the 68
            of FAN.
        weights_dir: folder that holds the weights of mesh or fan; else FACESWAP_WEIGHTS, the cache or a download.
        consent: who agreed to this swap, and to what; recorded with the model.

    Raises:
        FaceSwapError: the video, the model or a setting is not what it should be; nothing is written then.
    """
    from faceswap_gan.conversion.consent import settle_consent
    from faceswap_gan.conversion.finish import FinishSettings
    from faceswap_gan.conversion.output import make_metadata, write_swapped
    from faceswap_gan.conversion.swapper import swap_frames
    from faceswap_gan.media.video import read_info
    from faceswap_gan.training.checkpoint import load_swap

    info = read_info(video)
    if output.exists() and output.samefile(video):
        raise SettingsError(f"expected an output beside the video, got the video itself ({output}); rename it.")
    region = _open_region(parts, landmarks, weights_dir)
    loaded = load_swap(model, face=face, checkpoint=checkpoint)
    statement = settle_consent(model, consent, _ask if sys.stdin.isatty() else None)
    if statement is None:
        log.warning("no consent is stated for %s; name who agreed, and to what, with --consent", model)
    found = _find(info, loaded, max_faces=max_faces)
    finish = FinishSettings(color=color, coverage=coverage)
    swapped = swap_frames(found, loaded.swap, size=loaded.size, finish=finish, batch=batch, region=region)
    write_swapped(swapped, output, info, layout=output_layout, metadata=make_metadata(statement))
    if region is not None and region.missed:
        log.warning("%d faces without %s landmarks: parts drawn from the detector's", region.missed, landmarks)


def _open_region(
    parts: tuple[Part, ...] | None, landmarks: LandmarkName, weights_dir: Path | None
) -> PartRegion | None:
    """Make what confines the swap to parts of the face; None for the whole face."""
    from faceswap_gan.conversion.parts import PartRegion
    from faceswap_gan.faces.landmarks import open_landmarks

    if parts is not None:
        return PartRegion(parts, open_landmarks(landmarks, weights=weights_dir))
    if landmarks != "mtcnn":
        log.warning("--landmarks %s does nothing without --parts: the whole face is swapped", landmarks)
    return None


def _find(info: VideoInfo, loaded: LoadedSwap, *, max_faces: int) -> Iterator[FoundFrame]:
    """Chain reading and finding; each holds a few frames only."""
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.finder import find_faces
    from faceswap_gan.media.video import read_frames

    return find_faces(read_frames(info.path), FaceDetector(), size=loaded.align_size, max_faces=max_faces)


def _ask() -> str:
    from rich.console import Console

    return Console(stderr=True).input("Who agreed to this swap, and to what? One line, kept with the model: ")


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("convert")
