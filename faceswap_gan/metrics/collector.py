"""A video to per-frame measurements, in one pass: faces, mesh, identity and looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import NoFaceError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.finder import FoundFrame, find_faces
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.landmarks import LEAST_SCORES, Landmarks
from faceswap_gan.faces.recognizer import recognition_crop
from faceswap_gan.faces.topology import FACE_OVAL, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from faceswap_gan.media.video import Frame
from faceswap_gan.metrics.appearance import change_outside, find_region, look_at
from faceswap_gan.metrics.measured import Measured, Row, stack_rows
from faceswap_gan.metrics.pairs import Pair
from faceswap_gan.metrics.pose import rotation
from faceswap_gan.metrics.reconstruction import psnr, ssim

Image = NDArray[np.uint8]

SIZE = 256
"""Side of the aligned crops in which looks are measured, px."""

_PERFECT = 100.0  # dB, for equal pictures
_AHEAD = 16  # frames on their way through the second thread
_MOST_PEOPLE = 4  # among whom the footage's person is looked for in another video
_NEAR = 1.0  # distance of a face from the footage's at which it is another's, in distances between the eyes


class Mesh(Protocol):
    """Finds the 478 points of a face; see `faces.mesh.MeshLandmarker`."""

    def find(self, image: Image, face: Face) -> Landmarks:
        """Find them where the detector saw a face."""

    def follow(self, image: Image, previous: Landmarks) -> Landmarks:
        """Find them near where they were in the frame before."""


class Embedder(Protocol):
    """Tells people apart; see `faces.recognizer.Recognizer`."""

    def embed(self, crop: Image) -> NDArray[np.float32]:
        """Embed a crop of 112 px."""


@dataclass(frozen=True)
class Tools:
    """The networks that look at faces.

    Attributes:
        detector: finds faces.
        mesh: finds their points.
        recognizer: tells whose they are.
        head: the mesh's canonical vertices, float32 (468, 3).
    """

    detector: FaceDetector
    mesh: Mesh
    recognizer: Embedder
    head: NDArray[np.float32]


@dataclass(frozen=True)
class Survey:
    """A video, measured.

    Attributes:
        measured: every frame that was looked at.
        crops: pictures that were asked for, RGB uint8 (SIZE, SIZE, 3) by frame number, cut out by the footage's
            alignment.
        meshes: the faces found in them, px of the whole frame.
    """

    measured: Measured
    crops: dict[int, Image] = field(default_factory=dict)
    meshes: dict[int, Landmarks] = field(default_factory=dict)


def survey(
    pairs: Iterable[Pair], tools: Tools, *, footage: Measured | None = None, keep: frozenset[int] = frozenset()
) -> Survey:
    """Measure a video.

    Its faces are searched anew, so that a face that cannot be found any more counts. Detection runs in this
    thread, everything else in a second one. Frames that do not follow each other start a new search. Of several
    people the strongest is measured in the footage, and in another video whoever is where the footage has that one.

    Args:
        pairs: the footage's frames in order, each with the video's.
        tools: what to look with.
        footage: measurements of the footage, which say where its face is; None if the video is the footage.
        keep: numbers of the frames whose crops to keep.
    """
    worker = _Worker(tools, footage, keep)
    running: deque[Future[Row]] = deque()
    rows: list[Row] = []
    with ThreadPoolExecutor(1) as pool:
        for run in _runs(pairs):
            pool.submit(worker.start_run).result()
            for pair, faces in _search(run, tools.detector, most=1 if footage is None else _MOST_PEOPLE):
                running.append(pool.submit(worker.look, pair, faces))
                if len(running) > _AHEAD:
                    rows.append(running.popleft().result())
        rows.extend(future.result() for future in running)
    known = 1 if footage is None else footage.embeddings.shape[1]
    width = next((len(row.values["embeddings"]) for row in rows if "embeddings" in row.values), known)
    return Survey(stack_rows(rows, width=width), worker.crops, worker.meshes)


def check_shown(survey: Survey, path: Path, *, least: int) -> None:
    """Refuse a video that shows too little of its person.

    Args:
        survey: of the video.
        path: its file.
        least: frames in which a face must be found.

    Raises:
        NoFaceError: there are fewer.
    """
    count = int(survey.measured.found.sum())
    if count < least:
        wanted = "a face" if least == 1 else f"a face in at least {least} frames"
        raise NoFaceError(
            f"expected {wanted} of {path}, got {count or 'none'}; give a smaller --min-face or another video."
        )


def _runs(pairs: Iterable[Pair]) -> Iterator[Iterator[Pair]]:
    """Split where the footage's frames do not follow each other."""
    numbered = groupby(enumerate(pairs), key=lambda entry: entry[1].footage.index - entry[0])
    for _, run in numbered:
        yield (pair for _, pair in run)


def _search(run: Iterator[Pair], detector: FaceDetector, *, most: int) -> Iterator[tuple[Pair, FoundFrame | None]]:
    """Find the faces of a run; frames that the video lacks pass through, in their place."""
    waiting: deque[Pair] = deque()

    def frames() -> Iterator[Frame]:
        for pair in run:
            waiting.append(pair)
            if pair.image is not None:
                at = pair.footage
                yield Frame(at.index, at.pts, at.time_base, pair.image, at.duration)

    for found in find_faces(frames(), detector, size=SIZE, max_faces=most):
        while (pair := waiting.popleft()).footage.index != found.frame.index:
            yield pair, None
        yield pair, found
    for pair in waiting:
        yield pair, None


class _Worker:
    """Measures frame after frame; remembers the mesh from one to the next."""

    def __init__(self, tools: Tools, footage: Measured | None, keep: frozenset[int]) -> None:
        self._tools, self._footage, self._keep = tools, footage, keep
        self._previous: Landmarks | None = None
        self._track = -1
        self.crops: dict[int, Image] = {}
        self.meshes: dict[int, Landmarks] = {}

    def start_run(self) -> None:
        """Forget the frame before."""
        self._previous = None

    def look(self, pair: Pair, found: FoundFrame | None) -> Row:
        """Measure one frame."""
        at = pair.footage
        if found is None or pair.image is None:
            self._previous = None
            return Row(at.index, at.seconds, False, False, {})
        values: dict[str, Any] = {}
        mesh, crop = None, self._choose(found, at.index)
        if crop is not None and crop.face is not None:
            mesh = self._find_mesh(pair.image, crop.face, crop.track)
            if mesh is not None:
                values |= self._describe(pair.image, crop.face, mesh)
                values["matrices"] = _matrix(crop)
        self._previous = mesh
        values |= self._compare(pair, values, mesh)
        return Row(at.index, at.seconds, True, mesh is not None, values)

    def _choose(self, found: FoundFrame, number: int) -> FaceCrop | None:
        """Take the face that the footage has there; in the footage itself the strongest."""
        if self._footage is None or not found.faces:
            return found.faces[0] if found.faces else None
        wanted = self._footage.landmarks[_row(self._footage, number)].astype(np.float64)
        if not np.isfinite(wanted).all():
            return found.faces[0]
        unit = float(np.linalg.norm(wanted[1] - wanted[0]))
        faces = [(crop, crop.face) for crop in found.faces if crop.face is not None]
        apart = [float(np.linalg.norm((face.landmarks - wanted).mean(axis=0))) for _, face in faces]
        return faces[int(np.argmin(apart))][0] if min(apart, default=np.inf) < _NEAR * unit else None

    def _find_mesh(self, image: Image, face: Face, track: int) -> Landmarks | None:
        """Follow the mesh of the frame before, if that was of the same track; else find it anew."""
        before = self._previous if track == self._track else None
        self._track = track
        mesh = None if before is None else self._tools.mesh.follow(image, before)
        if mesh is None or mesh.score < LEAST_SCORES["mesh"]:
            mesh = self._tools.mesh.find(image, face)
        return mesh if mesh.score >= LEAST_SCORES["mesh"] else None

    def _describe(self, image: Image, face: Face, mesh: Landmarks) -> dict[str, Any]:
        depth = np.zeros(len(mesh.points), np.float32) if mesh.depth is None else mesh.depth
        values = {
            "landmarks": face.landmarks,
            "points": mesh.points,
            "rotations": rotation(mesh.points, depth, self._tools.head),
            "embeddings": self._tools.recognizer.embed(recognition_crop(image, face.landmarks)),
        }
        return values if mesh.blendshapes is None else values | {"blendshapes": mesh.blendshapes}

    def _compare(self, pair: Pair, own: dict[str, Any], mesh: Landmarks | None) -> dict[str, Any]:
        """Measure looks where the footage's face is."""
        points, matrix = own.get("points"), own.get("matrices")
        if self._footage is not None:
            row = _row(self._footage, pair.footage.index)
            points, matrix = self._footage.points[row], self._footage.matrices[row]
        if pair.image is None or points is None or matrix is None or not np.isfinite(matrix).all():
            return {}
        alignment = Alignment(np.asarray(matrix, np.float64), SIZE)
        crop = alignment.crop(pair.image)
        if pair.footage.index in self._keep:
            self.crops[pair.footage.index] = crop
            if mesh is not None:
                self.meshes[pair.footage.index] = mesh
        return _looks(pair, crop, points, alignment)


def _row(footage: Measured, number: int) -> int:
    """Tell which measurements are of the frame of that number."""
    return int(np.searchsorted(footage.frames, number))


def _looks(pair: Pair, crop: Image, points: NDArray[np.float32], alignment: Alignment) -> dict[str, Any]:
    oval = points[list(FACE_OVAL)]
    span = float(np.linalg.norm(points[RIGHT_EYE_CORNERS[1]] - points[LEFT_EYE_CORNERS[0]]))
    region = find_region(alignment.points(oval), span * alignment.scale, SIZE)
    look = look_at(crop, region)
    image = crop if pair.image is None else pair.image
    values = {
        "outside": change_outside(image, pair.footage.image, oval, span),
        "colours": look.colour,
        "sharpness": look.sharpness,
        "edges": look.edges,
    }
    if pair.truth is not None and region.inside.any():
        true = alignment.crop(pair.truth)
        values["psnr"] = min(psnr(crop, true, region.inside), _PERFECT)
        values["ssim"] = ssim(crop, true, region.inside)
    return values


def _matrix(crop: FaceCrop) -> NDArray[np.float64]:
    return np.full((2, 3), np.nan) if crop.alignment is None else crop.alignment.matrix
