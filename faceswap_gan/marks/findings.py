"""What marks a file bears, and what follows from them."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import MediaError
from faceswap_gan.marks.detection import Collector, Evidence
from faceswap_gan.marks.reading import SYNTHETIC_TYPES, Credentials, read_credentials
from faceswap_gan.media.decode import video_stream
from faceswap_gan.media.images import is_picture, list_images, read_image
from faceswap_gan.media.video import open_video, read_frames
from faceswap_gan.media.xmp import read_xmp

_COMMENT = re.compile(r"(AI-generated|Synthetic): face swapped")
_MOST_FRAMES = 320
_CHUNK, _TRIES = 64, 12  # frames: a face that is there for a part of a long video would drown in the whole of it


class Verdict(enum.IntEnum):
    """What a file is; the value is the exit code of the verb."""

    MARKED = 0
    UNMARKED = 1
    TAMPERED = 3


@dataclass(frozen=True)
class Findings:
    """What was found in one file, or in a folder of pictures.

    Attributes:
        path: the file, or folder of pictures.
        credentials: the signed statement.
        tags: of the container, names in lower case.
        xmp: of a picture, see `faceswap_gan.media.xmp.read_xmp`.
        watermark: evidence in the pixels; None where they could not be read.
        note: why they could not.
        pictures: how many a folder holds; 0 for a file.
        bare: those of them that bear no whole mark of their own.
    """

    path: Path
    credentials: Credentials
    tags: Mapping[str, str] = field(default_factory=dict)
    xmp: Mapping[str, str] = field(default_factory=dict)
    watermark: Evidence | None = None
    note: str = ""
    pictures: int = 0
    bare: tuple[Path, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Tampered if a seal is broken; else marked if any mark of the file, or of each picture, says synthetic."""
        if self.credentials.state == "tampered":
            return Verdict.TAMPERED
        if self.pictures:
            return Verdict.UNMARKED if self.bare else Verdict.MARKED
        signed = self.credentials.state == "valid" and self.credentials.synthetic
        seen = self.watermark is not None and self.watermark.found
        is_marked = signed or seen or says_synthetic(self.tags) or says_synthetic(self.xmp)
        return Verdict.MARKED if is_marked else Verdict.UNMARKED

    def lines(self) -> tuple[str, ...]:
        """Say it in words, a line for each kind of mark and one for the verdict; none is of the file's making."""
        told = (
            f"credentials: {_tell_credentials(self.credentials)}",
            f"consent: {self.credentials.consent or self.tags.get('consent') or 'not stated'}",
            f"metadata: {_tell_tags(self.tags)}",
            f"xmp: {_tell_tags(self.xmp)}",
            f"watermark: {self._tell_watermark()}",
            *self._tell_pictures(),
            f"verdict: {self.verdict.name.lower()}",
        )
        return tuple(_on_one_line(line) for line in told)

    def _tell_pictures(self) -> tuple[str, ...]:
        if not self.pictures:
            return ()
        told = f"pictures: {self.pictures - len(self.bare)} of {self.pictures} are marked"
        return (f"{told}, {self.bare[0].name} is the first that is not" if self.bare else told,)

    def _tell_watermark(self) -> str:
        if self.watermark is None:
            return f"the pictures cannot be read: {self.note}"
        seen = self.watermark
        frames = f"{seen.frames} picture{'s' * (seen.frames != 1)} looked at"
        if not seen.found:
            return f"not found, {frames}"
        size = "" if seen.scale == 1 else f", at {seen.scale:.3g} of the size that was marked"
        return f"found, {seen.deviations:.1f} standard deviations above chance ({seen.chance:.0e}){size}, {frames}"


def verify(path: Path, *, trusted: str = "") -> Findings:
    """Look for every kind of mark in a video or picture.

    Args:
        path: the file.
        trusted: PEM certificates of signers to trust besides this user's own.

    Raises:
        MediaError: the file is missing, or its pictures cannot be read and no other mark says anything of it.
        MarksError: the file cannot be read.
    """
    if path.is_dir():
        return _verify_folder(path, trusted)
    if not path.is_file():
        raise MediaError(f"expected a video or picture at {path}, got nothing; check the path.")
    said = Findings(path, read_credentials(path, trusted=trusted))
    try:
        kind = {"xmp": _xmp_of(path)} if is_picture(path) else {"tags": _read_tags(path)}
        said = replace(said, **kind)
        return replace(said, watermark=find_watermark([path]))
    except MediaError as error:
        if said.credentials.state == "absent" and said.verdict is not Verdict.MARKED:
            raise
        return replace(said, note=str(error))


def _verify_folder(folder: Path, trusted: str) -> Findings:
    """Verify each picture, which must bear a mark of its own; what is told in words is the worst one's."""
    pictures = list_images(folder)
    if not pictures:
        raise MediaError(f"expected pictures in {folder}, got none; name a video or picture.")
    order = ("tampered", "absent", "valid")
    each = [Findings(path, read_credentials(path, trusted=trusted), {}, _xmp_of(path)) for path in pictures]
    worst = min((one.credentials for one in each), key=lambda seal: order.index(seal.state))
    poorest = min((one.xmp for one in each), key=says_synthetic)
    silent = [one for one in each if one.verdict is not Verdict.MARKED]
    told = partial(Findings, folder, worst, {}, poorest, pictures=len(pictures))
    try:
        together = find_watermark(pictures)
    except MediaError as error:
        if worst.state == "absent" and silent:
            raise
        return told(note=str(error), bare=tuple(one.path for one in silent))
    bare: list[Path] = []
    for one in silent:
        if not _is_seen(one, together, thorough=not bare):
            bare.append(one.path)
    return told(watermark=together, bare=tuple(bare))


def _is_seen(one: Findings, together: Evidence, *, thorough: bool) -> bool:
    """Tell whether a picture that says nothing has the watermark after all.

    It is looked for at the usual sizes and at the one found in the whole folder; at all others, which takes seconds,
    only where the verdict still depends on it.
    """
    if one.verdict is Verdict.TAMPERED:
        return False
    collector = Collector()
    collector.add(read_image(one.path))
    if collector.judge(quick=True, tries=3).found:
        return True
    if together.found and collector.judge(at=together.scale, tries=3).found:
        return True
    return thorough and collector.judge(tries=3).found


def _xmp_of(picture: Path) -> Mapping[str, str]:
    return read_xmp(picture.read_bytes())


def find_watermark(paths: Sequence[Path]) -> Evidence:
    """Look for the watermark in a video, by frames spread over it, or in pictures of one size.

    Returns:
        The first evidence that suffices; the best of all frames together if none does.

    Raises:
        MediaError: a file cannot be decoded, and what was decoded of a video before holds no watermark.
    """
    whole, part, parts = Collector(), Collector(), 0
    try:
        for image in _read_pictures(paths):
            for collector in (whole, part):
                collector.add(image)
            if part.frames == _CHUNK and parts < _TRIES:  # each more would add to what chance is allowed
                parts += 1
                evidence = part.judge(quick=True, tries=_TRIES)
                if evidence.found:
                    return evidence
                part = Collector()
    except MediaError:
        # Of pictures in a folder each is judged by itself, too: the one that cannot be decoded stays an error.
        if is_picture(paths[0]) or not (evidence := whole.judge(tries=2)).found:
            raise
        return evidence
    return whole.judge(tries=2)


def _read_pictures(paths: Sequence[Path]) -> Iterator[npt.NDArray[np.uint8]]:
    if is_picture(paths[0]):
        chosen = (read_image(path) for path in paths[:: max(1, len(paths) // _MOST_FRAMES)])
        first = next(chosen)
        yield first
        yield from (image for image in chosen if image.shape == first.shape)
        return
    every = max(1, _count_frames(paths[0]) // _MOST_FRAMES)
    yield from (frame.image for frame in read_frames(paths[0], every=every))


def _count_frames(path: Path) -> int:
    """Count a video's packets, one a picture, without decoding them: headers say nothing, or anything."""
    count = 0
    with open_video(path) as container, suppress(av.FFmpegError, OSError):  # broken off: what is there counts
        for packet in container.demux(video_stream(container, path)):
            count += packet.size > 0 and not packet.is_discard
    return count


def says_synthetic(tags: Mapping[str, str]) -> bool:
    """Tell whether tags, of a container or in XMP, name a file as synthetic."""
    kind = tags.get("digital_source_type", "")
    told = any(_COMMENT.match(tags.get(name, "")) for name in ("comment", "description"))
    return kind in SYNTHETIC_TYPES or told


def _read_tags(path: Path) -> dict[str, str]:
    with open_video(path) as container:
        return {str(name).lower(): str(value) for name, value in container.metadata.items()}


def _on_one_line(text: str) -> str:
    """Put text of unknown origin on one line: white space as one space, what steers a terminal as its escape."""
    return " ".join("".join(_escape(letter) for letter in text).split())


def _escape(letter: str) -> str:
    # Joiners show nothing, but some languages cannot be written without them.
    is_plain = letter.isprintable() or letter.isspace() or letter in "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
    return letter if is_plain else letter.encode("unicode_escape").decode("ascii")


def _tell_tags(tags: Mapping[str, str]) -> str:
    if not says_synthetic(tags):
        return "does not name it as synthetic" if tags else "none"
    return tags.get("comment") or tags.get("description") or tags["digital_source_type"]


def _tell_credentials(found: Credentials) -> str:
    if found.state == "absent":
        return "absent" + (f" ({found.note})" if found.note else "")
    where = f"in {found.place.name}" if found.place is not None else ""
    if found.state == "tampered":
        return f"BROKEN, {where}: the file or its credentials were changed after signing ({found.note})"
    who = "a signer known here" if found.known else "unknown to this machine; they prove that nothing was changed"
    kind = "synthetic" if found.synthetic else "not synthetic"
    return f"valid, {where}: {kind}, signed by {found.signer or 'nobody by name'} ({who})"
