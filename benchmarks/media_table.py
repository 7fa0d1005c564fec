"""What becomes of each file on its way through reader and segment writer: a table for docs/benchmarks.md.

    python benchmarks/media_table.py [--facedata ../shared/facedata] [--write docs/benchmarks.md]

Every file of ``hard`` and ``videos`` is read, a square is painted into every frame, and the frames are written in
segments and joined, into the same kind of container. No network is involved. Prints the table as Markdown, or
puts it between the markers of a page.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import tyro

from faceswap_gan.errors import MediaError
from faceswap_gan.media.facts import MediaFacts, SoundFacts, read_facts
from faceswap_gan.media.images import is_picture
from faceswap_gan.media.pixels import turn_back
from faceswap_gan.media.planes import planes_of
from faceswap_gan.media.video import (
    Frame,
    OutputPlan,
    SegmentWriter,
    VideoInfo,
    join_segments,
    plan_output,
    read_frames,
    read_info,
)

BEGIN, END = "<!-- media table: begin -->", "<!-- media table: end -->"
SEGMENT = 40
MORE = (
    ("hard/drv_vp9_opus.webm", ".mp4", None),
    ("hard/drv_10bit_hevc.mp4", ".mp4", "hevc"),
    ("hard/drv_10bit_hevc.mp4", ".webm", None),
    ("hard/drv_10bit_hevc.mp4", ".mp4", "av1"),
    ("hard/drv_odd_511x509_ffv1.mkv", ".mp4", None),
    ("hard/real_hand_over_mouth_fullrange.mkv", ".webm", None),
)


@dataclass(frozen=True)
class Row:
    """One file, before and after; what stayed is written once, what changed as before → after."""

    file: str
    written_as: str
    frames: str
    largest_time_difference: str
    size: str
    pixel_aspect: str
    rotation: str
    range: str
    samples: str
    unpainted: str
    sound: str
    warnings: str


def rows(facedata: Path, *, frames: int | None = None, preset: str | None = None) -> Iterator[Row]:
    """Measure every file.

    Args:
        facedata: the folder with ``hard`` and ``videos``.
        frames: how many of each to take; all if None.
        preset: speed of H.264, which no fact depends on.
    """
    files = sorted((facedata / "hard").iterdir()) + sorted((facedata / "videos").iterdir())
    jobs = [(f"{file.parent.name}/{file.name}", file.suffix, None) for file in files]
    with tempfile.TemporaryDirectory() as folder:
        for name, suffix, codec in [*jobs, *MORE]:
            yield measure(facedata / name, Path(folder) / f"out{suffix}", codec=codec, frames=frames, preset=preset)


def measure(source: Path, output: Path, *, codec: str | None, frames: int | None, preset: str | None) -> Row:
    """Write one file and compare."""
    name = source.name
    try:
        info = read_info(source)
        plan = plan_output(output, like=info, codec=codec)
        if preset and plan.codec == "h264":
            plan = plan_output(output, like=info, codec=codec, preset=preset)
    except MediaError as error:
        said = "cannot be opened" if "cannot be opened" in str(error) else str(error).split("; ")[0]
        return Row(name, f"refused: {said.replace('expected ', '')}", *[""] * 10)
    painted = _write(source, plan, frames)
    before, after = read_facts(source), read_facts(output)
    return Row(
        name,
        f"{output.suffix} {'' if is_picture(output) else plan.codec}".strip(),
        _kept(f"{len(before.seconds[:frames])}", f"{len(after.seconds)}"),
        _drift(source, output, frames),
        _kept("x".join(map(str, before.size)), "x".join(map(str, after.size))),
        _kept(_ratio(before.pixel_shape), _ratio(after.pixel_shape)),
        *(_kept(*pair) for pair in zip(_picture(info), _picture(read_info(output)), strict=True)),
        painted,
        _sound(before, after),
        "none" if not (said := decoding_warnings(output)) else f"{len(said)}: {said[0]}",
    )


def _write(source: Path, plan: OutputPlan, frames: int | None) -> str:
    """Write in segments; says how many samples outside the square were changed before encoding."""
    changed, segments = 0, []
    with tempfile.TemporaryDirectory() as folder:
        todo = islice(read_frames(source), frames)
        while part := list(islice(todo, 1)):
            segments.append(Path(folder) / f"{len(segments):06d}.segment")
            with SegmentWriter(segments[-1], plan) as writer:
                for number, frame in enumerate(part_and_more(part, todo)):
                    image, mask = paint(frame)
                    if number == 0:
                        changed += _changed(writer, plan, frame)
                    writer.write(frame, image, mask)
        join_segments(segments, plan)
    if is_picture(source):
        return "as decoded"
    return "as stored" if changed == 0 else f"{changed} changed" if changed > 0 else "RGB → YUV"


def part_and_more(part: list[Frame], todo: Iterator[Frame]) -> Iterator[Frame]:
    """The first frame of a segment, and those after it."""
    yield from part
    yield from islice(todo, SEGMENT - 1)


def paint(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """A square a quarter as wide as the frame, off its middle by odd numbers of px, in one colour."""
    height, width = frame.image.shape[:2]
    side = max(2, min(height, width) // 4)
    box = slice(height // 3 | 1, (height // 3 | 1) + side), slice(width // 3 | 1, (width // 3 | 1) + side)
    image, mask = frame.image.copy(), np.zeros((height, width), np.uint8)
    image[box], mask[box] = (200, 60, 90), 255
    return image, mask


def _changed(writer: SegmentWriter, plan: OutputPlan, frame: Frame) -> int:
    """Samples that differ from the stored ones though no pixel that shares them is painted; -1: all are converted."""
    if frame.stored is None or not plan.keeps_samples:
        return 0
    if (frame.stored.planar.kind == "rgb") != (plan.planar.kind == "rgb"):
        return -1
    image, mask = paint(frame)
    made = planes_of(writer.picture(frame, image, mask), plan.planar)
    given = planes_of(frame.stored.copy_as(plan.planar), plan.planar)
    marked = turn_back(mask, plan.matrix) > 0
    count = 0
    for new, old in zip(made, given, strict=True):
        down, across = (1 if a == b else 2 for a, b in zip(new.shape, marked.shape, strict=True))
        padded = np.pad(marked, ((0, -marked.shape[0] % down), (0, -marked.shape[1] % across)))
        shared = padded.reshape(new.shape[0], down, new.shape[1], across).any(axis=(1, 3))
        count += int(((new != old) & ~shared).sum())
    return count


def _drift(source: Path, output: Path, frames: int | None) -> str:
    times = [[f.pts * f.time_base for f in islice(_timed(path), frames)] for path in (source, output)]
    worst = max((abs(a - b) for a, b in zip(*times, strict=False)), default=Fraction(0))
    return f"{float(worst * 1000):.3g} ms" if worst else "0"


def _timed(path: Path) -> Iterator[Frame]:
    """Frames with their exact times; only one is converted."""
    if is_picture(path):
        yield from read_frames(path)
        return
    with av.open(str(path)) as container:
        try:
            for index, frame in enumerate(container.decode(video=0)):
                yield Frame(index, frame.pts, Fraction(frame.time_base), np.zeros((0, 0, 3), np.uint8))
        except av.FFmpegError:
            return


def _picture(info: VideoInfo) -> tuple[str, str, str]:
    planar = info.planar
    chroma = {"gray": "grey", "rgb": "RGB"}.get(planar.kind) or planar.name[3:6]
    full = "full" if info.color.full_range or planar.kind == "rgb" else "limited"
    return f"{info.rotation}°", full, f"{chroma} {planar.depth} bit"


def _sound(before: MediaFacts, after: MediaFacts) -> str:
    old, new = ([sound for sound in facts.sound if sound.packets] for facts in (before, after))
    if not old and not new:
        return "none"
    same = len(old) == len(new) and all(map(_same, old, new))
    told = ", ".join(f"{sound.codec} {sound.packets}" for sound in old)
    return f"{told}: identical" if same else f"{told}: CHANGED"


def _same(old: SoundFacts, new: SoundFacts) -> bool:
    return (old.codec, old.packets, old.sha256) == (new.codec, new.packets, new.sha256) and (
        abs(old.start - new.start) < 1e-3 and abs(old.end - new.end) < 1e-3
    )


def decoding_warnings(path: Path) -> list[str]:
    """Decode a whole file and give what FFmpeg has to say about it at warning level."""
    with av.logging.Capture(local=False) as messages:
        av.logging.set_level(av.logging.WARNING)
        try:
            with av.open(str(path)) as container:
                streams = [s for s in container.streams if s.type in ("video", "audio")]
                for packet in container.demux(*streams):
                    packet.decode()
        finally:
            av.logging.set_level(None)
    return [message.strip() for _, _, message in messages]


def _kept(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


def markdown(table: list[Row]) -> str:
    """Write rows as a Markdown table."""
    names = [name.replace("_", " ") for name in Row.__dataclass_fields__]
    lines = [names, ["---"] * len(names), *(astuple(row) for row in table)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(*, facedata: Path | None = None, write: Path | None = None) -> None:
    """Measure and print, or put the table into a page.

    Args:
        facedata: folder with ``hard`` and ``videos``; the variable ``FACESWAP_TESTDATA`` if not given.
        write: a page with both markers.
    """
    folder = facedata or Path(os.environ.get("FACESWAP_TESTDATA", "../shared/facedata"))
    table = markdown(list(rows(folder)))
    if write is None:
        print(table)
        return
    page = write.read_text()
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    write.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}")


if __name__ == "__main__":
    tyro.cli(main)
