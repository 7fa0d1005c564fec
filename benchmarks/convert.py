"""Time of a conversion beside that of decoding and encoding alone, and memory by length of the clip.

    python benchmarks/convert.py --video p2.mp4 --model model [--rounds 3] [--minutes 10] [--preset medium]

Prints JSON. Speed: `faceswap_gan.convert.run` from first to last (both passes, network loaded anew, joined, signed)
and, in turns with it, the same frames decoded and encoded with the same settings and nothing between, as they are
stored and by way of RGB pictures; medians in seconds and in seconds of processor time, and their ratios. Memory: the
largest resident size of a process that converts the video looped to 20 seconds, and of one that converts it looped to
so many minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import av
import tyro

from faceswap_gan import convert
from faceswap_gan.conversion.settings import OutputSettings
from faceswap_gan.media.video import VideoWriter, read_frames, read_info

CONSENT = "a benchmark"
SHORT = 20.0
"""Seconds of the short clip."""

CHILD = """
import resource, sys
from pathlib import Path
from faceswap_gan import convert
from faceswap_gan.conversion.settings import OutputSettings
video, model, output, preset = sys.argv[1:]
product = OutputSettings(preset=preset or None)
convert.run(Path(video), Path(model), Path(output), product=product, consent="a benchmark")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main(
    video: Path, model: Path, *, rounds: int = 3, minutes: float | None = None, preset: str | None = None
) -> None:
    """Measure and print.

    Args:
        video: Footage to convert.
        model: Folder of a trained model.
        rounds: How often the two take turns.
        minutes: Length of the long clip; memory is left out without it.
        preset: Speed of the encoder; its default if not given.
    """
    result: dict[str, Any] = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "video": video.name}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("FACESWAP_CONFIG", folder)
        # A copy: what is stated here is not what the model's people agreed to.
        model = Path(shutil.copytree(model, Path(folder) / "model"))
        if rounds:
            result["speed"] = measure_speed(video, model, Path(folder), rounds, preset)
        if minutes is not None:
            result["memory"] = measure_memory(video, model, Path(folder), minutes, preset)
    print(json.dumps(result, indent=2))


def measure_speed(video: Path, model: Path, folder: Path, rounds: int, preset: str | None) -> dict[str, Any]:
    """Take turns."""
    product = OutputSettings(preset=preset)
    convert.run(video, model, folder / "warm.mp4", product=replace(product, end=1.0), consent=CONSENT)  # imports
    ways = {
        "stored": lambda: transcode(video, folder / "alone.mp4", preset, stored=True),
        "rgb": lambda: transcode(video, folder / "alone.mp4", preset, stored=False),
        "convert": lambda: convert.run(video, model, folder / "converted.mp4", product=product, consent=CONSENT),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter(), time.process_time()
            run()
            wall[name].append(time.perf_counter() - start[0])
            processor[name].append(time.process_time() - start[1])
    return {"seconds": _medians(wall), "processor_seconds": _medians(processor)}


def _medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Medians, and those of the conversion's ratios to the other ways, round by round."""
    found = {name: round(statistics.median(each), 2) for name, each in seconds.items()}
    for name in ("stored", "rgb"):
        ratios = [b / a for a, b in zip(seconds[name], seconds["convert"], strict=True)]
        found[f"convert / {name}"] = round(statistics.median(ratios), 2)
    return found


def transcode(video: Path, output: Path, preset: str | None, *, stored: bool) -> None:
    """Decode and encode with the settings of `convert`, the samples as stored or by way of RGB pictures."""
    with VideoWriter(output, like=read_info(video), preset=preset) as writer:
        for frame in read_frames(video):
            # A copy is a picture that may differ anywhere, so all of it is converted.
            writer.write(frame, None if stored else frame.image.copy())


def measure_memory(video: Path, model: Path, folder: Path, minutes: float, preset: str | None) -> dict[str, Any]:
    """Convert a short and a long clip, each in a process of its own."""
    peaks = {}
    for seconds in (SHORT, minutes * 60):
        clip, output = folder / f"loop{video.suffix}", folder / "looped.mp4"
        loop(video, clip, seconds)
        words = [sys.executable, "-c", CHILD, str(clip), str(model), str(output), preset or ""]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
        peaks[f"{seconds:g}_s"] = round(int(done.stdout.split()[-1]) / 1024)
    short, long = peaks.values()
    return {"peak_mib": peaks, "ratio": round(long / short, 3)}


def loop(video: Path, clip: Path, seconds: float) -> None:
    """Repeat a video's packets until so many seconds are full; nothing is decoded."""
    with av.open(str(clip), "w") as target:
        outputs: dict[int, Any] = {}
        shifts: dict[int, int] = defaultdict(int)
        turn, turns = 0, 1
        while turn < turns:
            with av.open(str(video)) as source:
                streams = [source.streams.video[0], *source.streams.audio]
                turns = max(1, round(seconds / (streams[0].duration * streams[0].time_base)))
                for each in streams if not outputs else ():
                    outputs[each.index] = target.add_stream_from_template(each)
                lengths: dict[int, int] = defaultdict(int)
                for packet in source.demux(*streams):
                    if packet.dts is not None:
                        index, packet.stream = packet.stream.index, outputs[packet.stream.index]
                        lengths[index] += packet.duration
                        packet.pts, packet.dts = packet.pts + shifts[index], packet.dts + shifts[index]
                        target.mux(packet)
            turn += 1
            shifts = {index: shifts[index] + length for index, length in lengths.items()}


if __name__ == "__main__":
    tyro.cli(main)
