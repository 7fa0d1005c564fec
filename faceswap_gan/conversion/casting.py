"""Whom each model paints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswap_gan.conversion.settings import PeopleSettings
from faceswap_gan.errors import NoFaceError, SettingsError
from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.faces.identity import Embedding, embed_picture, embed_tracks, match_people, open_recognizer
from faceswap_gan.faces.people import People, choose_people
from faceswap_gan.faces.recognizer import Recognizer
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.faces.selection import check_reference, select_people
from faceswap_gan.media.video import Frame

ReadAgain = Callable[[], Iterable[Frame]]


@dataclass(frozen=True)
class Pair:
    """A model and the person that it paints.

    Attributes:
        model: model folder.
        whom: a track's number, or a picture of the person; None leaves it to the other flags.
    """

    model: Path
    whom: int | Path | None = None


def read_pairs(model: Path | None, people: PeopleSettings, weights_dir: Path | None = None) -> tuple[Pair, ...]:
    """Read which models paint whom: one, or those of --pair; pictures are looked at now, not after a long scan.

    Args:
        model: model folder of the only person.
        people: who is meant.
        weights_dir: folder that the network that tells people apart is looked for in first.

    Raises:
        MediaError: a picture cannot be read.
        NoFaceError: a picture shows no face.
        WeightsError: the network is nowhere to be had.
        SettingsError: neither a model nor a pair, both, a pair of another form, a flag that pairs replace, nobody,
            or a network that tells people apart and no picture to compare with.
    """
    if people.max_faces is not None and people.max_faces < 1:
        raise SettingsError(f"expected --max-faces of at least 1, got {people.max_faces}.")
    if not people.pair:
        if model is None:
            raise SettingsError("expected --model, or --pair PICTURE=MODEL for each person, got neither; name one.")
        check_reference(people.reference, track=people.track, recognizer=people.recognizer, weights_dir=weights_dir)
        return (Pair(model),)
    who = people.who == "all"
    others = {
        "--model": model, "--track": people.track, "--reference": people.reference, "--who all": who,
        "--max-faces": people.max_faces,
    }  # fmt: skip
    if clash := [flag for flag, value in others.items() if value]:
        raise SettingsError(f"expected --pair alone to say who is painted, got {', '.join(clash)} too; leave it out.")
    pairs = tuple(_read_pair(text) for text in people.pair)
    pictures: list[Path | None] = [pair.whom for pair in pairs if isinstance(pair.whom, Path)]
    for picture in pictures or [None]:
        check_reference(picture, track=None, recognizer=people.recognizer, weights_dir=weights_dir)
    return pairs


def cast_people(
    scan: FaceScan, pairs: Sequence[Pair], people: PeopleSettings, read: ReadAgain, weights_dir: Path | None
) -> list[People]:
    """Decide whom each model paints, frame by frame.

    Args:
        scan: as measured.
        pairs: from `read_pairs`.
        people: who is meant where a pair does not say, and what tells people apart.
        read: reads the scanned frames once more, where pictures ask for it.
        weights_dir: folder that the network for it is looked for in first.

    Returns:
        For each pair whom it paints in every frame.

    Raises:
        SettingsError: a track that is not in the video, or one that two pairs claim.
        NoFaceError: nobody, or not somebody who is meant, is in the video for more than a moment.
        WeightsError: the network that tells people apart is nowhere to be had.
    """
    if not any(frame.faces for frame in scan.frames):
        raise NoFaceError(f"expected a face in the video, got none in {len(scan.frames)} frames; choose another one.")
    cast = _cast(scan, pairs, people, read, weights_dir)
    if not all(_is_somebody(own) for own in cast):
        raise NoFaceError(
            "expected somebody to paint in the video, got faces that flicker up for a moment only; choose another "
            "video, or see with the tracks verb who is in it."
        )
    return cast


def _is_somebody(people: People) -> bool:
    """Tell whether anybody has a place in any frame."""
    return any(track is not None for places in people.values() for track in places)


def _cast(
    scan: FaceScan, pairs: Sequence[Pair], people: PeopleSettings, read: ReadAgain, weights_dir: Path | None
) -> list[People]:
    """Find the people of a scan, as the flags say who is meant."""
    if pairs[0].whom is None:
        who, track, most = people.who, people.track or None, people.max_faces
        if people.reference is None:
            return [choose_people(scan, who=who, track=track, max_faces=most)]
        chosen = select_people(
            scan, read, FaceDetector(), track=track, reference=people.reference, max_faces=most,
            recognizer=people.recognizer, weights_dir=weights_dir,
        )  # fmt: skip
        return [chosen.people]
    numbered = [pair.whom for pair in pairs if isinstance(pair.whom, int)]
    if twice := {number for number in numbered if numbered.count(number) > 1}:
        raise SettingsError(f"expected each track in one --pair, got track {min(twice)} in several; leave one out.")
    pictures = [pair.whom for pair in pairs if isinstance(pair.whom, Path)]
    pictured: dict[Path, set[int]] = {}
    if pictures:
        judge = open_recognizer(people.recognizer, weights_dir=weights_dir)
        seen = embed_tracks(read(), scan, judge)
        pictured = _match(
            pictures, {track: look for track, look in seen.items() if track not in numbered}, scan, judge
        )
    tracks = [
        {pair.whom} if isinstance(pair.whom, int) else pictured[pair.whom] for pair in pairs if pair.whom is not None
    ]
    return [choose_people(scan, who="all", track=own) for own in tracks]


def _match(
    pictures: Sequence[Path], seen: dict[int, Embedding], scan: FaceScan, judge: Recognizer
) -> dict[Path, set[int]]:
    """Find the tracks of the people on pictures: each track is whose it is likest to."""
    detector = FaceDetector()
    wanted = {str(picture): embed_picture(picture, detector, judge) for picture in pictures}
    found = match_people(seen, wanted, scan)
    for picture, tracks in found.items():
        if not tracks:
            closest = max((float(wanted[picture] @ look) for look in seen.values()), default=0.0)
            raise NoFaceError(
                f"expected the person of {picture} in the video, got nobody alike (closest: {closest:.2f}) or only "
                "who is likest to another --pair; give a clearer picture, or a track's number from the tracks verb."
            )
    return {Path(picture): set(tracks) for picture, tracks in found.items()}


def _read_pair(text: str) -> Pair:
    whom, equals, model = text.rpartition("=")
    if not equals or not whom or not model:
        raise SettingsError(f"expected --pair PICTURE=MODEL or TRACK=MODEL, got {text!r}.")
    return Pair(Path(model), int(whom) if whom.isdecimal() else Path(whom))
