"""Segments to a finished file: the source's times, tags, sound and all that lies beside the pictures."""

from __future__ import annotations

import logging
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from faceswap_gan.errors import MediaError
from faceswap_gan.media.codecs import CODECS
from faceswap_gan.media.decode import exact_seconds
from faceswap_gan.media.disk import flush
from faceswap_gan.media.pictures import write_pictures
from faceswap_gan.media.plan import OutputPlan
from faceswap_gan.media.segments import EncodedPacket, Segment
from faceswap_gan.media.tracks import Cut, TrackCopy

log = logging.getLogger(__name__)

_MAX_TIMESCALE = 2**31 - 1


def join_segments(
    segments: Sequence[Path],
    plan: OutputPlan,
    *,
    metadata: Mapping[str, str] | None = None,
    start: float | None = None,
    end: float | None = None,
    seal: Callable[[Path], None] | None = None,
) -> None:
    """Join segments into the finished file, which appears whole, and on the disk, or not at all.

    Args:
        segments: files of `SegmentWriter`, in order.
        plan: that they were made by.
        metadata: container tags; in pictures, XMP.
        start: s, where in the source the frames begin if not at its start; sound and all else is cut there,
            between packets, and the output starts at its first frame.
        end: s, where they end.
        seal: is given the finished file under its temporary name, to sign it before it appears.

    Raises:
        MediaError: no frame, segments of other settings, or a container or disk that does not take the file.
    """
    pieces = [Segment(file) for file in segments]
    foreign = [piece.path for piece in pieces if piece.fingerprint != plan.fingerprint]
    if foreign:
        raise MediaError(f"expected a segment made with the same settings, got {foreign[0]}; make it again.")
    if not sum(piece.frames for piece in pieces):
        raise MediaError(f"expected at least one frame for {plan.path}, got none.")
    temporary = plan.path.with_name(f".{plan.path.stem}.{os.getpid()}.partial{plan.path.suffix}")
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        if plan.container is None:
            write_pictures(temporary, plan, pieces, metadata or {})
        else:
            _mux(temporary, plan, pieces, metadata or {}, _find_cut(pieces, plan, start, end))
        if seal is not None:
            seal(temporary)
        _place(temporary, plan.path)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"could not write {plan.path}: {error.strerror or error}; check folder, free space and suffix."
        ) from error
    finally:
        with suppress(NotADirectoryError):  # the output's folder is none: nothing was written
            if temporary.is_dir():
                shutil.rmtree(temporary)
            temporary.unlink(missing_ok=True)


def _place(temporary: Path, path: Path) -> None:
    """Give a finished output its name once it is on the disk: what it was made from is deleted right after."""
    pictures = sorted(temporary.iterdir()) if temporary.is_dir() else []
    for made in (*pictures, temporary):
        flush(made)
    if pictures and path.is_dir():
        for picture in pictures:
            picture.replace(path / picture.name)
        flush(path)
    else:
        temporary.replace(path)
    flush(path.parent)


def _find_cut(pieces: list[Segment], plan: OutputPlan, start: float | None, end: float | None) -> Cut:
    limits = {"start": start, "end": end}
    cut = Cut(**{name: exact_seconds(value) for name, value in limits.items() if value is not None})
    if start is None:
        return cut
    first = min(min(piece.times()) for piece in pieces if piece.frames)
    return replace(cut, shift=first * plan.like.time_base)


def _mux(temporary: Path, plan: OutputPlan, pieces: list[Segment], metadata: Mapping[str, str], cut: Cut) -> None:
    """Write the container; the sound's packets go in as the pictures' times reach them."""
    base = plan.like.time_base
    shift = round(cut.shift / base)
    with TrackCopy(plan.like.path, str(plan.container), cut) as tracks:
        tracks.check(plan.path)
        with av.open(
            f"file:{temporary}", "w", format=plan.container, container_options=_muxer_options(plan, tracks)
        ) as output:
            output.metadata.update(metadata)
            stream = _add_video(output, plan)
            tracks.connect(output)
            output.start_encoding()
            _check_headers(stream, pieces)
            for packet, dts in _timed(pieces, plan):
                tracks.copy_until((packet.pts - shift) * base)
                output.mux(_packet(packet, stream, base, dts - shift, packet.pts - shift))
            tracks.copy_until(None)


def _add_video(output: Any, plan: OutputPlan) -> Any:
    stream = output.add_stream(CODECS[plan.codec].name, rate=plan.like.frame_rate)
    plan.set_up(stream.codec_context)
    stream.time_base = plan.like.time_base
    if plan.matrix != (1, 0, 0, 1):
        a, b, c, d = (sign * 2**16 for sign in plan.matrix)
        stream.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 2**30))
    return stream


def _muxer_options(plan: OutputPlan, tracks: TrackCopy) -> dict[str, str]:
    """Time scales that hold the source's times without rounding, start offsets included."""
    if plan.container in ("matroska", "webm"):
        return {"avoid_negative_ts": "disabled"}
    options = {"movflags": "+use_metadata_tags+faststart"}
    base = plan.like.time_base
    if base.numerator == 1:
        options["video_track_timescale"] = str(base.denominator)
    scale = math.lcm(base.denominator, *tracks.late_time_scales)
    options["movie_timescale"] = str(scale if scale <= _MAX_TIMESCALE else base.denominator)
    return options


def _check_headers(stream: Any, pieces: list[Segment]) -> None:
    expected = stream.codec_context.extradata or b""
    for piece in pieces:
        if piece.extradata != expected:
            raise MediaError(
                f"expected a segment of the same encoder, got {piece.path}, which another machine or version made; "
                "start the conversion anew."
            )


def _timed(pieces: list[Segment], plan: OutputPlan) -> Iterator[tuple[EncodedPacket, int]]:
    """Give each packet its decoding time: the presentation time as many frames back as any packet is moved forward.

    So the times grow by themselves across segments, whose encoders know nothing of each other.
    """
    depth = max(_depth(piece.times()) for piece in pieces)
    earlier: list[int] | None = None
    for piece in pieces:
        shown = sorted(piece.times())
        if not shown:
            continue
        if earlier is None:
            nominal = max(1, round(1 / (plan.like.frame_rate * plan.like.time_base)))
            step = shown[1] - shown[0] if len(shown) > 1 else nominal
            earlier = [shown[0] - step * back for back in range(depth, 0, -1)]
        due = [*earlier, *shown]
        yield from zip(piece.packets(), due, strict=False)
        earlier = due[len(shown) :]


def _depth(times: list[int]) -> int:
    """How many places a packet comes later than its picture is shown, at most."""
    place = {pts: rank for rank, pts in enumerate(sorted(times))}
    return max((index - place[pts] for index, pts in enumerate(times)), default=0)


def _packet(given: EncodedPacket, stream: Any, time_base: Fraction, dts: int, pts: int) -> Any:
    packet = av.Packet(given.data)
    packet.pts, packet.dts, packet.time_base = pts, dts, time_base
    packet.duration, packet.is_keyframe = given.duration, given.is_keyframe
    packet.stream = stream
    return packet
