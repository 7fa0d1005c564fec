"""Who is meant, as the flags of a verb say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from faceswap_gan.errors import NoFaceError, SettingsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.identity import embed_picture, embed_tracks, find_reference, match_people, open_recognizer
from faceswap_gan.faces.people import People, Who, choose_people
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.images import read_image
from faceswap_gan.media.video import Frame


@dataclass(frozen=True)
class Selection:
    """Who is followed in a video.

    Attributes:
        people: who is where in every frame.
        why: why nobody else is, in a word: ``identity``, ``track`` or ``place``.
    """

    people: People
    why: str


def check_reference(
    reference: Path | None,
    *,
    track: tuple[int, ...] | None,
    recognizer: Path | None,
    weights_dir: Path | None,
    min_face: int = 40,
) -> None:
    """Refuse before a long scan what `select_people` would refuse after it.

    Args:
        reference: as `select_people`, like all that follows.
        track: as there.
        recognizer: as there.
        weights_dir: as there.
        min_face: side of the smallest face that its detector looks for, px.

    Raises:
        SettingsError: track and reference are both given, or a recogniser without a reference to compare with.
        MediaError: the picture cannot be read.
        NoFaceError: it shows no face.
        WeightsError: the recogniser is nowhere to be had.
        ModelError: it cannot be read.
    """
    if reference is None:
        if recognizer is not None:
            raise SettingsError(
                f"expected --recognizer beside a picture to compare with, got none with {recognizer}; name the "
                "picture with --reference (convert: or --pair PICTURE=MODEL), or leave --recognizer out."
            )
        return
    if track:
        raise SettingsError("expected --track or --reference, got both; leave one out.")
    read_image(reference)
    open_recognizer(recognizer, weights_dir=weights_dir)
    find_reference(reference, FaceDetector(min_size=min_face))


def select_people(
    scan: FaceScan,
    read: Callable[[], Iterable[Frame]],
    detector: FaceDetector,
    *,
    who: Who = "largest",
    track: tuple[int, ...] | None = None,
    reference: Path | None = None,
    recognizer: Path | None = None,
    weights_dir: Path | None = None,
    max_faces: int | None = None,
) -> Selection:
    """Choose whom to follow.

    Args:
        scan: of the video.
        read: reads the scanned frames once more, where a reference asks for it.
        detector: finds the face in the reference.
        who: as `choose_people`.
        track: numbers of tracks.
        reference: picture of the person.
        recognizer: network that tells people apart; None: the known one.
        weights_dir: folder that it is looked for in first.
        max_faces: as `choose_people`.

    Raises:
        SettingsError: a track is not in the video, or track and reference are both given.
        NoFaceError: the reference shows no face, or the video nobody like it.
        WeightsError: the recogniser is nowhere to be had.
        ModelError: it cannot be read.
    """
    if reference is None:
        people = choose_people(scan, who=who, track=track, max_faces=max_faces)
        return Selection(people, "track" if track is not None else "place")
    if track is not None:
        raise SettingsError("expected --track or --reference, got both; leave one out.")
    judge = open_recognizer(recognizer, weights_dir=weights_dir)
    wanted = embed_picture(reference, detector, judge)
    embeddings = embed_tracks(read(), scan, judge)
    found = match_people(embeddings, {"reference": wanted}, scan)["reference"]
    if not found:
        likest = max(embeddings, key=lambda each: float(wanted @ embeddings[each]), default=None)
        closest = "nobody" if likest is None else f"track {likest} at {float(wanted @ embeddings[likest]):.2f}"
        raise NoFaceError(
            f"expected the person of {reference} in the video, got nobody alike (closest: {closest}); give a clearer "
            "picture, or --track with a number that the tracks verb shows."
        )
    people = choose_people(scan, track=tuple(found), max_faces=max_faces or 1)
    return Selection(people, "identity")
