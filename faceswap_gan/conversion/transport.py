"""Sliced optimal transport from the colours of one face to those of another."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

NODES = 9
"""Nodes of a cube along each axis, from level 0 to 255."""

_SAMPLES = 1024
_ROUNDS = 12
_PAINTED = 0.5
_LEAST_SAMPLES = 16
_PRIOR = 4.0  # samples' worth of the affine part alone in each node
_SPREAD = 2  # passes of smoothing: colours between and around the face's own
_FLAT = 4.0  # variance, in squared levels, added to the colours': a flat face is shifted, not stretched


def transport_cube(painted: Floats, target: Floats, weight: Floats) -> Floats:
    """Find what colours become so that a painted face has the joint distribution of the one underneath.

    Colours are drawn from the painted pixels, moved along three orthogonal axes at a time so that both faces have
    the same distribution on each. Where they went is described by the nearest affine map and, on a grid, what that
    leaves over: pixels of like colour are moved alike, and far from the face's own colours the affine map holds.

    Args:
        painted: swapped face, float32 (S, S, 3) in [0, 255].
        target: the crop it covers, float32 (S, S, 3) in [0, 255].
        weight: where the face is painted, float (S, S); pixels above 0.5 count.

    Returns:
        What each node of a grid over RGB becomes, float32 (9, 9, 9, 3) in levels, not clipped; node (i, j, k) is
        the colour (i, j, k) / 8 * 255. Every colour stays where hardly a pixel is painted.

    References:
        Pitie, Kokaram, Dahyot, "N-dimensional probability density function transfer and its application to colour
        transfer", ICCV 2005, alg. 1; Rabin, Peyre, Delon, Bernot, "Wasserstein barycenter and its application to
        texture mixing", SSVM 2011, eq. 8.
    """
    places = np.flatnonzero(weight > _PAINTED)
    if len(places) < _LEAST_SAMPLES:
        return _nodes().copy()
    places = places[np.linspace(0, len(places) - 1, min(_SAMPLES, len(places))).astype(np.intp)]
    before, wanted = painted.reshape(-1, 3)[places], target.reshape(-1, 3)[places]
    moved = before.copy()
    for axes in _rotations():
        turned, goal = moved @ axes, np.sort(wanted @ axes, axis=0)
        order = np.argsort(turned, axis=0, kind="stable")
        step = np.empty_like(turned)
        np.put_along_axis(step, order, goal - np.take_along_axis(turned, order, axis=0), axis=0)
        moved += step @ axes.T
    return _spread(before, moved - before)


def apply_cube(cube: Floats, image: Floats) -> Floats:
    """Recolour a picture by a grid, linearly between its nodes.

    Args:
        cube: float32 (n, n, n, 3), see `transport_cube`.
        image: float32 (H, W, 3) in [0, 255].

    Returns:
        float32 (H, W, 3), clipped to [0, 255].
    """
    places, shares = _corners(image.reshape(-1, 3), len(cube))
    nodes = cube.reshape(-1, 3)
    result = np.zeros((len(places[0]), 3), np.float32)
    for place, share in zip(places, shares, strict=True):
        result += share[:, None] * nodes.take(place, axis=0)
    return result.reshape(image.shape).clip(0, 255)


@lru_cache(maxsize=1)
def _rotations() -> Floats:
    """Orthogonal axes, float32 (rounds, 3, 3): the same ones for every frame, so that nothing flickers."""
    rng = np.random.default_rng(0)
    turns = [np.eye(3)] + [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(_ROUNDS - 1)]
    return np.asarray(turns, np.float32)


@lru_cache(maxsize=1)
def _nodes() -> Floats:
    axis = np.linspace(0, 255, NODES, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def _spread(colours: Floats, steps: Floats) -> Floats:
    """Describe scattered steps by an affine map and, on the grid, the smoothed rest."""
    mean, centre = steps.mean(axis=0), colours.mean(axis=0)
    around = colours - centre
    covariance = around.T @ around / len(around) + _FLAT * np.eye(3, dtype=np.float32)
    linear = np.linalg.solve(covariance, around.T @ (steps - mean) / len(around))
    rest = steps - mean - around @ linear
    places, shares = _corners(colours, NODES)
    count = NODES**3
    at, share = places.ravel(), shares.ravel()
    mass = np.bincount(at, weights=share, minlength=count)
    rows = np.tile(rest, (len(places), 1))
    sums = np.stack([np.bincount(at, weights=share * rows[:, c], minlength=count) for c in range(3)], axis=-1)
    field = np.concatenate([sums, mass[:, None]], axis=1).reshape(NODES, NODES, NODES, 4)
    for axis in range(3):
        for _ in range(_SPREAD):
            field = _blur(field, axis)
    affine = mean + (_nodes() - centre) @ linear
    return np.asarray(_nodes() + affine + field[..., :3] / (field[..., 3:] + _PRIOR), np.float32)


def _blur(field: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    """Average each node with its neighbours along an axis, (1 2 1) / 4, borders repeated."""
    ahead = np.take(field, np.minimum(np.arange(NODES) + 1, NODES - 1), axis=axis)
    behind = np.take(field, np.maximum(np.arange(NODES) - 1, 0), axis=axis)
    return np.asarray(field / 2 + (ahead + behind) / 4)


def _corners(colours: Floats, count: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Find the eight nodes around each colour, (8, n), and their shares, float32 (8, n)."""
    place = colours.clip(0, 255) * np.float32((count - 1) / 255)
    low = np.minimum(place.astype(np.intp), count - 2)
    part = (place - low.astype(np.float32)).T
    start = (low[:, 0] * count + low[:, 1]) * count + low[:, 2]
    places, shares = [], []
    for corner in range(8):
        bits = [corner >> 2 & 1, corner >> 1 & 1, corner & 1]
        places.append(start + (bits[0] * count + bits[1]) * count + bits[2])
        ends = [part[c] if bit else 1 - part[c] for c, bit in enumerate(bits)]
        shares.append(ends[0] * ends[1] * ends[2])
    return np.stack(places), np.stack(shares)
