"""Time to quality: train on one part of each clip, measure on another, and write one JSON line a run.

    python benchmarks/quality.py --recognizer net.onnx [--pair NAME src.mp4 dst.mp4]... --minutes 30 --along 2 6 15

The drawn pair is measured unless --no-drawn; real ones are named by --pair. Of each clip the first 75 % are trained
on and the last 20 % measured: what lies between keeps neighbouring frames apart. --held-out first turns that round,
for footage in whose last fifth nothing happens: where a mouth never opens there is no opening to follow. Every number
of minutes is a training of its own, from nothing to the end of its schedule. --along measures it on its way, too, by
copies of its checkpoints: those lines have the minutes at which they were written; `of` is the whole run. --steps
instead of minutes is for a machine that does other work beside: give what it makes in so many idle minutes.
--detail names the strengths of the footage's own detail over the swap (`convert --detail`), each measured by itself.
--from starts from another pair's model, --set changes a setting of the preset: `--set training.schedule=constant`. A
line names both.

* transfer, nearer, landmarks, mouth, blinks, gaze, pose, jitter, sharpness: as `faceswap-gan evaluate` defines them,
  of the swap of dst's held-out part, against src's held-out part; `still` has the same for its transfer, so has
  `truth`, the drawn pair's exact swap, head and hair included; `mesh_swap` for its transfer, mouth, gaze and pose.
* src_elsewhere: the transfer of src's own, unswapped frames of the part that was trained on: what a perfect swap has
  that shows src as then, as a few seconds of held-out src are more like each other than like the same person later.
* ssim_reconstruction: inside the face, what the model makes of src's held-out frames against these.
* psnr_truth, ssim_truth: the drawn pair only, the swap against the exact truth.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceswap_gan import __version__, convert, evaluate, extract, masks, train
from faceswap_gan.config import PRESETS, Settings, find_preset
from faceswap_gan.conversion.anchors import reconstruct
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.finder import find_faces
from faceswap_gan.faces.folder import FaceCrop, FaceFolder
from faceswap_gan.faces.identity import open_recognizer
from faceswap_gan.faces.recognizer import recognition_crop
from faceswap_gan.media.video import Frame, VideoWriter, read_frames, read_info
from faceswap_gan.metrics.identity import meet_people, transfer
from faceswap_gan.metrics.reconstruction import ssim
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.synthetic.clips import write_clip, write_pair
from faceswap_gan.training.checkpoint import find_checkpoint, load_swap

PARTS = {"last": ((0.0, 0.75), (0.8, 1.0)), "first": ((0.25, 1.0), (0.0, 0.2))}  # trained on, held out
TAKEN = (
    *("transfer", "nearer", "landmarks_eyes", "landmarks_mouth", "mouth_correlation"),
    *("blinks", "gaze", "pose", "jitter", "sharpness"),
)
FOLLOWED = ("mouth_correlation", "gaze", "pose")


@dataclass(frozen=True)
class Clips:
    """A pair cut for the benchmark: face folders to train on, videos to measure on."""

    faces: dict[str, Path]
    held_out: dict[str, Path]


def cut(video: Path, part: tuple[float, float], output: Path) -> Path:
    """Write a part of a video, in shares of its frames; its times start at 0, its sound is not cut."""
    start, stop = (round(share * sum(1 for _ in read_frames(video))) for share in part)
    with VideoWriter(output, like=read_info(video), crf=10) as writer:
        for frame in shifted(islice(read_frames(video), start, stop)):
            writer.write(frame)
    return output


def shifted(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Let times and numbers begin at 0."""
    first: Frame | None = None
    for frame in frames:
        first = first or frame
        yield replace(frame, index=frame.index - first.index, pts=frame.pts - first.pts)


def prepare(videos: dict[str, Path], work: Path, part: str) -> Clips:
    """Cut both clips, extract what is trained on."""
    faces, held_out = {}, {}
    trained, measured = PARTS[part]
    for side, video in videos.items():
        faces[side] = work / f"face_{side}"
        held_out[side] = cut(video, measured, work / f"{side}_held_out.mp4")
        extract.run(cut(video, trained, work / f"{side}_trained.mp4"), faces[side])
        masks.run(faces[side])
    return Clips(faces, held_out)


def measure(
    clips: Clips, model: Path, args: argparse.Namespace, *, truth: Path | None, detail: float
) -> dict[str, float | None]:
    """Swap the held-out footage and judge it."""
    swapped, page = model / f"held_out_{detail:g}.mp4", model / f"report_{detail:g}.html"
    finish = FinishSettings(color="mean_std" if truth is None else "none", detail=detail)
    convert.run(clips.held_out["dst"], model, swapped, finish=finish, consent="benchmark")
    evaluate.run(
        swapped, clips.held_out["src"], clips.held_out["dst"],
        recognizer=args.recognizer, model=model, truth=truth, report=page, weights_dir=args.weights_dir,
    )  # fmt: skip
    methods = json.loads(page.with_suffix(".json").read_text())["methods"]
    own = {name: score["value"] for name, score in methods["swap"]["scores"].items()}
    figures = {name: own[name] for name in TAKEN}
    beside = [name for name in ("still", "mesh_swap", "truth") if name in methods]
    figures |= {name: methods[name]["scores"]["transfer"]["value"] for name in beside}
    figures |= {f"mesh_swap_{name}": methods["mesh_swap"]["scores"][name]["value"] for name in FOLLOWED}
    figures["ssim_reconstruction"] = reconstruction_ssim(clips.held_out["src"], model)
    figures |= {} if truth is None else {f"{name}_truth": own[name] for name in ("psnr", "ssim")}
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def src_elsewhere(clips: Clips, recognizer: Path) -> float:
    """Judge src's own frames of the part that was trained on as if they were a swap."""
    judge, detector = open_recognizer(recognizer), FaceDetector()

    def embed(crops: Iterable[FaceCrop]) -> NDArray[np.float64]:
        faces = ((crop.image, crop.landmarks) for crop in crops)
        return np.stack([judge.embed(recognition_crop(*face)) for face in faces if face[1] is not None]).astype(float)

    held_out = {
        side: embed(face for entry in find_faces(read_frames(video), detector, size=256) for face in entry.faces)
        for side, video in clips.held_out.items()
    }
    folder = FaceFolder(clips.faces["src"])
    trained = embed(folder.read(i) for i in range(len(folder)))
    people = meet_people(held_out["src"], held_out["dst"])
    return float(transfer(trained, people, shown=np.ones(len(trained), bool)).mean())


def reconstruction_ssim(video: Path, model: Path) -> float | None:
    """Let the model paint src over itself and compare, inside the face; None where nothing is painted."""
    loaded = load_swap(model, face="src")
    found = find_faces(read_frames(video), FaceDetector(), size=loaded.align_size)
    painted = reconstruct(found, loaded.swap, size=loaded.size)
    alike = [ssim(entry.image, entry.frame.image, entry.mask) for entry in painted if entry.mask.any()]
    return float(np.mean(alike)) if alike else None


def draw(work: Path, part: str) -> tuple[dict[str, Path], Path]:
    """Draw the demo pair and its true swap's held-out part."""
    pair = write_pair(work, seconds=16.0)
    truth = work / "truth.mp4"
    write_clip(truth, replace(pair.dst_clip, person=pair.src_clip.person))
    return {"src": pair.src, "dst": pair.dst}, cut(truth, PARTS[part][1], work / "truth_held_out.mp4")


class Along:
    """Copies a model's newest checkpoint whenever it has trained for so many minutes; a context for its training.

    Args:
        model: the model folder.
        minutes: when to copy.
    """

    def __init__(self, model: Path, minutes: Sequence[float]) -> None:
        self._model, self._due = model, sorted(minutes)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.copies: list[Path] = []

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while self._due and not self._done.wait(1.0):
            newest = find_checkpoint(self._model) if (self._model / "config.toml").is_file() else None
            if newest is not None and newest.state.seconds / 60.0 >= self._due[0]:
                copy = self._model.with_name(f"{self._model.name}_at_{self._due.pop(0):g}")
                shutil.copytree(newest.folder, copy / "checkpoints" / newest.folder.name)
                shutil.copy(self._model / "config.toml", copy)
                self.copies.append(copy)


def main() -> None:
    """Train, measure, print and log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recognizer", type=Path, required=True)
    parser.add_argument("--weights-dir", type=Path, help="folder with face_landmarker.task")
    parser.add_argument("--pair", nargs=3, action="append", default=[], metavar=("NAME", "SRC", "DST"))
    parser.add_argument("--no-drawn", action="store_true")
    parser.add_argument("--held-out", choices=PARTS, default="last")
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0, 5.0])
    parser.add_argument("--detail", type=float, nargs="+", default=[FinishSettings.detail])
    parser.add_argument("--steps", type=int, help="train so many instead, and log --minutes, of which one is given")
    parser.add_argument("--along", type=float, nargs="+", default=[])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--perceptual", help="none trains a classic preset without VGGFace's weights")
    parser.add_argument("--from", dest="start", type=Path, help="model folder of another pair to start from")
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.NAME=VALUE", help="settings to try")
    parser.add_argument("--work", type=Path, default=Path("build/quality"))
    parser.add_argument("--log", type=Path, default=Path("docs/benchmarks/quality.jsonl"))
    args = parser.parse_args()
    if args.steps and len(args.minutes) > 1:
        parser.error(f"expected one number of --minutes beside --steps, got {len(args.minutes)}; say which to log.")
    names = [*([] if args.no_drawn else ["drawn"]), *(name for name, *_ in args.pair)]
    begun = [model for name in names for at in args.minutes if (model := place(args, name, at)).exists()]
    if begun:
        parser.error(
            f"expected a --work without models, got {begun[0]}, which would be measured as it is; name another."
        )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    PRESETS[args.preset] = change(find_preset(args.preset), args.set)
    pairs = {name: dict(zip(SIDES, map(Path, files), strict=True)) for name, *files in args.pair}
    truths = {}
    if not args.no_drawn:
        drawn, truths["drawn"] = draw(args.work / "drawn", args.held_out)
        pairs = {"drawn": drawn} | pairs
    args.log.parent.mkdir(parents=True, exist_ok=True)
    for name, videos in pairs.items():
        clips = prepare(videos, args.work / name, args.held_out)
        elsewhere = round(src_elsewhere(clips, args.recognizer), 4)
        for minutes in args.minutes:
            for model, at in fit(clips, place(args, name, minutes), minutes, args):
                for detail in args.detail if name not in truths else [0.0]:
                    line = {"version": __version__, "pair": name, "preset": args.preset, "minutes": at, "of": minutes}
                    line |= {"from": args.start and args.start.name, "set": args.set}
                    line |= {"held_out": args.held_out, "cores": os.cpu_count(), "detail": detail}
                    line |= {"steps": find_checkpoint(model).state.step}
                    line |= {setting: getattr(FinishSettings, setting) for setting in ("erode", "deflicker")}
                    line |= measure(clips, model, args, truth=truths.get(name), detail=detail)
                    line |= {"src_elsewhere": elsewhere}
                    with args.log.open("a") as log:
                        log.write(json.dumps(line) + "\n")


def place(args: argparse.Namespace, name: str, minutes: float) -> Path:
    """Name the folder of a model."""
    return Path(args.work / name / f"{args.preset}_{minutes:g}")


def change(settings: Settings, changes: Sequence[str]) -> Settings:
    """Change settings by texts such as ``training.ema=0.99`` or ``training.clean=true``; numbers as in JSON."""
    for text in changes:
        place, value = text.split("=")
        section, name = place.split(".")
        part = getattr(settings, section)
        new = value if isinstance(getattr(part, name), str) else json.loads(value)
        settings = replace(settings, **{section: replace(part, **{name: new})})
    return settings


def fit(clips: Clips, model: Path, minutes: float, args: argparse.Namespace) -> list[tuple[Path, float]]:
    """Train a model; gives it and the copies made on its way, each with its minutes."""
    with Along(model, args.along) as along:
        train.run(
            clips.faces["src"], clips.faces["dst"], model=model, preset=args.preset, perceptual=args.perceptual,
            from_model=args.start, steps=args.steps, minutes=None if args.steps else minutes,
            save_minutes=0.5 if args.along else 2.0,
        )  # fmt: skip
    earlier = [(copy, round(find_checkpoint(copy).state.seconds / 60.0, 1)) for copy in along.copies]
    return [*earlier, (model, minutes)]


if __name__ == "__main__":
    main()
