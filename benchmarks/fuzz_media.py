"""Damaged videos and pictures through reader and writer: how each ends, how long it takes, how much memory.

    python benchmarks/fuzz_media.py [--count 500] [--seed 1]

Draws small files of many kinds, damages copies of them (flipped bits, cut-off ends, blocks zeroed or doubled, absurd
sizes in headers) and puts each through ``read_info``, ``read_frames`` and ``VideoWriter`` in a process of its own,
with limits on time and memory. Allowed ends: a whole output, or one line of `FaceSwapError` and nothing left behind.
Prints JSON. For Linux and macOS.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import tyro

from faceswap_gan.errors import FaceSwapError
from faceswap_gan.media.images import is_picture, write_image
from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.media.video import VideoWriter, read_frames, read_info

WIDTH, HEIGHT, FRAMES = 112, 80, 12
SECONDS, MEMORY = 30, 6 << 30
WHOLE, REFUSED, CRASHED = 0, 10, 11
KINDS = (
    ("h264.mp4", "libx264", "yuv420p", "aac"),
    ("h264.mkv", "libx264", "yuv444p", "aac"),
    ("hevc.mov", "libx265", "yuv420p10le", None),
    ("vp9.webm", "libvpx-vp9", "yuv420p", "libopus"),
    ("ffv1.mkv", "ffv1", "bgr0", None),
    ("mjpeg.avi", "mjpeg", "yuvj420p", None),
    ("mpeg4.mp4", "mpeg4", "yuv420p", "aac"),
    ("plain.gif", "gif", "rgb8", None),
)
PICTURES = (".png", ".jpg", ".webp", ".bmp", ".tif")


def make_seeds(folder: Path) -> list[Path]:
    """Draw a small file of each kind."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    images = [
        np.stack([x * 2, y * 3, (x + y + 9 * t) % 200], axis=-1).clip(0, 255).astype(np.uint8) for t in range(FRAMES)
    ]
    files = []
    for name, codec, pix_fmt, sound in KINDS:
        files.append(folder / name)
        _write_video(files[-1], images, codec, pix_fmt, sound)
    for suffix in PICTURES:
        files.append(folder / f"still{suffix}")
        write_image(files[-1], images[0])
    return files


def _write_video(path: Path, images: list[np.ndarray], codec: str, pix_fmt: str, sound: str | None) -> None:
    tags = ColorTags(full_range=pix_fmt.startswith("yuvj"))
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=25, options=options)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pix_fmt
        video.color_range = 2 if tags.full_range else 1
        audio = out.add_stream(sound, rate=48000) if sound else None
        for index, image in enumerate(images):
            yuv = pix_fmt.startswith("yuv")
            frame = from_rgb(image, pix_fmt.replace("yuvj", "yuv"), tags) if yuv else _rgb(image, pix_fmt)
            frame = frame.reformat(format=pix_fmt, src_color_range=2, dst_color_range=2) if "j" in pix_fmt else frame
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio:
            for start in range(0, 20 * 1024, 1024):
                noise = np.random.default_rng(start).normal(0, 0.1, (2, 1024)).astype(np.float32)
                heard = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
                heard.sample_rate, heard.pts, heard.time_base = 48000, start, Fraction(1, 48000)
                out.mux(audio.encode(heard))
            out.mux(audio.encode(None))


def _rgb(image: np.ndarray, pix_fmt: str) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)


def damage(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Damage a file in one of several ways; gives the way's name too."""
    spoiled = bytearray(data)
    way = str(rng.choice(["bits", "cut", "zeros", "doubled", "size", "head"]))
    at, length = int(rng.integers(len(data))), int(rng.integers(1, 256))
    if way == "bits":
        for place in rng.integers(0, len(data), int(rng.integers(1, 40))):
            spoiled[place] ^= 1 << int(rng.integers(8))
    elif way == "head":
        for place in rng.integers(0, min(len(data), 600), int(rng.integers(1, 8))):
            spoiled[place] = int(rng.integers(256))
    elif way == "cut":
        del spoiled[at:]
    elif way == "zeros":
        spoiled[at : at + length] = bytes(min(length, len(data) - at))
    elif way == "doubled":
        spoiled[at:at] = spoiled[at : at + length]
    else:
        _grow(spoiled, rng)
    return way, bytes(spoiled)


def _grow(data: bytearray, rng: np.random.Generator) -> None:
    """Put an absurd number wherever the true width or height is written."""
    absurd = int(rng.choice([0, 1, 9999, 16000, 65535, 2**24 + 1, 2**31 - 1]))
    for side in (WIDTH, HEIGHT):
        for count, order in ((4, "big"), (4, "little"), (2, "big"), (2, "little")):
            given, wrong = side.to_bytes(count, order), (absurd % 2 ** (8 * count)).to_bytes(count, order)
            start = 0
            while (start := data.find(given, start, 4096)) >= 0:
                data[start : start + count] = wrong
                start += count


def attempt(source: Path, folder: Path) -> int:
    """Read and write one file; the exit code says how it ended."""
    output = folder / f"out{source.suffix if is_picture(source) else '.mp4'}"
    try:
        info = read_info(source)
        with VideoWriter(output, like=info, **({} if is_picture(output) else {"preset": "ultrafast"})) as writer:
            for frame in islice(read_frames(source), 200):
                writer.write(frame)
    except FaceSwapError as error:
        return REFUSED if "\n" not in str(error) and not list(folder.iterdir()) else CRASHED
    whole = [path.name for path in folder.iterdir()] == [output.name] and read_info(output).width == info.width
    return WHOLE if whole else CRASHED


def run_case(source: Path, folder: Path) -> tuple[str, float, float]:
    """Run one file in a process of its own: how it ended, seconds, and MiB at most."""
    began = time.monotonic()
    folder.mkdir()
    child = os.fork()
    if child == 0:
        code = CRASHED
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            code = attempt(source, folder)
        except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    ends = {WHOLE: "whole", REFUSED: "refused", CRASHED: "crashed"}
    if os.WIFSIGNALED(status):
        end = "hung" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "crashed"
    else:
        end = ends.get(os.WEXITSTATUS(status), "crashed")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return end, time.monotonic() - began, used.ru_maxrss / scale


def cases(seeds: list[Path], count: int, seed: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Damage the seeds in turn: what was done, and the file."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        source = seeds[number % len(seeds)]
        way, data = damage(source.read_bytes(), rng)
        path = folder / f"{number:04d}{source.suffix}"
        path.write_bytes(data)
        yield f"{source.name} {way} {number}", path


def main(*, count: int = 500, seed: int = 1, keep: Path | None = None) -> None:
    """Damage, run and print.

    Args:
        count: how many files.
        seed: of all chance.
        keep: a folder for copies of the files that ended badly.
    """
    ends: Counter[str] = Counter()
    bad, times, sizes = [], [], []
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        if (
            builder := os.fork()
        ) == 0:  # encoders leave threads and locks behind, which a forked child must not inherit
            (base / "seeds").mkdir()
            make_seeds(base / "seeds")
            os._exit(0)
        os.waitpid(builder, 0)
        (base / "damaged").mkdir()
        for name, path in cases(sorted((base / "seeds").iterdir()), count, seed, base / "damaged"):
            end, seconds, memory = run_case(path, base / path.stem)
            ends[end] += 1
            times.append((seconds, name))
            sizes.append((memory, name))
            if end not in ("whole", "refused"):
                bad.append(f"{end}: {name}")
                if keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / path.name).write_bytes(path.read_bytes())
    told = {"cases": count, **ends, "bad": bad, "slowest s": max(times), "largest MiB": max(sizes)}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    tyro.cli(main)
