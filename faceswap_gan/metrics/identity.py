"""Whose face it is: cosines of a recogniser's embeddings.

A recogniser maps a face to a vector whose direction tells the person (Deng et al., "ArcFace", 2019); the cosine
of two vectors tells how alike they are. The recogniser that judges must not be one that training used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import SettingsError

Floats = NDArray[np.floating]

_LEAST_SPAN = 0.05  # between floor and ceiling: measured 0.01 on one clip against itself, 0.9 on two people


@dataclass(frozen=True)
class People:
    """The two people as the recogniser sees them.

    Attributes:
        src: mean of src's unit embeddings, float64 (D,); its product with an embedding is the mean cosine to
            all of src's frames.
        dst: the same of dst.
        floor: mean cosine of dst's frames to src's.
        ceiling: mean cosine of src's frames to each other, each to all but itself.
    """

    src: NDArray[np.float64]
    dst: NDArray[np.float64]
    floor: float
    ceiling: float


def meet_people(src: Floats, dst: Floats) -> People:
    """Learn the two people, and with them the scale on which a swap is judged.

    Args:
        src: unit embeddings of src's frames, (n, D); rows of NaN (no face) are left out.
        dst: unit embeddings of dst's frames, (m, D).

    Raises:
        SettingsError: fewer than two embeddings of src, or none of dst.
    """
    src, dst = (rows[np.isfinite(rows).all(axis=1)].astype(np.float64) for rows in (src, dst))
    if len(src) < 2 or not len(dst):
        raise SettingsError(
            f"expected at least 2 faces of src and 1 of dst to compare with, got {len(src)} and {len(dst)}; "
            "choose videos that show the faces larger or longer."
        )
    mean_src, mean_dst = src.mean(axis=0), dst.mean(axis=0)
    total = float(np.sum(src.sum(axis=0) ** 2) - np.sum(src**2))
    ceiling = total / (len(src) * (len(src) - 1))
    return People(mean_src, mean_dst, floor=float(mean_dst @ mean_src), ceiling=ceiling)


def cosines(embeddings: Floats, person: Floats) -> NDArray[np.float64]:
    """Mean cosine of each frame's face to a person's frames.

    Args:
        embeddings: unit vectors (n, D); NaN where no face was found.
        person: mean of the person's unit embeddings, (D,).

    Returns:
        float64 (n,) in [-1, 1]; NaN where no face was found.
    """
    return np.asarray(np.asarray(embeddings, np.float64) @ person)


def transfer(embeddings: Floats, people: People, *, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far each frame's face has come from dst to src: 0 is dst itself, 1 another frame of src.

    (cos(frame, src) - cos(dst, src)) / (cos(src, src) - cos(dst, src)), a swap's identity gain on the scale
    that this pair allows. May lie outside [0, 1].

    Args:
        embeddings: unit vectors (n, D); NaN where no face was found.
        people: the scale.
        shown: bool (n,), whether dst shows a face there, so that the frame is to be judged.

    Returns:
        float64 (n,): a frame without the face it should have counts 0, one not to be judged NaN. All NaN when
        the recogniser does not tell the two people apart (the same person, say).
    """
    span = people.ceiling - people.floor
    if span < _LEAST_SPAN:
        return np.full(len(embeddings), np.nan)
    gained = (cosines(embeddings, people.src) - people.floor) / span
    return np.where(shown, np.nan_to_num(gained, nan=0.0), np.nan)


def nearer(embeddings: Floats, people: People, *, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whether each frame's face is nearer to src than to dst.

    Args:
        embeddings: unit vectors (n, D); NaN where no face was found.
        people: the two.
        shown: bool (n,), whether the frame is to be judged.

    Returns:
        float64 (n,): 1 if its mean cosine to src's frames is above that to dst's; 0 if not, or if no face was
        found; NaN where the frame is not to be judged.
    """
    is_nearer = cosines(embeddings, people.src) > cosines(embeddings, people.dst)
    return np.where(shown, is_nearer.astype(np.float64), np.nan)
