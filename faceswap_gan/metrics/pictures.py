"""Pictures for a report: the same moments by every method, and the swap's worst frames beside the footage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.metrics.collector import SIZE, Survey
from faceswap_gan.metrics.evaluation import METHODS, Moment
from faceswap_gan.metrics.measured import Measured
from faceswap_gan.metrics.pairs import Pair
from faceswap_gan.metrics.worst import Bad

Image = NDArray[np.uint8]


_COLUMNS = 6  # moments shown side by side


def make_strips(surveys: Mapping[str, Survey]) -> dict[str, tuple[Moment, ...]]:
    """Choose what is shown of every method.

    Args:
        surveys: by name: `footage`, `src` and the methods.

    Returns:
        By heading, moments spread over time.
    """
    apart = ("src", "src_reconstructed", "footage", "copy")
    footage, src = surveys["footage"], surveys["src"]
    rows = {METHODS[name][0]: survey for name, survey in surveys.items() if name not in apart}
    strips = {"At a glance": make_strip({"footage": footage, **rows}, footage.measured, columns=_COLUMNS)}
    if "src_reconstructed" in surveys:
        both = {"src": src, METHODS["src_reconstructed"][0]: surveys["src_reconstructed"]}
        strips["The most the model can do"] = make_strip(both, src.measured, columns=_COLUMNS)
    return strips


def make_strip(surveys: Mapping[str, Survey], base: Measured, *, columns: int) -> tuple[Moment, ...]:
    """Choose moments of which every video kept a crop.

    Args:
        surveys: by title, the footage first.
        base: measurements of the footage.
        columns: how many moments at most.
    """
    common = sorted(set.intersection(*(set(survey.crops) for survey in surveys.values())))
    chosen = [common[i] for i in np.linspace(0, len(common) - 1, min(columns, len(common))).astype(int)]
    seconds = dict(zip(base.frames.tolist(), base.seconds.tolist(), strict=True))
    return tuple(
        Moment(frame, seconds[frame], "", {title: survey.crops[frame] for title, survey in surveys.items()})
        for frame in chosen
    )


def cut_worst(bad: Sequence[Bad], pairs: Iterable[Pair], footage: Measured) -> tuple[Moment, ...]:
    """Cut the worst frames out of both videos, where the footage's face is.

    Args:
        bad: which.
        pairs: the footage's frames beside the swap's, read up to the last one that is bad.
        footage: its measurements.

    Returns:
        In the order of ``bad``; those whose frame does not come are left out.
    """
    wanted = {entry.frame: entry for entry in bad}
    last = max(wanted, default=-1)
    moments: dict[int, Moment] = {}
    for pair in pairs:
        frame = pair.footage.index
        if frame > last:
            break
        if frame in wanted:
            row = int(np.searchsorted(footage.frames, frame))
            alignment = Alignment(footage.matrices[row], SIZE)
            pictures: dict[str, Image | None] = {
                "footage": alignment.crop(pair.footage.image),
                "swap": None if pair.image is None else alignment.crop(pair.image),
            }
            moments[frame] = Moment(frame, wanted[frame].seconds, wanted[frame].why, pictures)
    return tuple(moments[entry.frame] for entry in bad if entry.frame in moments)
