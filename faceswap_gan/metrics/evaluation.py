"""Everything that is known of a swap at the end: figures of all methods, faults, pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.metrics.bootstrap import Score
from faceswap_gan.metrics.identity import meet_people
from faceswap_gan.metrics.measured import Measured
from faceswap_gan.metrics.media_match import MediaMatch
from faceswap_gan.metrics.scores import Judged, curves, score_all

Image = NDArray[np.uint8]
Floats = NDArray[np.floating]

METHODS = {
    "swap": ("swap", "The finished video."),
    "copy": ("copy", "The footage itself: the floor of identity, the ceiling of everything else."),
    "still": ("still", "src's mean face pasted and recoloured: the right person who never moves."),
    "mesh_swap": ("mesh swap", "src's skin bent onto the footage's mesh, without training."),
    "src_reconstructed": (
        "src reconstructed",
        "What the model makes of src's own frames, pasted back and judged by these: the most it can do.",
    ),
    "truth": ("truth", "The true swap."),
}
"""Title and description of every method, in the order of the table."""


@dataclass(frozen=True)
class Method:
    """One column of the table.

    Attributes:
        name: key in the JSON.
        title: in tables.
        about: one sentence.
        scores: by metric.
        frames: how many were looked at.
        seconds: float64 (frames,), when they are shown.
        curves: per-frame values by name, float (frames,).
    """

    name: str
    title: str
    about: str
    scores: Mapping[str, Score]
    frames: int
    seconds: NDArray[np.float64]
    curves: Mapping[str, Floats]


@dataclass(frozen=True)
class FileFacts:
    """A file that took part: its role, name and sha256."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Moment:
    """Pictures of one moment.

    Attributes:
        frame: number of the footage's frame.
        seconds: when.
        caption: why it is shown.
        pictures: by title, aligned crops, RGB uint8 (S, S, 3); None where there is no such frame.
    """

    frame: int
    seconds: float
    caption: str
    pictures: Mapping[str, Image | None]


@dataclass(frozen=True)
class Evaluation:
    """A swap, evaluated.

    Attributes:
        files: that took part.
        media: what became of frames and sound.
        methods: the swap first, then what it is measured beside.
        strips: by heading, moments spread over time with every method's picture.
        worst: moments at which the swap is worst.
        notes: what the reader must know.
        footage_curves: openings of mouth and eyes in the footage, at the swap's frames.
    """

    files: tuple[FileFacts, ...]
    media: MediaMatch
    methods: tuple[Method, ...]
    strips: Mapping[str, tuple[Moment, ...]]
    worst: tuple[Moment, ...]
    notes: tuple[str, ...]
    footage_curves: Mapping[str, Floats]

    @property
    def swap(self) -> Method:
        """The swap itself."""
        return self.methods[0]


def make_method(name: str, judged: Judged, *, block: int, rng: np.random.Generator) -> Method:
    """Score a video as one method of an evaluation.

    Args:
        name: one of `METHODS`.
        judged: its measurements and what they are judged by.
        block: frames a block of the bootstrap.
        rng: source of randomness.
    """
    title, about = METHODS[name]
    scores = score_all(judged, block=block, rng=rng)
    return Method(name, title, about, scores, len(judged.own), judged.own.seconds, curves(judged))


def judge_all(surveys: Mapping[str, Measured]) -> dict[str, Judged]:
    """Lay each method's measurements beside what it is judged by.

    Args:
        surveys: measurements by name: `footage` and `src` (those of src's own frames), and the methods;
            `src_reconstructed` is judged by `src`, all others by `footage`; `truth` is the true swap.

    Returns:
        By name, every method.

    Raises:
        SettingsError: too few faces of one of the two people.
    """
    people = meet_people(surveys["src"].embeddings, surveys["footage"].embeddings)
    result = {}
    for name, own in surveys.items():
        if name in ("src", "footage"):
            continue
        base = surveys["src" if name == "src_reconstructed" else "footage"]
        has_truth = "truth" in surveys and name != "src_reconstructed"
        truth = surveys["truth"].take(own.frames) if has_truth else None
        result[name] = Judged(own, base.take(own.frames), people, truth)
    return result


def frames_a_second(measured: Measured) -> int:
    """How many frames make about a second, at least 1."""
    if len(measured) < 2:
        return 1
    return max(1, round(1 / max(float(np.median(np.diff(measured.seconds))), 1e-3)))


def file_facts(role: str, path: Path) -> FileFacts:
    """Name a file and hash it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return FileFacts(role, path.name, hashlib.file_digest(file, "sha256").hexdigest())


def sum_up(evaluation: Evaluation) -> Sequence[str]:
    """Say in a few sentences what the figures say; nothing where a figure is not defined."""
    lines = [_identity_line(evaluation), _motion_line(evaluation), _face_line(evaluation)]
    return [line for line in lines if line]


def _identity_line(evaluation: Evaluation) -> str:
    own = evaluation.swap.scores["transfer"]
    if not np.isfinite(own.value):
        return "The recogniser does not tell src and dst apart, so there is no identity to transfer."
    spread = f" (95 % interval {own.low:.2f} to {own.high:.2f})" if np.isfinite(own.low) else ""
    return (
        f"On the way from dst's identity (0) to src's (1) the swap came to {own.value:.2f}{spread}; "
        f"{100 * evaluation.swap.scores['nearer'].value:.0f} % of the frames are nearer to src than to dst. "
        f"Beside it: {_beside(evaluation, 'transfer', 2)}."
    )


def _motion_line(evaluation: Evaluation) -> str:
    mouth, gaze = (evaluation.swap.scores[name] for name in ("mouth_correlation", "gaze"))
    if not np.isfinite(mouth.value) or not np.isfinite(gaze.value):
        return ""
    return (
        f"The mouth opens with the footage's by a correlation of {mouth.value:.2f} "
        f"({_beside(evaluation, 'mouth_correlation', 2)}); the irises are {gaze.value:.1f} % of an eye's width off "
        f"({_beside(evaluation, 'gaze', 1)})."
    )


def _face_line(evaluation: Evaluation) -> str:
    lost = evaluation.swap.scores["failures"]
    return f"In {100 * lost.value:.1f} % of the frames no face is found any more." if lost.value > 0 else ""


def _beside(evaluation: Evaluation, name: str, digits: int) -> str:
    others = [(method.title, method.scores[name].value) for method in evaluation.methods[1:]]
    known = [(title, round(value, digits) + 0.0) for title, value in others if np.isfinite(value)]
    return ", ".join(f"{title} {value:.{digits}f}" for title, value in known)
