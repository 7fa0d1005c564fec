"""Video encoders: which samples they take, and what quality and speed are called in each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import cv2
from av.codec.context import Flags

from faceswap_gan.errors import MediaError
from faceswap_gan.media.hdr import HdrTags
from faceswap_gan.media.pixels import ColorTags
from faceswap_gan.media.planes import Planar, read_planar

_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")
_AVX_512F = 13  # OpenCV's number of it, which its Python package does not name
_420 = ("yuv420p", "yuv420p10le")
_WEB = frozenset({"mp4", "matroska", "webm"})
_PACKED = {"yuv420p": "nv12", "yuv420p10le": "p010le"}


@dataclass(frozen=True)
class Encoder:
    """One encoder of FFmpeg.

    Attributes:
        name: FFmpeg's.
        quality: the option that `crf` sets; empty for a lossless codec.
        crf: default quality, visually lossless, and the best and worst there are.
        speed: the option that `preset` sets; empty where there is none.
        presets: allowed values; the default is first.
        options: set always.
        formats: planar formats it takes; empty asks FFmpeg.
        even: whether subsampled chroma wants even sizes.
        containers: FFmpeg's names of those that hold it and its tags.
        packed: formats in which it takes planar ones.
        parameters: option that takes HDR tags, see `HdrTags.options`.
    """

    name: str
    quality: str = ""
    crf: tuple[int, int, int] = (0, 0, 0)
    speed: str = ""
    presets: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    even: bool = True
    containers: frozenset[str] = frozenset({"mp4", "mov", "matroska"})
    packed: Mapping[str, str] = field(default_factory=dict)
    parameters: str = ""

    def takes(self) -> set[Planar]:
        """Planar formats it can encode without a loss of depth or colour."""
        names = self.formats or [f.name for f in av.Codec(self.name, "w").video_formats or ()]
        return {planar for planar in map(read_planar, names) if planar.name in names}


_NVENC = {
    "quality": "qp",
    "crf": (19, 0, 51),
    "speed": "preset",
    "presets": ("p5", *(f"p{n}" for n in range(1, 8))),
    "options": {"rc": "constqp"},
    "packed": {"yuv420p10le": "p010le"},
}
_QSV = {
    "quality": "global_quality",
    "crf": (19, 1, 51),
    "speed": "preset",
    "presets": ("medium", *_X26X[2:9]),
    "packed": _PACKED,
}
CODECS: dict[str, Encoder] = {
    "h264": Encoder("libx264", "crf", (17, 0, 51), "preset", ("medium", *_X26X), parameters="x264-params"),
    "hevc": Encoder("libx265", "crf", (17, 0, 51), "preset", ("medium", *_X26X), parameters="x265-params"),
    "vp9": Encoder(
        "libvpx-vp9",
        "crf",
        (15, 0, 63),
        "cpu-used",
        ("4", *map(str, range(9))),
        {"b": "0", "row-mt": "1"},
        even=False,
        containers=_WEB,
    ),
    "av1": Encoder(
        "libsvtav1",
        "crf",
        (18, 1, 63),
        "preset",
        ("8", *map(str, range(14))),
        even=False,
        containers=_WEB,
        parameters="svtav1-params",
    ),
    "ffv1": Encoder(
        "ffv1",
        options={"level": "3", "slicecrc": "1", "g": "1"},
        even=False,
        containers=frozenset({"matroska"}),
    ),
    "h264_nvenc": Encoder("h264_nvenc", formats=("yuv420p", "yuv444p"), **_NVENC),  # type: ignore[arg-type]
    "hevc_nvenc": Encoder("hevc_nvenc", formats=(*_420, "yuv444p"), **_NVENC),  # type: ignore[arg-type]
    "av1_nvenc": Encoder("av1_nvenc", formats=_420, containers=_WEB, **_NVENC),  # type: ignore[arg-type]
    "h264_qsv": Encoder("h264_qsv", formats=_420[:1], **_QSV),  # type: ignore[arg-type]
    "hevc_qsv": Encoder("hevc_qsv", formats=_420, **_QSV),  # type: ignore[arg-type]
    "av1_qsv": Encoder("av1_qsv", formats=_420, containers=_WEB, **_QSV),  # type: ignore[arg-type]
    "h264_videotoolbox": Encoder("h264_videotoolbox", formats=_420[:1], options={"flags": "+qscale"}),
    "hevc_videotoolbox": Encoder("hevc_videotoolbox", formats=_420, options={"flags": "+qscale"}, packed=_PACKED),
}
"""Encoders by the name that ``--codec`` takes."""


def find_encoder(codec: str) -> Encoder:
    """Find an encoder that this build of FFmpeg has.

    Raises:
        MediaError: an unknown name, or one that is not built in.
    """
    encoder = CODECS.get(codec)
    if encoder is None:
        raise MediaError(f"expected a codec of {', '.join(CODECS)}, got {codec!r}.")
    if encoder.name not in av.codecs_available:
        have = ", ".join(name for name, known in CODECS.items() if known.name in av.codecs_available)
        raise MediaError(f"expected a codec that PyAV has here ({have}), got {codec}; choose one of them.")
    return encoder


def choose_format(codec: str, source: Planar, size: tuple[int, int], *, rgb: bool) -> Planar:
    """Choose the pixel format to encode: the source's own, or the nearest that holds all of it.

    Args:
        codec: a key of `CODECS`.
        source: what the source stores.
        size: of the output as stored, px.
        rgb: whether RGB may stay RGB; players of most codecs show YUV only.

    Raises:
        MediaError: the codec cannot hold the source's bits, or an odd size.
    """
    encoder = find_encoder(codec)
    takes = encoder.takes()
    wanted = source if source.kind != "rgb" or rgb else Planar("yuv", source.depth)
    deep = {planar for planar in takes if planar.depth >= wanted.depth}
    if not deep:
        raise MediaError(
            f"expected a codec that holds the source's {wanted.depth} bits, got {codec}, which takes "
            f"{max(p.depth for p in takes)} here; choose another, such as {_deeper(wanted.depth)}."
        )
    fits = [p for p in deep if _fits(p, size, even=encoder.even)]
    if not fits:
        raise MediaError(f"expected an even size for {codec}, got {size[0]}x{size[1]}; choose hevc, vp9 or ffv1.")
    return min(fits, key=lambda planar: _distance(planar, wanted))


def encoder_options(codec: str, *, crf: int | None, preset: str | None, hdr: HdrTags | None) -> dict[str, str]:
    """Translate quality, speed and HDR tags into an encoder's own options.

    Raises:
        MediaError: a value that the codec does not know.
    """
    encoder = CODECS[codec]
    options = dict(encoder.options)
    if encoder.quality:
        options[encoder.quality] = str(_checked_crf(codec, encoder, crf))
    elif codec.endswith("_videotoolbox"):
        # its scale runs the other way: 1 to 100, best last; in units of FF_QP2LAMBDA
        options["global_quality"] = str(118 * (65 if crf is None else max(1, min(100, 100 - 2 * crf))))
    elif crf is not None:
        raise MediaError(f"expected no --crf for {codec}, which is lossless, got {crf}; leave it out.")
    if encoder.speed:
        options[encoder.speed] = encoder.presets[0] if preset is None else preset
    if preset is not None and preset not in encoder.presets:
        known = ", ".join(dict.fromkeys(encoder.presets)) or "none"
        raise MediaError(f"expected a --preset that {codec} knows ({known}), got {preset!r}.")
    if encoder.parameters:
        given = hdr.options(encoder.name) if hdr else []
        quiet = ["log-level=none"] if encoder.name == "libx265" else []
        if given or quiet:
            options[encoder.parameters] = ":".join([*quiet, *given])
    return options


def set_up(
    context: Any,
    *,
    size: tuple[int, int],
    pix_fmt: str,
    tags: ColorTags,
    rate: Fraction,
    time_base: Fraction,
    aspect: Fraction,
) -> None:
    """Set what a stream holds on an encoder's context that is not open yet."""
    if context.name == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # it writes its settings past FFmpeg's log otherwise
    context.width, context.height = size
    context.pix_fmt = pix_fmt
    context.framerate, context.time_base = rate, time_base
    context.sample_aspect_ratio = aspect
    context.color_range = 2 if tags.full_range else 1
    context.colorspace, context.color_primaries, context.color_trc = tags.matrix, tags.primaries, tags.transfer
    context.thread_type = "AUTO"  # slices alone, PyAV's choice, cost x264 quality
    context.flags |= Flags.global_header


def repeatable(name: str, options: Mapping[str, str]) -> dict[str, str]:
    """Keep x264 from AVX-512.

    On a processor that has it, libx264 165 gave other bytes for the same pictures now and then, in one thread too,
    as it never did with AVX2: a conversion that was stopped would not go on to the same file.

    Args:
        name: FFmpeg's, of the encoder.
        options: its options.
    """
    if name != "libx264" or not cv2.checkHardwareSupport(_AVX_512F):
        return dict(options)
    given = options.get("x264-params")
    return {**options, "x264-params": "asm=avx2" if not given else f"asm=avx2:{given}"}


def _checked_crf(codec: str, encoder: Encoder, crf: int | None) -> int:
    usual, best, worst = encoder.crf
    if crf is None:
        return usual
    if not best <= crf <= worst:
        raise MediaError(f"expected --crf from {best} to {worst} for {codec}, got {crf}.")
    return crf


def _fits(planar: Planar, size: tuple[int, int], *, even: bool) -> bool:
    return not even or all(side % (1 << shift) == 0 for side, shift in zip(size, planar.shift, strict=True))


def _distance(planar: Planar, wanted: Planar) -> tuple[bool, bool, int, int, int]:
    """Colour that would be lost first, then chroma lost, then bits and chroma beyond what is needed."""
    if wanted.kind == "gray":
        return planar.kind == "rgb", planar.kind != "gray", planar.depth, -sum(planar.shift), 0
    lost, beyond = (
        sum(max(0, sign * (p - w)) for p, w in zip(planar.shift, wanted.shift, strict=True)) for sign in (1, -1)
    )
    return planar.kind == "gray", planar.kind != wanted.kind, lost, planar.depth, beyond


def _deeper(depth: int) -> str:
    return " or ".join(
        name for name in ("hevc", "av1", "ffv1") if any(p.depth >= depth for p in find_encoder(name).takes())
    )
