"""What a swap should look like, shown by geometry: one person's pictures bent onto the other's pose and expression.

Two clips hold no frame of which the true swap is known. A face mesh makes one up, nearly: the other person's picture
nearest in pose and expression is bent, triangle by triangle, onto a mesh that has that person's shape and the
footage's pose, expression and gaze, and what is around it bends along. It lacks what no picture shows; a network that
learns from hundreds of them learns what they have in common.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import FaceFolderError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.hairline import bare_skin, find_beard, measure_beard
from faceswap_gan.faces.hulls import fill_hulls, part_mask
from faceswap_gan.faces.landmarks import LEAST_SCORES, LandmarkProvider, Landmarks
from faceswap_gan.faces.look import describe_look
from faceswap_gan.faces.mesh import Topology
from faceswap_gan.faces.mesh_choice import SourceChooser
from faceswap_gan.faces.mesh_eyes import turn_eyes
from faceswap_gan.faces.mesh_mask import face_width, paint_mask, soft_edge
from faceswap_gan.faces.mesh_shape import measure_difference, mix_meshes, resize_mesh
from faceswap_gan.faces.mesh_surroundings import surround
from faceswap_gan.faces.mesh_warp import map_back, rasterise, reduction, sample
from faceswap_gan.faces.topology import MESH_POINTS
from faceswap_gan.media.images import resize
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.threads import count_cores
from faceswap_gan.training.cover import cover
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.store import allocate

Bytes = NDArray[np.uint8]
Meshes = dict[int, Landmarks]
"""Meshes by the number of the face, in px of `FaceSet.faces`."""

FEWEST = 32
"""Faces of a person whose mesh must be found, or there are no lessons."""

_MOST = 2000  # lessons of a person
_FEATHER = 0.07  # width of the painted region's soft rim, in widths of the face
_RUN = 8  # neighbouring frames among them
_MOST_PICTURES = 240
_ASKED = 60  # faces that tell whether their person has a beard
_APART, _SHARE = 0.38, 0.35  # of a bent frame: time to the other moment, in clips; way to its mesh
_AHEAD = 7  # frames that the choice of a picture looks at
_BOX_SIDE, _BOX_RISE = 2.85, 0.215  # MTCNN's box in inter-ocular distances: side, and middle above the points'

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lessons:
    """Frames of one person's footage, and what each should look like painted as the other person."""

    frames: NDArray[np.int64]
    """Numbers of the faces in their `FaceSet`, (M,): ascending, then again those that were bent."""
    footage: Bytes
    """Those faces, RGB (M, S, S, 3), as they were filmed or bent."""
    footage_masks: Bytes
    """Eyes, mouth and painted region of the footage, (M, S, S, 3), 255 = full weight."""
    masks: Bytes
    """Eyes, mouth and painted region of the pictures, (M, S, S, 3), 255 = full weight."""
    pictures: Bytes
    """The same moment as the other person, with their hair and background, RGB (M, S, S, 3)."""
    trust: Bytes
    """How far each pixel of it is to be believed, (M, S, S, 1): the face only."""


def footage_lessons(faces: FaceSet) -> Lessons:
    """Make lessons that show the footage itself: the other person is the same."""
    crops, masks = faces.crops, faces.crop_masks
    return Lessons(np.arange(len(crops)), crops, masks, masks, crops, masks[..., 2:3])


def find_meshes(faces: FaceSet, open_provider: Callable[[], LandmarkProvider]) -> Meshes:
    """Find the mesh of every face, in threads.

    Args:
        faces: one person's.
        open_provider: opens a provider of 478 points; called once in each thread.

    Returns:
        The meshes that can be trusted.
    """
    own = threading.local()

    def find(index: int) -> Landmarks:
        if not hasattr(own, "provider"):
            own.provider = open_provider()
        picture = faces.faces[index]
        return own.provider.find(picture, _face_of(faces, index, len(picture)))  # type: ignore[no-any-return]

    with ThreadPoolExecutor(count_cores(), thread_name_prefix="meshes") as pool:
        found = list(pool.map(find, range(len(faces.faces))))
    return {index: mesh for index, mesh in enumerate(found) if mesh.score >= LEAST_SCORES["mesh"]}


def outline_faces(faces: FaceSet, meshes: Meshes) -> None:
    """Draw each face's painted region anew, in place, by its mesh: up to the hair and the jaw, and no further.

    Args:
        faces: one person's; the third of its masks is changed where a mesh is known.
        meshes: of `find_meshes`.
    """
    size = faces.crop_masks.shape[1]
    bearded = _has_beard(faces, meshes)
    for index, mesh in meshes.items():
        region = _bare_region(faces.faces[index], mesh, bearded=bearded)
        faces.masks[index, ..., 2] = region
        faces.crop_masks[index, ..., 2] = resize(region, size)


def _has_beard(faces: FaceSet, meshes: Meshes) -> bool:
    """Tell whether a person has a beard, by the median of some of their faces: one may be wrong, in a shadow."""
    asked = spread_runs(sorted(meshes), _ASKED, 1)
    beards = [measure_beard(faces.faces[index], meshes[index]) for index in asked]
    told = [beard for beard in beards if beard is not None]
    bearded = len(told) > len(asked) / 4 and float(np.median(told)) > 0.5
    if bearded:
        log.info("a beard belongs to the face: the chin is dark in most of %d pictures", len(told))
    return bearded


def make_lessons(
    people: Mapping[str, FaceSet], meshes: Mapping[str, Meshes], topology: Topology
) -> dict[str, Lessons]:
    """Make the lessons of both people's footage.

    Args:
        people: the faces of ``src`` and ``dst``, outlined by `outline_faces`.
        meshes: of both, see `find_meshes`.
        topology: how the mesh's points are joined.

    Returns:
        By whose footage it is: at most 2000 of its frames, runs of neighbours evenly spread.

    Raises:
        FaceFolderError: hardly a mesh was found.
    """
    for side in SIDES:
        if len(meshes[side]) < FEWEST:
            raise FaceFolderError(
                f"expected at least {FEWEST} faces of {side} whose mesh can be found, got {len(meshes[side])}; "
                "choose clearer footage, or train with --teacher none."
            )
    return {
        side: _Teacher(people[side], meshes[side], people[other], meshes[other], topology).teach(f"{side}'s footage")
        for side, other in zip(SIDES, reversed(SIDES), strict=True)
    }


class _Teacher:
    """Paints one person's footage with pictures of the other."""

    def __init__(
        self, footage: FaceSet, meshes: Meshes, person: FaceSet, own_meshes: Meshes, topology: Topology
    ) -> None:
        self._footage, self._meshes, self._person, self._topology = footage, meshes, person, topology
        self._side = footage.faces.shape[1]  # px; that of the person's pictures may differ
        self._own = {i: resize_mesh(mesh, self._side / person.faces.shape[1]) for i, mesh in own_meshes.items()}
        self._frames = spread_runs(sorted(meshes), _MOST, _RUN)
        self._pictures = spread_runs(sorted(own_meshes), _MOST_PICTURES, 1)
        self._wanted = [meshes[frame] for frame in self._frames]
        self._wanted += [self._vary(place) for place in range(min(len(self._frames), _MOST - len(self._frames)))]
        looks, theirs = self._looks(self._wanted), self._looks([self._own[picture] for picture in self._pictures])
        self._choice = _choose(SourceChooser(theirs), looks)
        filmed = slice(len(self._frames))
        apart = np.linalg.norm(looks - theirs[self._choice], axis=1)[filmed]
        near = np.argsort(apart)[: max(FEWEST, len(apart) // 2)]
        self._difference = measure_difference(
            self._wanted[filmed],
            [self._own[picture] for picture in self._pictures],
            np.stack([near, self._choice[near]], axis=1),
            topology,
        )

    def teach(self, name: str) -> Lessons:
        """Paint the lessons, in threads."""
        total, size = len(self._wanted), self._footage.crops.shape[1]
        room = allocate([(total, size, size, depth) for depth in (3, 3, 3, 3, 1)], name=name, what="lessons")

        def paint(number: int) -> None:
            for array, painted in zip(room, self._paint(number), strict=True):
                array[number] = painted.reshape(array.shape[1:])

        with ThreadPoolExecutor(count_cores(), thread_name_prefix="lessons") as pool:
            list(pool.map(paint, range(total)))
        footage, footage_masks, pictures, masks, trust = room
        frames = [self._frame(number) for number in range(total)]
        return Lessons(np.asarray(frames), footage, footage_masks, masks, pictures, trust)

    def _frame(self, number: int) -> int:
        return self._frames[number % len(self._frames)]

    def _vary(self, place: int) -> Landmarks:
        """Bend a frame's mesh some way to that of another moment, the same time apart for all frames."""
        total = len(self._frames)
        other = self._frames[(place + round(_APART * total)) % total]
        return mix_meshes(self._meshes[self._frames[place]], self._meshes[other], _SHARE)

    def _looks(self, meshes: list[Landmarks]) -> NDArray[np.float32]:
        return np.stack([describe_look(mesh, self._topology) for mesh in meshes])

    def _paint(self, number: int) -> tuple[Bytes, Bytes, Bytes, Bytes, Bytes]:
        """Paint one lesson: footage, its masks, picture, its masks, each (S, S, 3), and trust (S, S)."""
        frame, picture = self._frame(number), self._pictures[self._choice[number]]
        shape, size = self._footage.faces[frame].shape, self._footage.crops.shape[1]
        own, own_masks = self._footage.crops[frame], self._footage.crop_masks[frame]
        if number >= len(self._frames):
            source = np.dstack([self._footage.faces[frame], self._footage.masks[frame][..., 2]])
            varied, _ = self._bend(self._wanted[number], source, self._meshes[frame], shape)
            own, own_masks = resize(varied[..., :3], size), _masks(self._wanted[number], varied[..., 3], size)
        mesh = self._difference.apply(self._wanted[number], self._topology)
        theirs = np.dstack([self._person.faces[picture], self._person.masks[picture][..., 2]])
        source = resize(theirs, self._side)
        bent, trust = self._bend(mesh, source, self._own[picture], shape)
        # What lies at the rim of a bent picture's face is often hair, wherever that comes to lie.
        masks = _masks(mesh, np.minimum(_region(mesh, len(bent)), bent[..., 3]), size)
        lesson = resize(bent[..., :3], size), masks, resize(trust, size)
        brows = resize(part_mask("eyebrows", mesh, len(bent)), size)
        return own, own_masks, *cover(*lesson, brows=brows, face=own_masks[..., 2])

    def _bend(
        self, mesh: Landmarks, picture: Bytes, source: Landmarks, shape: tuple[int, ...]
    ) -> tuple[Bytes, Bytes]:
        """Bend a picture and its face's soft edge (R, R, 4) onto a mesh: the same, and how far to trust it (R, R)."""
        triangles = self._topology.triangles
        dst, src = mesh.points[:MESH_POINTS], source.points[:MESH_POINTS]
        raster = rasterise(dst, triangles, shape, depth=None if mesh.depth is None else mesh.depth[:MESH_POINTS])
        there = map_back(raster, dst, src, triangles)
        turn_eyes(there, raster, mesh.points, source.points)
        bent = sample(picture, surround(there, raster, shape), reduction(src, dst, triangles))
        edge, trust = np.zeros(raster.triangles.shape, np.float32), np.zeros(shape[:2], np.uint8)
        place, part = raster.overlap(shape)
        edge[part] = bent[place][..., 3].astype(np.float32) / np.float32(255)
        trust[place] = np.rint(255 * paint_mask(raster, edge, mesh, source, triangles))[part]
        return bent, trust


def spread_runs(indices: list[int], most: int, run: int) -> list[int]:
    """Choose at most so many of some numbers: runs of neighbours, evenly spread; all where they are few enough."""
    if len(indices) <= most:
        return indices
    starts = np.linspace(0, len(indices) - run, most // run).astype(int)
    return [indices[place] for place in np.unique(starts[:, None] + np.arange(run))]


def _choose(chooser: SourceChooser, looks: NDArray[np.float32]) -> NDArray[np.int64]:
    """Choose a picture for each frame, in their order."""
    chosen: list[int] = []
    for index in range(len(looks)):
        chosen.append(chooser.choose(looks[index : index + _AHEAD], chosen[-1] if chosen else None))
    return np.asarray(chosen)


def _face_of(faces: FaceSet, index: int, side: int) -> Face:
    """Say where a face lies in its own picture, px: about where the detector's box would be."""
    points = template(side)
    if faces.landmarks is not None and np.isfinite(faces.landmarks[index]).all():
        points = (faces.landmarks[index] + 0.5) * (side / faces.crops.shape[1]) - 0.5
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    unit = max(np.hypot(*(points[1] - points[0])), np.hypot(*(mouth - eyes)) / 1.1)
    middle = (eyes + mouth) / 2.0 - [0.0, _BOX_RISE * unit]
    box = np.concatenate([middle - _BOX_SIDE * unit / 2.0, middle + _BOX_SIDE * unit / 2.0])
    return Face(box.astype(np.float32), points.astype(np.float32), 1.0)


def _region(mesh: Landmarks, side: int) -> Bytes:
    """Draw the region of a crop that a mesh covers, soft at its rim: uint8 (side, side)."""
    covered = fill_hulls([mesh.points[:MESH_POINTS]], (side, side))
    return np.rint(255 * soft_edge(covered, _FEATHER * face_width(mesh.points))).astype(np.uint8)


def _bare_region(image: Bytes, mesh: Landmarks, *, bearded: bool) -> Bytes:
    """Draw the same in the face's own picture (side, side, 3), where hair is left out and a beard is not."""
    bare = np.rint(255 * bare_skin(image, mesh, bearded=bearded)).astype(np.uint8)
    region = np.minimum(_region(mesh, len(image)), bare)
    return np.maximum(region, np.rint(255 * find_beard(image, mesh)).astype(np.uint8)) if bearded else region


def _masks(mesh: Landmarks, region: Bytes, size: int) -> Bytes:
    """Stack a mesh's eyes and mouth and the painted region (side, side), shrunk: (size, size, 3)."""
    parts = part_mask("eyes", mesh, len(region)), part_mask("mouth", mesh, len(region)), region
    return np.dstack([resize(part, size) for part in parts])
