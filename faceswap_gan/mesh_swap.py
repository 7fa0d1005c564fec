"""Swap the face in a video without training, by bending pictures of the other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan.errors import SettingsError

if TYPE_CHECKING:
    from faceswap_gan.conversion.swapper import SwappedFrame

log = logging.getLogger(__name__)

COMPOSITE = "compositeCapture"
"""Digital source type of a picture put together from pictures, without a trained generator."""


def run(
    src: Path,
    dst: Path,
    output: Path,
    *,
    blend: Literal["feather", "seamless"] = "feather",
    color: Literal["none", "mean_std", "histogram"] = "mean_std",
    output_layout: Literal["swap", "side-by-side", "triple"] = "swap",
    max_faces: int = 1,
    weights_dir: Path | None = None,
    consent: str | None = None,
) -> None:
    """Swap the face in a video without training, by bending pictures of the other.

    A mesh of 478 points is found in both faces; src's skin is bent onto dst's mesh, frame by frame. Of a video
    the picture nearest in pose and expression is taken. Frames without a face stay as they are.

    Args:
        src: picture or video of the person to paint.
        dst: video or picture to work on.
        output: where the result goes; .mp4, .mov, .mkv, or a picture suffix for a picture.
        blend: a soft edge, or cloning that takes the colours from the edge (slower, less steady).
        color: how the painted face takes on the colours of the one it covers.
        output_layout: the swap alone, original | swap, or original | swap | mask.
        max_faces: people to swap per frame.
        weights_dir: folder that holds face_landmarker.task, for machines without a network.
        consent: who agreed to this swap, and to what; written into the result.

    Raises:
        FaceSwapError: a video, the weights or a setting is not what it should be; nothing is written then.
    """
    from faceswap_gan.conversion.consent import require_consent
    from faceswap_gan.conversion.marking import plan_marking
    from faceswap_gan.conversion.output import plan_product, write_swapped
    from faceswap_gan.conversion.settings import OutputSettings
    from faceswap_gan.media.video import read_info
    from faceswap_gan.media.weights import find_weights

    if max_faces < 1:
        raise SettingsError(f"expected --max-faces of at least 1, got {max_faces}.")
    info = read_info(dst)
    for footage in (src, dst):
        if output.exists() and footage.exists() and output.samefile(footage):
            raise SettingsError(f"expected an output beside the videos, got one of them ({output}); rename it.")
    read_info(src)
    plan_product(dst, output, OutputSettings(output_layout=output_layout))
    bundle = find_weights("face_landmarker", folder=weights_dir)
    settings = {"blend": blend, "color": color, "output_layout": output_layout, "max_faces": max_faces}
    statement = require_consent([], consent)
    marking = plan_marking(dst, consent=statement, digital_source_type=COMPOSITE, settings=settings)
    swapped = _swap(src, dst, bundle, blend=blend, color=color, max_faces=max_faces)
    write_swapped(swapped, output, info, marking=marking, layout=output_layout)


def _swap(
    src: Path,
    dst: Path,
    bundle: Path,
    *,
    blend: Literal["feather", "seamless"],
    color: Literal["none", "mean_std", "histogram"],
    max_faces: int,
) -> Iterator[SwappedFrame]:
    """Read the source, then chain reading, finding and painting; each holds a few frames only."""
    from faceswap_gan.conversion.mesh_source import read_source
    from faceswap_gan.conversion.mesh_swapper import mesh_swap_frames
    from faceswap_gan.conversion.mesh_tracks import SparseDetector
    from faceswap_gan.faces.mesh import MeshLandmarker, read_topology
    from faceswap_gan.media.video import read_frames

    provider, topology = MeshLandmarker(bundle), read_topology(bundle)
    source = read_source(read_frames(src), provider, SparseDetector(), topology)
    log.info("%s: %d pictures to paint from", src, len(source.pictures))
    yield from mesh_swap_frames(
        read_frames(dst), source, provider, detector=SparseDetector(), blend=blend, color=color, max_faces=max_faces
    )


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("mesh-swap")
