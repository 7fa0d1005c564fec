"""Whom each model paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswap_gan.conversion.pipeline import Painter, Role
from faceswap_gan.conversion.settings import PeopleSettings
from faceswap_gan.errors import NoFaceError, SettingsError
from faceswap_gan.faces.people import People, choose_people
from faceswap_gan.faces.scan import FaceScan


@dataclass(frozen=True)
class Pair:
    """A model and the person that it paints.

    Attributes:
        model: model folder.
        whom: a track's number, or a picture of the person; None leaves it to the other flags.
    """

    model: Path
    whom: int | Path | None = None


def read_pairs(model: Path | None, people: PeopleSettings) -> tuple[Pair, ...]:
    """Read which models paint whom: one, or those of --pair.

    Raises:
        SettingsError: neither a model nor a pair, both, a pair of another form, or a flag that pairs replace.
    """
    if not people.pair:
        if model is None:
            raise SettingsError("expected --model, or --pair PICTURE=MODEL for each person, got neither; name one.")
        return (Pair(model),)
    who = people.who == "all"
    others = {"--model": model, "--track": people.track, "--reference": people.reference, "--who all": who}
    if clash := [flag for flag, value in others.items() if value]:
        raise SettingsError(f"expected --pair alone to say who is painted, got {', '.join(clash)} too; leave it out.")
    return tuple(_read_pair(text) for text in people.pair)


def cast_roles(
    scan: FaceScan, pairs: Sequence[Pair], people: PeopleSettings, painters: Sequence[Painter], sizes: Sequence[int]
) -> list[Role]:
    """Decide whom each model paints, frame by frame.

    Args:
        scan: smoothed.
        pairs: from `read_pairs`.
        people: who is meant where a pair does not say.
        painters: the pairs' models.
        sizes: side at which each of these wants its faces cut out, px.

    Raises:
        SettingsError: a track that is not in the video, or one that two pairs claim.
        NoFaceError: nobody, or not somebody who is meant, is in the video.
    """
    cast = _cast(scan, pairs, people)
    if not any(track is not None for chosen in cast for places in chosen.values() for track in places):
        raise NoFaceError(f"expected a face in the video, got none in {len(scan.frames)} frames; choose another one.")
    return [Role(*each) for each in zip(painters, cast, sizes, strict=True)]


def _cast(scan: FaceScan, pairs: Sequence[Pair], people: PeopleSettings) -> list[People]:
    if pairs[0].whom is None:
        return [choose_people(scan, who=people.who, track=people.track or None, max_faces=people.max_faces)]
    taken: dict[int, Pair] = {}
    cast = []
    for pair in pairs:
        tracks = _tracks_of(scan, pair)
        if shared := tracks & taken.keys():
            other = taken[min(shared)]
            raise SettingsError(
                f"expected each person in one pair, got {pair.whom} and {other.whom} for the same track "
                f"{min(shared)}; name the tracks by number."
            )
        taken |= dict.fromkeys(tracks, pair)
        cast.append(choose_people(scan, who="all", track=tracks))
    return cast


def _tracks_of(scan: FaceScan, pair: Pair) -> set[int]:
    if isinstance(pair.whom, int):
        return {pair.whom}
    raise NoFaceError(f"expected the person of {pair.whom} in the video, got nobody like that; name a track instead.")


def _read_pair(text: str) -> Pair:
    whom, equals, model = text.rpartition("=")
    if not equals or not whom or not model:
        raise SettingsError(f"expected --pair PICTURE=MODEL or TRACK=MODEL, got {text!r}.")
    return Pair(Path(model), int(whom) if whom.isdecimal() else Path(whom))
