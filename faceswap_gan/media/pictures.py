"""Segments to pictures: one still, a folder of them, or a GIF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.images import encode_image, is_picture, list_images, write_whole
from faceswap_gan.media.plan import OutputPlan, kind_of
from faceswap_gan.media.planes import planes_of, read_planar
from faceswap_gan.media.segments import Segment
from faceswap_gan.media.stills import ALPHA_SUFFIXES, add_profile, read_alpha, read_profile
from faceswap_gan.media.xmp import add_xmp


def write_pictures(path: Path, plan: OutputPlan, pieces: Sequence[Segment], metadata: Mapping[str, str]) -> None:
    """Write what the segments hold as a picture, a folder of PNGs or a GIF.

    A picture keeps the transparency and the colour profile of the picture it was made from.

    Args:
        path: where to; of the plan's kind.
        plan: of the output.
        pieces: lossless segments.
        metadata: written as XMP into each picture that can hold it.
    """
    kind = kind_of(plan.path)
    if kind == "gif":
        _write_gif(path, plan, pieces)
        return
    if kind == "folder":
        path.mkdir()
    sources, keeps_names = _sources(plan.like.path), plan.like.path.is_dir()
    for number, (pts, image) in enumerate(_decode(plan, pieces)):
        source = sources[pts] if 0 <= pts < len(sources) else None
        name = f"{source.stem}.png" if source and keeps_names else f"{number:06d}.png"
        target = path / name if kind == "folder" else path
        _write_still(target, image, source, metadata)


def _sources(given: Path) -> list[Path]:
    """List the pictures that frames were read from; the times of pictures are their numbers. None are a video's."""
    if given.is_dir():
        return list_images(given)
    return [given] if is_picture(given) else []


def _write_still(target: Path, image: NDArray[Any], source: Path | None, metadata: Mapping[str, str]) -> None:
    if source is not None and target.suffix.lower() in ALPHA_SUFFIXES:
        alpha = read_alpha(source)
        if alpha is not None and (alpha.shape, alpha.dtype) == (image.shape[:2], image.dtype):
            image = np.dstack([image, alpha])
    data = encode_image(image, target.suffix)
    profile = None if source is None else read_profile(source)
    write_whole(target, add_xmp(add_profile(data, profile), metadata))


def _decode(plan: OutputPlan, pieces: Sequence[Segment]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Give each picture with its time, RGB uint8 or uint16 (H, W, 3)."""
    for piece in pieces:
        decoder: Any = av.CodecContext.create("ffv1", "r")
        decoder.extradata = piece.extradata
        decoder.width, decoder.height = plan.stored_size
        for packet in piece.packets():
            coded = av.Packet(packet.data)
            coded.pts = packet.pts
            for frame in decoder.decode(coded):
                yield packet.pts, np.stack(planes_of(frame, read_planar(frame.format.name)), axis=-1)


def _write_gif(path: Path, plan: OutputPlan, pieces: Sequence[Segment]) -> None:
    """Write a GIF that loops, each picture with the best 256 colours of its own; times in 1/100 s, all it holds."""
    width, height = plan.size
    base = Fraction(plan.like.time_base)
    with av.open(f"file:{path}", "w", format="gif", options=_last_delay(pieces, base)) as output:
        stream: Any = output.add_stream("gif", rate=plan.like.frame_rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.codec_context.time_base = Fraction(1, 100)
        last = -1
        for pts, image in _decode(plan, pieces):
            frame = _palette(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"))
            last = max(last + 1, round(pts * base * 100))
            frame.pts, frame.time_base = last, Fraction(1, 100)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _last_delay(pieces: Sequence[Segment], base: Fraction) -> dict[str, str]:
    """Tell the writer of GIFs how long the last picture is shown, if that is known: no later one says it."""
    pts, duration = next(piece.last() for piece in reversed(pieces) if piece.frames)
    shown = round((pts + duration) * base * 100) - round(pts * base * 100)
    return {"final_delay": str(min(shown, 65535))} if shown > 0 else {}


def _palette(frame: av.VideoFrame) -> av.VideoFrame:
    graph = av.filter.Graph()
    unit = Fraction(1, 100)
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=unit)
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use, sink = graph.add("paletteuse", "new=1"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, 1)
    split.link_to(use, 0, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    frame.pts, frame.time_base = 0, unit
    graph.push(frame)
    graph.push(None)
    return graph.pull()
