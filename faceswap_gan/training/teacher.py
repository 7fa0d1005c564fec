"""The teacher that a model's settings ask for: found, or told why there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from faceswap_gan.config import Settings, Teacher, without_teacher
from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.faces.landmarks import find_landmark_weights, open_landmarks
from faceswap_gan.faces.mesh import read_topology
from faceswap_gan.training.face_set import FaceSet
from faceswap_gan.training.held_out import hold_out
from faceswap_gan.training.lessons import Lessons, find_meshes, footage_lessons, make_lessons, outline_faces

log = logging.getLogger(__name__)


def settle_teacher(settings: Settings, asked: Teacher | None) -> Settings:
    """Decide whether a new model has a teacher, and say so where it cannot have the one that its preset wants.

    Args:
        settings: a preset's.
        asked: the user's choice, footage when pretraining; None leaves it to the preset and to what this machine
            has.

    Returns:
        The preset's settings, or those that are best without a teacher.

    Raises:
        SettingsError: a teacher is asked for that the preset has none of, or whose package is not installed.
        WeightsError: a teacher is asked for whose weights cannot be had.
    """
    if settings.training.teacher == "none":
        if asked == "mesh":
            raise SettingsError(f"expected --teacher none with preset {settings.preset}, got {asked}; leave it out.")
        return settings
    if asked == "none":
        return without_teacher(settings)
    if asked == "footage":
        return replace(settings, training=replace(settings.training, teacher=asked))
    try:
        open_landmarks("mesh")
    except (SettingsError, WeightsError) as error:
        if asked is not None:
            raise
        log.warning("no teacher, so training takes longer to follow the footage: %s", error)
        return without_teacher(settings)
    return settings


def check_teacher(settings: Settings) -> None:
    """Refuse before any work what `open_lessons` would refuse for want of a package or file.

    Raises:
        SettingsError: the teacher's package is not installed.
        WeightsError: its weights cannot be had.
    """
    if settings.training.teacher == "mesh":
        open_landmarks("mesh")


def open_lessons(settings: Settings, people: Mapping[str, FaceSet]) -> dict[str, Lessons] | None:
    """Let a model's teacher make its lessons; also draws the faces' painted regions by its meshes.

    Args:
        settings: the model's.
        people: the faces of ``src`` and ``dst``; their masks are changed. No lesson is made of faces held out.

    Returns:
        By whose footage it is; None where the model has no teacher.

    Raises:
        SettingsError: the teacher's package is not installed.
        WeightsError: its weights cannot be had.
        FaceFolderError: it finds hardly a face.
    """
    if settings.training.teacher == "none":
        return None
    trained, _ = hold_out(people, settings.training.held_out)
    if settings.training.teacher == "footage":
        return {side: footage_lessons(faces) for side, faces in trained.items()}
    bundle = find_landmark_weights("mesh", None)
    provider = partial(open_landmarks, "mesh", weights=bundle)
    meshes = {side: find_meshes(faces, provider) for side, faces in people.items()}
    for side, faces in people.items():
        outline_faces(faces, meshes[side])
    known = {side: {i: mesh for i, mesh in meshes[side].items() if i < len(trained[side].faces)} for side in trained}
    lessons = make_lessons(trained, known, read_topology(bundle))
    log.info(
        "a face mesh made %d lessons of dst's footage and %d of src's",
        len(lessons["dst"].frames), len(lessons["src"].frames),
    )  # fmt: skip
    return lessons
