"""Flags of a conversion that belong together; light, because the command line reads them before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class PeopleSettings:
    """Who of those in the footage is painted, and by which model."""

    who: Literal["largest", "all"] = "largest"
    """One face a frame, of the track seen longest, surest and largest, where it is away of the next; or everybody."""
    track: Annotated[tuple[int, ...], tyro.conf.UseAppendAction] = ()
    """Paint these tracks only, by the numbers that `faceswap-gan tracks` shows."""
    reference: Path | None = None
    """Paint the person on this picture only."""
    pair: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """PICTURE=MODEL or TRACK=MODEL: whom to paint with which model; several in one pass, instead of --model."""
    max_faces: int | None = None
    """People to paint per frame; 1, or with --who all or --track all there are. Not with --pair."""
    recognizer: Path | None = None
    """ONNX network that tells people apart, for --reference and --pair."""
    smoothing: Literal["rts", "kalman", "moving-average", "none"] = "rts"
    """How boxes and landmarks are steadied over time; rts looks both ways and does not lag."""


@dataclass(frozen=True)
class RegionSettings:
    """Which parts of the face are painted."""

    parts: tuple[Literal["eyes", "eyebrows", "nose", "mouth"], ...] | None = None
    """Swap these parts of the face only, in any combination; the whole face if not given."""
    landmarks: Literal["mtcnn", "mesh", "fan"] = "mtcnn"
    """Points that the parts are drawn from: the detector's 5, the 478 of MediaPipe's mesh, or the 68 of FAN."""
    weights_dir: Path | None = None
    """Folder that holds weights: of mesh, fan and the recogniser; else FACESWAP_WEIGHTS, the cache or a download."""


@dataclass(frozen=True)
class OutputSettings:
    """What is written, and how it is encoded."""

    output_layout: Literal["swap", "side-by-side", "triple"] = "swap"
    """The swap alone, original | swap, or original | swap | mask."""
    start: float | None = None
    """Where in the video to begin, s."""
    end: float | None = None
    """Where in the video to end, s."""
    codec: str | None = None
    """h264, hevc, vp9, av1, ffv1, or a hardware encoder such as hevc_nvenc; h264, or in .webm vp9, if not named."""
    crf: int | None = None
    """Quality on the codec's own scale, lower is better; visually lossless if not given."""
    preset: str | None = None
    """Speed, as the codec calls it."""
    write_masks: Path | None = None
    """Folder for a picture of what is painted in each frame."""
    mask_format: Literal["png", "exr"] = "png"
    """8-bit PNG, or OpenEXR with half floats from 0 to 1."""


@dataclass(frozen=True)
class MarkSettings:
    """How the result is marked as synthetic, beyond what every result carries."""

    label: str | None = None
    """Words to burn into the picture, such as "AI-generated"."""
    label_corner: Literal["bottom-left", "bottom-right", "top-left", "top-right"] = "bottom-left"
    """Where these words stand."""
    certificate: Path | None = None
    """PEM file of your own certificate chain to sign with, instead of a key pair made on first use."""
    private_key: Path | None = None
    """Its PEM key."""
