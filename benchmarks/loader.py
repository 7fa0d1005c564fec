"""How many samples a second the loader makes, with the augmentation of the classic presets.

    python benchmarks/loader.py [--sizes 64 256] [--seconds 2] [--rounds 5] [--faces 500] [--threads 2]

Prints JSON. `images_per_s_a_side` is what training can take: batches of both people, warped, target and masks, made
ahead in threads and taken in order; the median of some rounds. On a busy machine `images_per_cpu_s_a_side`, by the
processor's time of all threads, tells more. `decoding_images_per_cpu_s` is the baseline: how fast the same faces
come out of PNG files, which is all that a loader without decoded faces in memory could do before it augments.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import replace

import cv2
import numpy as np

from faceswap_gan.config import PRESETS
from faceswap_gan.media.images import encode_image, resize
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.augment import OVERSAMPLING
from faceswap_gan.training.batches import BatchMaker, prefetch
from faceswap_gan.training.face_set import FaceSet

STORED = 256  # px: side of the crops that `extract` writes


def draw_faces(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw soft patterns with some noise, about as hard to decode as faces: uint8 (count, 256, 256, 3)."""
    faces = np.empty((count, STORED, STORED, 3), np.uint8)
    for face in faces:
        soft = cv2.resize(rng.uniform(20, 230, (12, 12, 3)), (STORED, STORED), interpolation=cv2.INTER_CUBIC)
        face[:] = np.clip(soft + rng.normal(0, 2, soft.shape), 0, 255)
    return faces


def face_set(faces: np.ndarray, size: int) -> FaceSet:
    """Keep what training with a size keeps of faces; their own pictures stand in for masks."""
    kept, crops = (
        np.stack([resize(face, side) for face in faces]) for side in (min(STORED, OVERSAMPLING * size), size)
    )
    return FaceSet(faces=kept, masks=kept[::-1], crops=crops, crop_masks=crops[::-1])


def measure_loader(people: dict[str, FaceSet], size: int, args: argparse.Namespace) -> dict[str, float]:
    """Take batches as fast as they come."""
    settings = PRESETS[f"classic-{size}"]
    if args.batch is not None:
        settings = replace(settings, training=replace(settings.training, batch=args.batch))
    batches = prefetch(BatchMaker(people, settings).make, start=0, threads=args.threads)
    clock, work = [], []
    for _ in range(args.rounds + 1):  # the first round warms up
        begin, spent, images = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begin < args.seconds:
            next(batches)
            images += settings.training.batch
        clock.append(images / (time.perf_counter() - begin))
        work.append(images / (time.process_time() - spent))
    batches.close()
    return {
        "images_per_s_a_side": round(statistics.median(clock[1:])),
        "images_per_cpu_s_a_side": round(statistics.median(work[1:])),
    }


def measure_decoding(faces: np.ndarray, repeats: int = 3) -> float:
    """Decode PNG files from memory in one thread, images per second of the processor."""
    files = [np.frombuffer(encode_image(face, ".png"), np.uint8) for face in faces[:50]]
    begin = time.thread_time()
    for _ in range(repeats):
        for file in files:
            cv2.imdecode(file, cv2.IMREAD_COLOR)
    return repeats * len(files) / (time.thread_time() - begin)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 256], choices=(64, 128, 256))
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--faces", type=int, default=500, help="of each person")
    parser.add_argument("--batch", type=int, help="faces of each person in a step; the preset's by default")
    parser.add_argument("--threads", type=int, help="as many as training takes by default")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    drawn = {side: draw_faces(args.faces, rng) for side in SIDES}
    decoding = measure_decoding(drawn["src"])
    result: dict[str, object] = {"cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()]}
    result["decoding_images_per_cpu_s"] = round(decoding)
    for size in args.sizes:
        figures = measure_loader({side: face_set(faces, size) for side, faces in drawn.items()}, size, args)
        # an image a side is two faces to decode
        ratio = figures["images_per_cpu_s_a_side"] / (decoding / 2)
        result[f"classic-{size}"] = figures | {"ratio_to_decoding": round(ratio, 2)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
