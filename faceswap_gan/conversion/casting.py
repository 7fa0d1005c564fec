"""Whom each model paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    others = {"--model": model, "--track": people.track, "--reference": people.reference}
    others["--who all"] = people.who == "all"
    if clash := [flag for flag, value in others.items() if value]:
        raise SettingsError(f"expected --pair alone to say who is painted, got {', '.join(clash)} too; leave it out.")
    return tuple(_read_pair(text) for text in people.pair)


def cast_people(scan: FaceScan, pairs: Sequence[Pair], people: PeopleSettings) -> list[People]:
    """Decide whom each model paints, frame by frame.

    Args:
        scan: smoothed.
        pairs: from `read_pairs`.
        people: who is meant where a pair does not say.

    Returns:
        For each pair the tracks in every frame.

    Raises:
        SettingsError: a track that is not in the video, or one that two pairs claim.
        NoFaceError: somebody is not in the video.
    """
    if pairs[0].whom is None:
        track = people.track or None
        chosen = choose_people(scan, who=people.who, track=track, max_faces=people.max_faces)
        return [chosen]
    cast: list[People] = []
    taken: dict[int, Pair] = {}
    for pair in pairs:
        tracks = _tracks_of(scan, pair)
        for track in tracks:
            if track in taken:
                raise SettingsError(
                    f"expected each track in one pair, got track {track} for {taken[track].whom} and for {pair.whom}; "
                    "name the tracks by number."
                )
            taken[track] = pair
        cast.append(choose_people(scan, who="all", track=tracks))
    return cast


def shown(cast: Sequence[People]) -> int:
    """Count the frames in which anybody is painted."""
    frames = {index for people in cast for index, places in people.items() if any(t is not None for t in places)}
    return len(frames)


def _tracks_of(scan: FaceScan, pair: Pair) -> set[int]:
    if isinstance(pair.whom, int):
        return {pair.whom}
    raise NoFaceError(f"expected the person of {pair.whom} in the video, got nobody like that; name a track instead.")


def _read_pair(text: str) -> Pair:
    whom, equals, model = text.rpartition("=")
    if not equals or not whom or not model:
        raise SettingsError(f"expected --pair PICTURE=MODEL or TRACK=MODEL, got {text!r}.")
    return Pair(Path(model), int(whom) if whom.isdecimal() else Path(whom))
