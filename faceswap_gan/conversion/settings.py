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
    """The person seen longest, surest and largest, or everybody."""
    track: Annotated[tuple[int, ...], tyro.conf.UseAppendAction] = ()
    """Paint these tracks only, by the numbers that `faceswap-gan tracks` shows."""
    reference: Path | None = None
    """Paint the person on this picture only."""
    pair: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """PICTURE=MODEL or TRACK=MODEL: whom to paint with which model; several in one pass, instead of --model."""
    max_faces: int | None = None
    """People to paint per frame; 1, or with --who all, --track or --reference as many as there are."""
    recognizer: Path | None = None
    """ONNX network that tells people apart, for --reference and --pair."""
    smoothing: Literal["rts", "kalman", "moving-average", "none"] = "rts"
    """How boxes and landmarks are steadied over time; rts looks both ways and does not lag."""


@dataclass(frozen=True)
class EncodingSettings:
    """How the video is encoded."""

    codec: str = "h264"
    """h264, hevc, vp9, av1, ffv1, or an encoder by its FFmpeg name."""
    crf: int | None = None
    """Quality, the codec's own scale: lower is better and larger."""
    preset: str | None = None
    """Speed, the codec's own word or number."""


@dataclass(frozen=True)
class MarkSettings:
    """How the result is marked as synthetic, beyond what every result carries."""

    label: str | None = None
    """Words to burn into the picture, such as "AI-generated"."""
    certificate: Path | None = None
    """PEM file of your own certificate chain to sign with, instead of a key pair made on first use."""
    private_key: Path | None = None
    """Its PEM key."""
