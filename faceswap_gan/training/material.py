"""What a model is fitted to: both people's faces, and what a teacher shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from faceswap_gan.config import Settings
from faceswap_gan.training.cleaning import clean
from faceswap_gan.training.face_set import FaceSet, read_faces
from faceswap_gan.training.lessons import Lessons
from faceswap_gan.training.teacher import open_lessons


class Material(NamedTuple):
    """What a model is fitted to."""

    people: Mapping[str, FaceSet]
    lessons: Mapping[str, Lessons] | None


def read_material(folders: Mapping[str, Path], model: Path, settings: Settings) -> Material:
    """Read the faces, leave out those that are not drawn, and let a teacher make its lessons.

    Args:
        folders: face folders of ``src`` and ``dst``.
        model: the model folder, whose logs say what was left out.
        settings: the model's settings.

    Raises:
        FaceFolderError: a folder holds too few faces, or the teacher finds hardly one.
        MediaError: a picture cannot be read, or there is no room for the faces.
    """
    people = {side: read_faces(folder, size=settings.model.size) for side, folder in folders.items()}
    if settings.training.clean:
        people = clean(people, model / "logs" / "left_out.csv")
    return Material(people, open_lessons(settings, people))
