"""Evaluate: measure a finished swap beside the footage, a still, a mesh swap and the model's own ceiling."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceswap_gan.errors import MediaError, ModelError, SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from faceswap_gan.conversion.swapper import SwappedFrame
    from faceswap_gan.faces.finder import FoundFrame
    from faceswap_gan.faces.mesh import MeshLandmarker, Topology
    from faceswap_gan.faces.recognizer import Recognizer
    from faceswap_gan.media.video import Frame
    from faceswap_gan.metrics.clip import Clip
    from faceswap_gan.metrics.collector import Survey, Tools
    from faceswap_gan.metrics.evaluation import Evaluation
    from faceswap_gan.metrics.pairs import Pair
    from faceswap_gan.training.checkpoint import LoadedSwap

    Numbers = NDArray[np.int64]

log = logging.getLogger(__name__)

_KEPT = 25  # moments of which every video keeps a picture

Side = Literal["src", "dst"]


def run(
    swapped: Path,
    src: Path,
    dst: Path,
    *,
    recognizer: Path | None = None,
    model: Path | None = None,
    truth: Path | None = None,
    start: float | None = None,
    end: float | None = None,
    report: Path | None = None,
    weights_dir: Path | None = None,
    anchor_frames: int = 150,
    min_face: int = 0,
    seed: int = 0,
) -> None:
    """Measure a finished swap beside the footage, a still, a mesh swap and the model's own ceiling.

    Prints a table and writes a report: an HTML page that needs nothing else, and the same as JSON beside it.
    Faces are searched anew in every video, so one that is found no more counts as a failure.

    Args:
        swapped: the finished video.
        src: video of the person whose face it should show.
        dst: the footage it was made from.
        recognizer: ONNX network from ArcFace crops to embeddings, one that training did not use; without it the
            known one is looked for and downloaded.
        model: model folder, to show what it makes of src's own frames: the most it can do.
        truth: video of the true swap, where there is one.
        start: where in dst the swapped video begins, s: what convert was given.
        end: where in dst it ends, s.
        report: HTML page to write; without it, beside the swapped video.
        weights_dir: folder of pretrained files, for machines without a network.
        anchor_frames: frames on which what the swap is compared with is measured, in blocks over the video.
        min_face: side of the smallest face to look for, px; 0 takes two fifths of the first one found.
        seed: draws the intervals' blocks.

    Raises:
        FaceSwapError: a video, a network or a setting is not what it should be; nothing is written then.
    """
    from faceswap_gan.media.images import write_whole
    from faceswap_gan.metrics.clip import open_clips
    from faceswap_gan.metrics.html import to_html
    from faceswap_gan.metrics.report import check_page, show_table, to_json

    if anchor_frames < 15 or min_face < 0 or seed < 0:
        raise SettingsError(
            f"expected at least 15 --anchor-frames, and no --min-face and no --seed below 0, got {anchor_frames}, "
            f"{min_face} and {seed}."
        )
    videos = {"swapped": swapped, "src": src, "dst": dst} | ({} if truth is None else {"truth": truth})
    _check_files(videos)
    page = report if report is not None else swapped.with_name(f"{swapped.stem}_report.html")
    check_page(page)
    clips = open_clips(videos, start=start, end=end)
    bench = _open_bench(clips, recognizer, model, weights_dir, anchor_frames=anchor_frames, min_face=min_face)
    evaluation = _evaluate(bench, seed=seed)
    write_whole(page, to_html(evaluation).encode())
    write_whole(page.with_suffix(".json"), json.dumps(to_json(evaluation), indent=1).encode())
    show_table(evaluation)
    for flag in evaluation.media.flags:
        log.warning("media fault: %s", flag)
    log.info("report: %s and %s", page, page.with_suffix(".json").name)


def _check_files(videos: dict[str, Path]) -> None:
    for role, path in videos.items():
        if path.is_dir():
            raise MediaError(
                f"expected a video for --{role}, got the folder {path}; give a file, not a folder of pictures."
            )


@dataclass(frozen=True)
class _Bench:
    """All that is open for the measurement."""

    clips: dict[str, Clip]
    hashes: dict[str, str]
    tools: dict[str, Tools]
    mesh: MeshLandmarker
    topology: Topology
    recognizer: Recognizer
    model: LoadedSwap | None
    anchor_frames: int

    def read_pairs(self, role: str) -> Iterator[Pair]:
        """Read the footage's frames beside another video's; the footage's own beside themselves."""
        from faceswap_gan.metrics.clip import pair_clips
        from faceswap_gan.metrics.pairs import Pair

        if role == "dst":
            return (Pair(frame, frame.image) for frame in self.clips["dst"].read())
        return pair_clips(self.clips["dst"], self.clips[role])


def _open_bench(
    clips: dict[str, Clip], recognizer: Path | None, model: Path | None, weights_dir: Path | None,
    *, anchor_frames: int, min_face: int,
) -> _Bench:  # fmt: skip
    from faceswap_gan.faces.detector import FaceDetector
    from faceswap_gan.faces.mesh import MeshLandmarker, read_topology
    from faceswap_gan.faces.recognizer import Recognizer
    from faceswap_gan.media.weights import find_weights
    from faceswap_gan.metrics.collector import Tools
    from faceswap_gan.metrics.evaluation import file_facts
    from faceswap_gan.training.checkpoint import load_swap

    bundle = find_weights("face_landmarker", folder=weights_dir)
    judge = Recognizer(recognizer if recognizer is not None else find_weights("sface", folder=weights_dir))
    _check_recognizer(judge)
    loaded = None if model is None else load_swap(model, face="src")
    mesh, topology = MeshLandmarker(bundle), read_topology(bundle)
    smallest = {role: min_face or _probe(clips[role]) for role in ("src", "dst")}
    tools = {
        role: Tools(FaceDetector(min_size=size), mesh, judge, topology.vertices) for role, size in smallest.items()
    }
    return _Bench(
        clips=clips,
        hashes={role: file_facts(role, clip.path).sha256 for role, clip in clips.items()},
        tools=tools,
        mesh=mesh,
        topology=topology,
        recognizer=judge,
        model=loaded,
        anchor_frames=anchor_frames,
    )


def _check_recognizer(judge: Recognizer) -> None:
    from faceswap_gan.media.weights import WEIGHTS

    for entry in WEIGHTS.values():
        if entry.sha256 == judge.sha256 and "train" in entry.used_by:
            raise ModelError(f"expected a recogniser that training did not use, got {judge.path}; give another.")


def _probe(clip: Clip) -> int:
    """Look for the first face and say how small one is worth looking for, px."""
    from faceswap_gan.faces.detector import FaceDetector

    frames = [frame.image for frame in islice(clip.read(), 0, 25, 8)]
    widths = [face.width for faces in FaceDetector().detect(frames) for face in faces[:1]]
    return max(40, int(0.4 * min(widths))) if widths else 40


def _evaluate(bench: _Bench, *, seed: int) -> Evaluation:
    """Measure everything and gather it."""
    import numpy as np

    from faceswap_gan.metrics.evaluation import Evaluation, FileFacts, frames_a_second, judge_all, make_method
    from faceswap_gan.metrics.media_match import match_media
    from faceswap_gan.metrics.notes import make_notes
    from faceswap_gan.metrics.pictures import cut_worst, make_strips
    from faceswap_gan.metrics.scores import Judged, curves
    from faceswap_gan.metrics.worst import find_worst

    surveys = _survey_all(bench)
    judged = judge_all({name: survey.measured for name, survey in surveys.items()})
    swap, rng = judged["swap"], np.random.default_rng(seed)
    block, dst = frames_a_second(swap.footage), bench.clips["dst"]
    files = [FileFacts(role, clip.path.name, bench.hashes[role]) for role, clip in bench.clips.items()]
    shown = curves(Judged(swap.footage, swap.footage, swap.people))
    return Evaluation(
        files=(*files, FileFacts("recogniser", bench.recognizer.path.name, bench.recognizer.sha256)),
        media=match_media(bench.clips["swapped"].facts, dst.facts, is_part=dst.is_part),
        methods=tuple(make_method(name, entry, block=block, rng=rng) for name, entry in judged.items()),
        strips=make_strips(surveys),
        worst=cut_worst(find_worst(swap), bench.read_pairs("swapped"), swap.footage),
        notes=make_notes(
            swap,
            recognizer=bench.recognizer.path.name,
            anchor_frames=bench.anchor_frames,
            start=dst.start,
            end=dst.end,
        ),
        footage_curves={name: shown[name] for name in ("mouth", "eyes")},
    )


def _survey_all(bench: _Bench) -> dict[str, Survey]:
    """Measure the footage, src, and in the table's order all methods."""
    import numpy as np

    from faceswap_gan.metrics.collector import check_shown
    from faceswap_gan.metrics.evaluation import METHODS
    from faceswap_gan.metrics.pairs import Pair, choose_blocks, pick

    dst, source = bench.clips["dst"], bench.clips["src"]
    blocks = choose_blocks(len(dst.facts.seconds), bench.anchor_frames)
    keep = frozenset(blocks[np.linspace(0, len(blocks) - 1, _KEPT).astype(int)].tolist())
    chosen = choose_blocks(len(source.facts.seconds), bench.anchor_frames)
    frames = pick(source.read(), chosen)
    src = _survey(bench, "src", (Pair(f, f.image) for f in frames), "src", keep=frozenset(chosen.tolist()))
    check_shown(src, source.path, least=2)
    footage = _survey(bench, "dst", bench.read_pairs("dst"), "the footage", keep=keep)
    check_shown(footage, dst.path, least=1)
    surveys = {"footage": footage, "src": src, "swap": footage, "copy": footage}
    if dst.is_part or bench.hashes["swapped"] != bench.hashes["dst"]:
        surveys["swap"] = _survey(bench, "dst", bench.read_pairs("swapped"), "the swap", base=footage, keep=keep)
    blocks = blocks[np.isin(blocks, footage.measured.frames)]
    for name, painted in _anchors(bench, blocks, surveys):
        side: Side = "src" if name == "src_reconstructed" else "dst"
        base, kept = (src, frozenset(chosen.tolist())) if side == "src" else (footage, keep)
        pairs = (Pair(entry.frame, entry.image) for entry in painted)
        surveys[name] = _survey(bench, side, pairs, METHODS[name][0], base=base, keep=kept)
    if "truth" in bench.clips:
        surveys["truth"] = _survey(bench, "dst", bench.read_pairs("truth"), "the truth", base=footage, keep=keep)
    return surveys


def _anchors(
    bench: _Bench, blocks: Numbers, surveys: dict[str, Survey]
) -> Iterator[tuple[str, Iterator[SwappedFrame]]]:
    """Paint what the swap is compared with."""
    from faceswap_gan.conversion import anchors
    from faceswap_gan.metrics.collector import SIZE
    from faceswap_gan.metrics.pairs import pick

    def frames() -> Iterator[Frame]:
        return pick(bench.clips["dst"].read(), blocks)

    def place(shown: Iterator[Frame], survey: Survey) -> Iterator[FoundFrame]:
        at = survey.measured
        return anchors.place_faces(shown, at.frames, at.landmarks, at.matrices, size=SIZE)

    src = surveys["src"]
    crops = [src.crops[frame] for frame in sorted(src.crops)]
    yield "still", anchors.paste_still(place(frames(), surveys["footage"]), crops)
    matrices = dict(zip(src.measured.frames.tolist(), src.measured.matrices, strict=True))
    source = anchors.make_source(src.crops, src.meshes, matrices, bench.topology)
    yield "mesh_swap", anchors.mesh_swap_blocks(frames(), source, bench.mesh, bench.tools["dst"].detector)
    if bench.model is not None:
        own = place(pick(bench.clips["src"].read(), src.measured.frames), src)
        yield "src_reconstructed", anchors.reconstruct(own, bench.model.swap, size=bench.model.size)


def _survey(
    bench: _Bench, role: Side, pairs: Iterator[Pair], title: str,
    *, base: Survey | None = None, keep: frozenset[int],
) -> Survey:  # fmt: skip
    """Measure one video, showing how far it is."""
    from rich.console import Console
    from rich.progress import Progress

    from faceswap_gan.metrics.clip import find_tolerance
    from faceswap_gan.metrics.collector import survey
    from faceswap_gan.metrics.pairs import with_truth

    if "truth" in bench.clips and role == "dst":
        truth = bench.clips["truth"]
        pairs = with_truth(pairs, truth.read(), tolerance=find_tolerance(bench.clips["dst"], truth))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        shown = progress.track(pairs, total=None, description=f"measuring {title}")
        return survey(shown, bench.tools[role], footage=None if base is None else base.measured, keep=keep)


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("evaluate")
