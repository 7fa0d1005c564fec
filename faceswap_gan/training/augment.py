"""Draw training samples from face crops: turn, warp, recolour and blur, one resampling for each picture.

All geometry of a sample is one map from output pixels to crop pixels, so each picture is interpolated once.
The maps cover what conversion feeds to the network, the whole crop, give or take the random turn, zoom and shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.config import Augmentation
from faceswap_gan.errors import SettingsError
from faceswap_gan.training.recolor import ColorDraws, ColorStatistics, color_changes, draw_colors, measure_colors

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_NODES = 5  # the warp's grid has 5 x 5 nodes, the outermost on the picture's border
_WARP = (5.0 / 256.0, 6.2 / 256.0)  # deviation of a node, in sides of the crop, drawn between these
_BLUR_SIDES = (5, 7, 9, 11)  # px of the output
OVERSAMPLING = 2
"""Resolution of crops, in that of the samples, beyond which nothing is gained: bilinear interpolation at half size is
the mean of 2 x 2 pixels, so none is skipped."""


@dataclass(frozen=True)
class Sample:
    """A batch of samples, as bytes: a network's pictures are ``x / 127.5 - 1``, its masks ``x / 255``."""

    warped: Bytes
    """Network input, uint8 RGB (N, size, size, 3)."""
    target: Bytes
    """What it must reproduce, uint8 RGB (N, size, size, 3)."""
    masks: Bytes
    """Masks of the target, such as eyes, mouth and face, uint8 (N, size, size, M), 255 = full weight."""


@dataclass(frozen=True)
class _Draws:
    """All that is random about a batch, drawn before any pixel is touched."""

    transforms: NDArray[np.complex128]  # (2, N): turn-zoom and shift of the region, sides of the crop
    mirrors: NDArray[np.bool_]  # (N,)
    nodes: NDArray[np.complex128]  # (N, 5, 5) displacements, sides of the crop
    colors: ColorDraws
    blur_sides: NDArray[np.int64]  # (N,) px; 0 = none
    blur_angles: NDArray[np.float64]  # (N,) degrees


def augment(
    faces: Sequence[Bytes] | Bytes,
    masks: Sequence[Bytes] | Bytes,
    *,
    size: int,
    settings: Augmentation,
    rng: np.random.Generator,
    colors: ColorStatistics | None = None,
    references: ColorStatistics | None = None,
) -> Sample:
    """Draw one sample from each face.

    The same faces, settings and state of rng give the same samples, in whatever thread. It draws fastest from crops
    of `OVERSAMPLING` times the samples' side whose colours are known.

    Args:
        faces: N crops, uint8 RGB (H, H, 3) each.
        masks: Masks of the crops, uint8 (H, H, M) each, M at least 1.
        size: Side of the samples, px.
        settings: How much they vary.
        rng: Source of all that is random.
        colors: Colours of the faces, in their order; None measures them.
        references: Colours of either person's faces, which may be taken on; None: those of the faces.

    Returns:
        The samples, in the faces' order.

    Raises:
        SettingsError: the shape of an array is not as above.
    """
    _check(faces, masks)
    colors = measure_colors(faces) if colors is None else colors
    references = colors if references is None else references
    draws = _draw(len(faces), len(references), settings=settings, rng=rng)
    changes = color_changes(colors, references, draws.colors)
    side = min(faces[0].shape[0], OVERSAMPLING * size)
    rows = _rows(draws, size=size, side=side)
    pictures, parts = _allocate(len(faces), size, masks[0].shape[2])
    desk = _Desk(size)
    for index, (face, mask) in enumerate(zip(faces, masks, strict=True)):
        crop = _shrink(face, side).copy()  # in one go: resampled from far memory it would take longer
        for role in range(2):
            picture = pictures[role, index]
            desk.lay(rows[index, :, role])
            desk.resample(crop, picture, change=changes.get(index))
            if draws.blur_sides[index]:
                picture[:] = _blur(picture, int(draws.blur_sides[index]), float(draws.blur_angles[index]))
        desk.resample(_shrink(mask, side).copy(), parts[index])  # by the map of the target, which came last
    return Sample(warped=pictures[0], target=pictures[1], masks=parts)


def _check(faces: Sequence[Bytes] | Bytes, masks: Sequence[Bytes] | Bytes) -> None:
    if len(faces) != len(masks) or not len(faces):
        raise SettingsError(f"expected as many masks as faces, at least one; got {len(masks)} and {len(faces)}.")
    side = faces[0].shape[0]
    for face, mask in zip(faces, masks, strict=True):
        if face.shape != (side, side, 3) or face.dtype != np.uint8:
            raise SettingsError(f"faces must be uint8 (N, H, H, 3); got one of {face.dtype} {face.shape}.")
        if mask.shape != (side, side, *masks[0].shape[2:3]) or mask.ndim != 3 or mask.dtype != np.uint8:
            raise SettingsError(f"masks must be uint8 {(side, side, 'M')}; got one of {mask.dtype} {mask.shape}.")


def _draw(count: int, others: int, *, settings: Augmentation, rng: np.random.Generator) -> _Draws:
    # every number is drawn whatever the settings: one setting changed leaves all other draws as they were
    turns = np.deg2rad(settings.rotation) * rng.uniform(-1.0, 1.0, count)
    scales = 1.0 + settings.zoom * rng.uniform(-1.0, 1.0, count)
    shifts = settings.shift * rng.uniform(-1.0, 1.0, (2, count))
    mirrors = rng.random(count) < settings.flip
    deviations = settings.warp * rng.uniform(*_WARP, count)
    nodes = rng.standard_normal((2, count, _NODES, _NODES))
    colors = draw_colors(count, others, probability=settings.color_match, rng=rng)
    blurred = rng.random(count) < settings.motion_blur
    blur_sides = rng.choice(_BLUR_SIDES, count)
    return _Draws(
        transforms=np.stack([np.exp(1j * turns) / scales, shifts[0] + 1j * shifts[1]]),
        mirrors=mirrors,
        nodes=deviations[:, None, None] * (nodes[0] + 1j * nodes[1]),
        colors=colors,
        blur_sides=np.where(blurred, blur_sides, 0),
        blur_angles=rng.uniform(-180.0, 180.0, count),
    )


def _rows(draws: _Draws, *, size: int, side: int) -> Floats:
    """Return where each row crosses the grid's columns of nodes: float32 (N, x | y, warped | target, S, 5).

    In px of the crop. Interpolated along x, that is the map of where each pixel comes from.

    Points are complex numbers x + iy in sides of the crop, seen from its middle. A warped picture's node lies
    at a regular node plus its displacement; a target's nodes lie where the similarity that fits the displaced
    nodes best puts them: the network must undo the bending, but not its mean turn. Both maps are bilinear
    between nodes, which is exact for the affine part.
    """
    axis = np.arange(_NODES) / (_NODES - 1) - 0.5
    regular = axis[None, :] + 1j * axis[:, None]
    displaced = regular + draws.nodes
    # least squares of a similarity from points centred on 0: Umeyama (1991), eq. 40-42, in the complex plane
    shift = displaced.mean(axis=(1, 2), keepdims=True)
    turn_zoom = (np.conj(regular) * displaced).sum(axis=(1, 2), keepdims=True) / (abs(regular) ** 2).sum()
    nodes = np.stack([displaced, turn_zoom * regular + shift], axis=1)  # (N, warped | target, 5, 5)
    mirrored = np.where(draws.mirrors[:, None, None, None], -np.conj(nodes), nodes)
    turn, move = draws.transforms[:, :, None, None, None]
    points = turn * (mirrored - move)
    corners = ((np.stack([points.real, points.imag], axis=1) + 0.5) * side - 0.5).astype(np.float32)
    return np.asarray(_interpolation(size) @ corners, np.float32)


def _allocate(count: int, size: int, masks: int) -> tuple[Bytes, Bytes]:
    """Make room for pictures (2, N, S, S, 3) and masks (N, S, S, M), in one block: of 4 MB on it has large pages."""
    pixels = count * size * size
    block = np.empty(pixels * (6 + masks), np.uint8)
    return block[: 6 * pixels].reshape(2, count, size, size, 3), block[6 * pixels :].reshape(count, size, size, masks)


class _Desk:
    """Resamples picture after picture on the same few arrays, which stay in the processor's cache.

    Args:
        size: side of the samples, px.
    """

    def __init__(self, size: int) -> None:
        self._columns = _interpolation(size).T
        self._grid = np.empty((2, size, size), np.float32)
        self._whole = np.empty((size, size, 2), np.int16)
        self._shares = np.empty((size, size), np.uint16)
        self._plain = np.empty((size, size, 3), np.uint8)

    def lay(self, rows: Floats) -> None:
        """Take another map, of one sample's `_rows`, (x | y, S, 5)."""
        x, y = np.matmul(rows, self._columns, out=self._grid)
        # whole px and 1/32 px, which is what OpenCV interpolates by
        cv2.convertMaps(x, y, cv2.CV_16SC2, dstmap1=self._whole, dstmap2=self._shares)

    def resample(self, picture: Bytes, out: Bytes, *, change: NDArray[np.float64] | None = None) -> None:
        """Write what the map takes from a picture to out, uint8 (S, S, M), its colours changed if so told."""
        maps = self._whole, self._shares
        to = out if change is None else self._plain
        cv2.remap(picture, *maps, cv2.INTER_LINEAR, dst=to, borderMode=cv2.BORDER_REPLICATE)
        if change is not None:
            cv2.transform(to, change, dst=out)


def _interpolation(size: int) -> Floats:
    """Return float32 (size, 5): shares of the nodes at each pixel's centre, the first node on the edge."""
    positions = (np.arange(size) + 0.5) / size * (_NODES - 1)
    return np.maximum(0.0, 1.0 - abs(positions[:, None] - np.arange(_NODES))).astype(np.float32)


def _shrink(image: Bytes, side: int) -> Bytes:
    if image.shape[0] <= side:
        return image
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(side, side, *image.shape[2:])  # OpenCV drops an axis of length 1


def _blur(picture: Bytes, side: int, angle: float) -> Bytes:
    """Blur a picture uint8 (S, S, 3) along a line of so many px at an angle in degrees."""
    line = np.zeros((side, side), np.float32)
    line[side // 2] = 1.0
    middle = (side - 1) / 2.0
    kernel = cv2.warpAffine(line, cv2.getRotationMatrix2D((middle, middle), angle, 1.0), (side, side))
    kernel /= kernel.sum()
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)
