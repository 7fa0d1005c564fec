"""Measure how fast a mesh swap is: milliseconds a frame of each part, beside the loop over triangles.

    python benchmarks/mesh_swap.py --src src.png --dst dst.mp4 [--frames 60] [--size 512 480]

Both the time on the clock and the processor's time of all threads are given: on a busy machine the second tells more.
The parts are landmarks, bend (map, gaze, remap, edge) and blend (colours, feather); `all` is the whole verb without
decoding and encoding. `loop` bends the same face triangle after triangle with `cv2.warpAffine`, the usual way:
`ratio` is its time over that of the one remap.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from faceswap_gan.conversion import mesh_swapper
from faceswap_gan.conversion.mesh_source import MeshSource, read_source
from faceswap_gan.conversion.mesh_tracks import SparseDetector
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks
from faceswap_gan.faces.mesh import MeshLandmarker, read_topology
from faceswap_gan.faces.mesh_warp import warp_mesh
from faceswap_gan.faces.topology import MESH_POINTS
from faceswap_gan.media.video import Frame, read_frames
from faceswap_gan.media.weights import find_weights

Spent = dict[str, list[tuple[float, float]]]


def watch(spent: Spent, name: str, owner: object, method: str) -> None:
    """Note the times of every call of a method, (clock, processor) s."""
    original = getattr(owner, method)

    def timed(*args: object, **settings: object) -> object:
        clock, work = time.perf_counter(), time.process_time()
        result = original(*args, **settings)
        spent[name].append((time.perf_counter() - clock, time.process_time() - work))
        return result

    setattr(owner, method, timed)


def bend_by_loop(
    image: np.ndarray, src: np.ndarray, dst: np.ndarray, triangles: np.ndarray, frame: np.ndarray
) -> None:
    """Bend a face triangle by triangle."""
    out = np.zeros_like(frame)
    for corners in triangles:
        a, b = src[corners], dst[corners]
        x, y, w, h = cv2.boundingRect(b)
        matrix = cv2.getAffineTransform(a, b - np.float32([x, y]))
        part = cv2.warpAffine(image, matrix, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        mask = cv2.fillConvexPoly(np.zeros((h, w), np.uint8), np.rint(b - [x, y]).astype(np.int32), 1)
        x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, out.shape[1]), min(y + h, out.shape[0])
        cv2.copyTo(part[y1 - y : y2 - y, x1 - x : x2 - x], mask[y1 - y : y2 - y, x1 - x : x2 - x], out[y1:y2, x1:x2])


def compare(source: MeshSource, mesh: Landmarks, frame: np.ndarray, repeats: int = 15) -> dict[str, float]:
    """Time one remap against the loop, the least of some runs in ms."""
    picture, triangles = source.pictures[0], source.topology.triangles
    src, dst = picture.mesh.points[:MESH_POINTS], mesh.points[:MESH_POINTS]
    least = {}
    for name, bend in (
        ("remap", lambda: warp_mesh(picture.image, src, dst, triangles, frame.shape)),
        ("loop", lambda: bend_by_loop(picture.image, src, dst, triangles, frame)),
    ):
        times = []
        for _ in range(repeats):
            start = time.process_time()
            bend()
            times.append(time.process_time() - start)
        least[name] = round(min(times) * 1e3, 2)
    return {**least, "ratio": round(least["loop"] / least["remap"], 2)}


def measure(frames: list[Frame], source: MeshSource, provider: LandmarkProvider, blend: str) -> dict[str, object]:
    """Swap the frames and say where the time went."""
    spent: Spent = defaultdict(list)
    painter = mesh_swapper._MeshPainter
    kept = {name: getattr(painter, name) for name in ("_paint_face", "_layer")}
    watch(spent, "face", painter, "_paint_face")
    watch(spent, "bend", painter, "_layer")
    watch(spent, "landmarks", provider, "find")
    detector = SparseDetector()
    clock, work = time.perf_counter(), time.process_time()
    done = list(mesh_swapper.mesh_swap_frames(frames, source, provider, detector=detector, blend=blend))
    total = time.perf_counter() - clock, time.process_time() - work
    for name, method in kept.items():
        setattr(painter, name, method)
    del provider.find
    sums = {name: np.sum(times, axis=0) for name, times in spent.items()}
    parts = {"landmarks": sums["landmarks"], "bend": sums["bend"], "blend": sums["face"] - sums["bend"]}
    needed = sum(parts.values())
    rows = {**parts, "mesh, warp and blend": needed, "all": total}
    ms = {name: [round(float(t) / len(done) * 1e3, 2) for t in times] for name, times in rows.items()}
    rate = [round(len(done) / float(t), 1) for t in needed]
    return {"faces": sum(entry.faces > 0 for entry in done), "ms [clock, processor]": ms, "frames/s": rate}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("src", "dst"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--weights-dir", type=Path)
    args = parser.parse_args()
    bundle = find_weights("face_landmarker", folder=args.weights_dir)
    provider = MeshLandmarker(bundle)
    source = read_source(read_frames(args.src), provider, SparseDetector(), read_topology(bundle))
    frames = list(islice(read_frames(args.dst), args.frames))
    if args.size:
        side = (args.size[0], args.size[1])
        frames = [
            replace(f, image=cv2.resize(f.image, side, interpolation=cv2.INTER_AREA), stored=None) for f in frames
        ]
    list(mesh_swapper.mesh_swap_frames(frames[:8], source, provider))  # everything is loaded and compiled now
    result: dict[str, object] = {"size": frames[0].image.shape[1::-1], "frames": len(frames)}
    for blend in ("feather", "seamless"):
        result[blend] = measure(frames, source, provider, blend)
    mesh = source.pictures[0].mesh
    result["bend"] = compare(source, mesh, source.pictures[0].image)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
