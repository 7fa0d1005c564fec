"""Frames to frames whose faces are painted with the bent skin of another: a swap without training."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.blending import Layer, Picture, lay, under
from faceswap_gan.conversion.color import LEVELS, ColorMap, SteadyColor, match
from faceswap_gan.conversion.finish import ColorMethod
from faceswap_gan.conversion.mesh_source import MeshSource
from faceswap_gan.conversion.mesh_tracks import MeshFrame, SparseDetector, follow_meshes
from faceswap_gan.conversion.swapper import SwappedFrame, untouched
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.landmarks import LandmarkProvider, Landmarks
from faceswap_gan.faces.look import describe_look
from faceswap_gan.faces.mesh_choice import Fade, Share, SourceChooser
from faceswap_gan.faces.mesh_eyes import turn_eyes
from faceswap_gan.faces.mesh_mask import FEATHER, face_width, paint_mask, soft_edge, source_edge
from faceswap_gan.faces.mesh_warp import Array, Floats, Image, Raster, map_back, rasterise, reduction, sample
from faceswap_gan.faces.topology import MESH_POINTS
from faceswap_gan.media.video import Frame

Blend = Literal["feather", "seamless"]

_AHEAD = 6
_COARSE = 4  # one pixel of so many along each side tells the colours
_PAD = 3


def mesh_swap_frames(
    frames: Iterable[Frame],
    source: MeshSource,
    provider: LandmarkProvider,
    *,
    detector: FaceDetector | None = None,
    blend: Blend = "feather",
    color: ColorMethod = "mean_std",
    max_faces: int = 1,
) -> Iterator[SwappedFrame]:
    """Paint the source's face over the faces of a video, without any training.

    Each frame takes the source picture nearest in pose and expression, held long enough not to flicker, bends it
    triangle by triangle onto the frame's mesh, turns its irises as the frame's are, and blends it in. Memory is
    bounded: some forty frames are held.

    Args:
        frames: of one video, in order.
        source: the person to paint.
        provider: gives 478 points a face.
        detector: finds the faces; a `SparseDetector` if None.
        blend: ``feather``: a soft edge, colours by ``color``; ``seamless``: the colours of the edge spread over
            the face by Poisson's equation, slower and less steady.
        color: how the painted colours are brought to the frame's, see `match`.
        max_faces: people to paint per frame.

    Yields:
        Every frame, in order; unchanged where no face was found.

    Raises:
        SettingsError: an unknown ``blend`` or ``color``, or a provider without a mesh.

    References:
        Perez, Gangnet, Blake, "Poisson image editing", ACM Transactions on Graphics 22 (2003).
    """
    if blend not in ("feather", "seamless"):
        raise SettingsError(f"expected --blend feather or seamless, got {blend!r}.")
    painter = _MeshPainter(source, blend=blend, color=color)
    detector = SparseDetector() if detector is None else detector
    waiting: deque[tuple[MeshFrame, dict[int, Floats]]] = deque()
    for entry in follow_meshes(frames, provider, detector, max_faces=max_faces):
        waiting.append((entry, {t: describe_look(mesh, source.topology) for t, mesh in entry.meshes.items()}))
        if len(waiting) > _AHEAD:
            yield painter.paint(waiting)
            waiting.popleft()
    while waiting:
        yield painter.paint(waiting)
        waiting.popleft()


@dataclass
class _Person:
    """What lasts from frame to frame of one followed face."""

    fade: Fade
    color: SteadyColor = field(default_factory=SteadyColor)


class _MeshPainter:
    """Paints frame after frame; remembers each person's picture and colours."""

    def __init__(self, source: MeshSource, *, blend: Blend, color: ColorMethod) -> None:
        self._source, self._blend, self._color = source, blend, color
        chooser = SourceChooser(source.looks())
        self._chooser = chooser
        self._edged: dict[int, Image] = {}
        self._people: defaultdict[int, _Person] = defaultdict(lambda: _Person(Fade(chooser)))

    def paint(self, waiting: deque[tuple[MeshFrame, dict[int, Floats]]]) -> SwappedFrame:
        """Paint the first of some consecutive frames."""
        entry = waiting[0][0]
        done = untouched(entry.frame)
        if not entry.meshes:
            return done
        image, mask = done.image.copy(), done.mask
        for track, mesh in entry.meshes.items():
            person = self._people[track]
            wanted = np.stack([looks[track] for _, looks in waiting if track in looks])
            picture = self._chooser.choose(wanted, person.fade.picture)
            shares = person.fade.update(picture, entry.frame.seconds)
            self._paint_face(image, mask, mesh, shares, person.color, entry.frame.seconds)
        return replace(done, image=image, mask=mask, faces=len(entry.meshes))

    def _paint_face(
        self, image: Picture, mask: Image, mesh: Landmarks, shares: tuple[Share, ...], steady: SteadyColor, at: float
    ) -> None:
        """Lay a face into a frame and its mask, in place; the levels are those of 8 bits up to the last step."""
        triangles = self._source.topology.triangles
        margin = int(np.ceil(FEATHER * face_width(mesh.points))) + _PAD
        depth = None if mesh.depth is None else mesh.depth[:MESH_POINTS]
        raster = rasterise(mesh.points[:MESH_POINTS], triangles, image.shape, depth=depth, margin=margin)
        place, part = raster.overlap(image.shape)
        below = under(image, place)
        if not below.size:
            return
        layers = [self._layer(raster, mesh, share) for share in shares]
        painted, alpha = (np.asarray(x, np.float32)[part] for x in _mix(layers, shares))
        painted = self._recolour(painted, below, alpha, steady, at)
        if self._blend == "seamless":
            # Well inside the face: hair at its rim would tint it all.
            inner = soft_edge(raster.covered, FEATHER * face_width(mesh.points))[part] > 0.5
            painted = _seamless(below, painted, inner)
        lay(image, mask, Layer(place, painted, alpha))

    def _layer(self, raster: Raster, mesh: Landmarks, share: Share) -> tuple[Image, Floats]:
        """Bend one picture onto a mesh: its colours and how much of it shows, over the raster."""
        picture = self._source.pictures[share.picture]
        triangles = self._source.topology.triangles
        dst, src = mesh.points[:MESH_POINTS], picture.mesh.points[:MESH_POINTS]
        there = map_back(raster, dst, src, triangles)
        turn_eyes(there, raster, mesh.points, picture.mesh.points)
        layer = sample(self._with_edge(share.picture), there, reduction(src, dst, triangles))
        edge = np.asarray(layer[..., 3] / np.float32(255), np.float32)
        return layer[..., :3], paint_mask(raster, edge, mesh, picture.mesh, triangles)

    def _with_edge(self, number: int) -> Image:
        """A source picture with its face's soft edge as fourth channel, drawn when it is first needed."""
        if number not in self._edged:
            picture = self._source.pictures[number]
            edge = source_edge(picture.image, picture.mesh, self._source.topology.triangles)
            self._edged[number] = np.dstack([picture.image, edge])
        return self._edged[number]

    def _recolour(self, painted: Floats, below: Floats, alpha: Floats, steady: SteadyColor, at: float) -> Floats:
        if self._color == "none":
            return painted
        few = np.s_[::_COARSE, ::_COARSE]
        found = match(painted[few], below[few], alpha[few], method=self._color)
        return _apply(steady.update(found, at), painted)


def _mix(layers: list[tuple[Image, Floats]], shares: tuple[Share, ...]) -> tuple[Array, Floats]:
    """Mix the layers of a fade by their shares."""
    if len(layers) == 1:
        return layers[0]
    alphas = [share.weight * alpha for share, (_, alpha) in zip(shares, layers, strict=True)]
    alpha = np.minimum(np.sum(alphas, axis=0), 1)
    whole = np.maximum(alpha, 1e-6)
    colours = np.sum([(a / whole)[..., None] * c for a, (c, _) in zip(alphas, layers, strict=True)], axis=0)
    return colours, alpha


def _apply(found: ColorMap, image: Floats) -> Floats:
    """Recolour whole levels by table: as `ColorMap.apply`, faster where each channel goes by itself."""
    if found.kind not in ("rgb", "curves"):
        return found.apply(image)
    levels = np.repeat(LEVELS[:, None, None], 3, axis=2)
    table = found.apply(levels)
    return np.asarray(cv2.LUT(np.rint(image).astype(np.uint8), table), np.float32).clip(0, 255)


def _seamless(below: Floats, painted: Floats, inner: npt.NDArray[np.bool_]) -> Floats:
    """Spread the colours of a region's border over what is painted in it, float32 (h, w, 3).

    The picture is continued beyond its border first: cloning fails where a region touches it.
    """
    sides = (_PAD, _PAD, _PAD, _PAD)
    target, patch = (
        cv2.copyMakeBorder(np.rint(x).astype(np.uint8), *sides, cv2.BORDER_REPLICATE) for x in (below, painted)
    )
    region = cv2.copyMakeBorder(inner * np.uint8(255), *sides, cv2.BORDER_CONSTANT, value=0)
    x, y, width, height = cv2.boundingRect(region)
    if min(width, height) < 2 * _PAD:
        return painted
    # The middle as the function computes it from the mask's box: another one would shift the face.
    middle = (x + width // 2, y + height // 2)
    cloned = cv2.seamlessClone(patch, target, region, middle, cv2.NORMAL_CLONE)
    return np.asarray(cloned[_PAD:-_PAD, _PAD:-_PAD], np.float32)
