"""Segments to pictures: one still, a folder of them, or a GIF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.media.images import encode_image, list_images, write_whole
from faceswap_gan.media.plan import OutputPlan, kind_of
from faceswap_gan.media.planes import planes_of, read_planar
from faceswap_gan.media.segments import Segment
from faceswap_gan.media.xmp import add_xmp


def write_pictures(path: Path, plan: OutputPlan, pieces: Sequence[Segment], metadata: Mapping[str, str]) -> None:
    """Write what the segments hold as a picture, a folder of PNGs or a GIF.

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
    pictures = (image for _, image in _decode(plan, pieces))
    if kind == "picture":
        write_whole(path, add_xmp(encode_image(next(pictures), path.suffix), metadata))
        return
    path.mkdir()
    for name, image in zip(_names(plan.like.path), pictures, strict=False):
        write_whole(path / name, add_xmp(encode_image(image, ".png"), metadata))


def _names(source: Path) -> Iterator[str]:
    """Names of a folder's pictures: the source's own where it is a folder too, else numbers."""
    if source.is_dir():
        yield from (f"{picture.stem}.png" for picture in list_images(source))
    number = 0
    while True:
        yield f"{number:06d}.png"
        number += 1


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
    with av.open(f"file:{path}", "w", format="gif") as output:
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
