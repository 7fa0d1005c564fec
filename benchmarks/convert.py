"""Time of a conversion beside that of decoding and encoding alone, and memory by length of the clip.

    python benchmarks/convert.py --video p2.mp4 --model model [--rounds 3] [--minutes 10]

Prints JSON. Speed: `faceswap_gan.convert.run` from first to last (both passes, network loaded anew, joined, signed)
and, in turns with it, the same frames decoded and encoded with the same settings and nothing between; medians, and
the ratio of each pair. Memory: the largest resident size of a process that converts the video looped to 20 seconds,
and of one that converts it looped to so many minutes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import av
import tyro

from faceswap_gan import convert
from faceswap_gan.media.video import VideoWriter, read_frames, read_info

CONSENT = "a benchmark"
SHORT = 20.0
"""Seconds of the short clip."""

CHILD = """
import resource, sys
from pathlib import Path
from faceswap_gan import convert
convert.run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), consent=sys.argv[4])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main(video: Path, model: Path, *, rounds: int = 3, minutes: float | None = None) -> None:
    """Measure and print.

    Args:
        video: Footage to convert.
        model: Folder of a trained model.
        rounds: How often the two take turns.
        minutes: Length of the long clip; memory is left out without it.
    """
    result: dict[str, Any] = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "video": video.name}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("FACESWAP_CONFIG", folder)
        result["speed"] = measure_speed(video, model, Path(folder), rounds)
        if minutes is not None:
            result["memory"] = measure_memory(video, model, Path(folder), minutes)
    print(json.dumps(result, indent=2))


def measure_speed(video: Path, model: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """Take turns."""
    convert.run(video, model, folder / "warm.mp4", consent=CONSENT, end=1.0)  # imports
    seconds: dict[str, list[float]] = {"alone": [], "convert": []}
    frames = 0
    for _ in range(rounds):
        start = time.perf_counter()
        frames = transcode(video, folder / "alone.mp4")
        seconds["alone"].append(time.perf_counter() - start)
        start = time.perf_counter()
        convert.run(video, model, folder / "converted.mp4", consent=CONSENT)
        seconds["convert"].append(time.perf_counter() - start)
    ratios = [b / a for a, b in zip(seconds["alone"], seconds["convert"], strict=True)]
    return {
        "frames": frames,
        **{f"{name}_s": round(statistics.median(each), 2) for name, each in seconds.items()},
        "convert_frames_per_s": round(frames / statistics.median(seconds["convert"]), 1),
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }


def transcode(video: Path, output: Path) -> int:
    """Decode and encode with the settings of `convert`; returns the number of frames."""
    frames = 0
    with VideoWriter(output, like=read_info(video)) as writer:
        for frame in read_frames(video):
            writer.write(frame)
            frames += 1
    return frames


def measure_memory(video: Path, model: Path, folder: Path, minutes: float) -> dict[str, Any]:
    """Convert a short and a long clip, each in a process of its own."""
    peaks = {}
    for seconds in (SHORT, minutes * 60):
        clip, output = folder / f"loop{video.suffix}", folder / "looped.mp4"
        loop(video, clip, seconds)
        words = [sys.executable, "-c", CHILD, str(clip), str(model), str(output), CONSENT]
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
