"""Faces that training never sees, and how well the model does on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from faceswap_gan.media.images import to_float
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import Swap, split_head
from faceswap_gan.nn.similarity import ssim_map
from faceswap_gan.training.face_set import FaceSet

FEWEST = 200
"""Faces of a person below which all are trained on."""

_MEASURED = 32  # faces per person
_KNOWN = 256  # faces of src that its mean face is taken from


@dataclass(frozen=True)
class Scores:
    """How well the model does on faces that it was not trained on."""

    reconstruction: float
    """Mean structural similarity of both people's faces with themselves, painted, inside the face; 1 = the same."""
    transfer: float
    """How far the mean of dst's faces, painted as src, has come from dst's mean face to src's: 0 = not at all, 1 =
    all the way; colours relative to the face's mean colour."""

    @property
    def score(self) -> float:
        """Their product: a model that copies dst, or paints one src whatever dst does, gains nothing."""
        return max(0.0, self.reconstruction) * max(0.0, self.transfer)


def hold_out(people: Mapping[str, FaceSet], share: float) -> tuple[dict[str, FaceSet], dict[str, FaceSet]]:
    """Split the last faces of both people off; views, nothing is copied.

    The last of a clip are fewer neighbours of frames trained on than faces picked here and there.

    Args:
        people: the faces of both people, in the order of the footage.
        share: of the faces to hold out; nothing is held out where a person has fewer than 200.

    Returns:
        Faces to train on and faces held out, the latter empty where nothing is.
    """
    if not share or min(len(faces.crops) for faces in people.values()) < FEWEST:
        return dict(people), {}
    ends = {side: len(faces.crops) - max(1, round(share * len(faces.crops))) for side, faces in people.items()}
    return (
        {side: _part(faces, slice(None, ends[side])) for side, faces in people.items()},
        {side: _part(faces, slice(ends[side], None)) for side, faces in people.items()},
    )


class HeldOut:
    """Measures the model on held-out faces.

    Args:
        held_out: the faces of both people.
        trained: the faces that are trained on.
        painters: paint crops as each person, `training.networks.build_painter`.
    """

    def __init__(
        self,
        held_out: Mapping[str, FaceSet],
        trained: Mapping[str, FaceSet],
        painters: Mapping[str, keras.Model],
    ) -> None:
        self._painters = painters
        self._crops, self._faces = {}, {}
        for side, person in held_out.items():
            chosen = _spread(len(person.crops), _MEASURED)
            self._crops[side] = to_float(person.crops[chosen])
            self._faces[side] = person.crop_masks[chosen][..., 2:3].astype(np.float32) / 255.0
        known = trained["src"].crops
        self._src = to_float(known[_spread(len(known), _KNOWN)]).mean(axis=0)

    def measure(self) -> Scores:
        """Paint the held-out faces and score them."""
        alike = [self._alike(side) for side in SIDES]
        return Scores(reconstruction=float(np.mean(alike)), transfer=self._transfer())

    def _paint(self, side: str, person: str) -> Swap:
        return split_head(np.asarray(self._painters[person].predict_on_batch(self._crops[side]), np.float32))

    def _alike(self, side: str) -> float:
        similarity = ops.convert_to_numpy(ssim_map(self._crops[side], self._paint(side, side).rgb))
        margin = (self._crops[side].shape[1] - similarity.shape[1]) // 2
        weights = np.broadcast_to(self._faces[side][:, margin:-margin, margin:-margin], similarity.shape)
        return float(np.average(similarity, weights=weights))

    def _transfer(self) -> float:
        footage, face = self._crops["dst"], self._faces["dst"].mean(axis=0)
        swapped = self._paint("dst", "src").over(footage).mean(axis=0)
        swapped, dst, src = (_without_colour(each, face) for each in (swapped, footage.mean(axis=0), self._src))
        return 1.0 - _distance(swapped, src, face) / max(_distance(dst, src, face), 1e-6)


def _part(faces: FaceSet, part: slice) -> FaceSet:
    return FaceSet(
        faces=faces.faces[part],
        masks=faces.masks[part],
        crops=faces.crops[part],
        crop_masks=faces.crop_masks[part],
        landmarks=None if faces.landmarks is None else faces.landmarks[part],
        files=faces.files[part],
        drawn=None if faces.drawn is None else faces.drawn[part],
    )


def _spread(total: int, most: int) -> NDArray[np.int64]:
    return np.linspace(0, total - 1, min(total, most)).astype(np.int64)


def _without_colour(picture: NDArray[np.float32], face: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the mean colour of the face."""
    mean = (picture * face).sum(axis=(0, 1)) / max(float(face.sum()), 1e-6)
    return np.asarray(picture - mean, np.float32)


def _distance(first: NDArray[np.float32], second: NDArray[np.float32], face: NDArray[np.float32]) -> float:
    return float(np.sqrt((face * (first - second) ** 2).sum()))
