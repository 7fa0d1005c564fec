"""The videos of an evaluation, the footage cut to the part that was swapped."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.facts import MediaFacts, SoundFacts, read_facts
from faceswap_gan.media.tracks import Cut
from faceswap_gan.media.video import Frame, exact_part, open_video, read_frames
from faceswap_gan.metrics.pairs import Pair, pair_frames


@dataclass(frozen=True)
class Clip:
    """A video, or a part of it that stands for all.

    Attributes:
        facts: its frames and sound.
        start: s in the file; frames shown earlier are skipped, and times and numbers count from the first that is
            not, as in what convert writes of a part. None leaves them as they are in the file.
        end: s in the file; frames shown then or later are left out. None reads to its end.
        shift: s, taken from every time of the file.
    """

    facts: MediaFacts
    start: float | None = None
    end: float | None = None
    shift: float = 0.0

    @property
    def path(self) -> Path:
        """The file."""
        return self.facts.path

    @property
    def is_part(self) -> bool:
        """Whether it was cut."""
        return self.start is not None or self.end is not None

    def read(self) -> Iterator[Frame]:
        """Read its frames."""
        frames = read_frames(self.path, start=self.start, end=self.end)
        return frames if self.start is None else _from_zero(frames)

    def cut(self, start: float | None, end: float | None) -> Clip:
        """Take a part of a whole file, with times and sound as convert cuts them.

        Args:
            start: s; None begins with the file.
            end: s; None ends with it.

        Raises:
            SettingsError: start and end are no part, or no frame is shown between them.
        """
        first, last = exact_part(start, end)
        low, high = -math.inf if first is None else float(first), math.inf if last is None else float(last)
        whole = self.facts.seconds
        kept = [seconds for seconds in whole if low <= seconds < high]
        if not kept:
            given = " and ".join(
                f"{flag} {value:g}" for flag, value in (("--start", start), ("--end", end)) if value is not None
            )
            raise SettingsError(
                f"expected a part of {self.path}, which shows frames from {whole[0]:g} to {whole[-1]:g} s, got "
                f"{given}; give what convert was given."
            )
        shift = 0.0 if start is None else kept[0]
        sound = _cut_sound(self.facts, Cut(first, last), shift)
        facts = replace(self.facts, seconds=tuple(seconds - shift for seconds in kept), sound=sound)
        return Clip(facts, start, end, shift)


def open_clips(
    videos: Mapping[str, Path], *, start: float | None = None, end: float | None = None
) -> dict[str, Clip]:
    """Look at all videos, and cut the footage to what was swapped of it.

    Args:
        videos: by role; `swapped` and `truth` show what `dst` shows.
        start: s, where in ``dst`` the swapped video begins; its own times count from there. None: where dst does.
        end: s, where in ``dst`` it ends.

    Returns:
        By role. A truth whose length is nearer to that of all of ``dst`` than to that of the part is cut alike;
        another begins where the swapped video does.

    Raises:
        MediaError: one cannot be read or is of another size.
        SettingsError: start and end are no part of ``dst``.
    """
    clips = {role: Clip(read_facts(path)) for role, path in videos.items()}
    _check_sizes(clips)
    if start is None and end is None:
        return clips
    whole, part = clips["dst"], clips["dst"].cut(start, end)
    if "truth" in clips:
        last, whole_last, part_last = (clip.facts.seconds[-1] for clip in (clips["truth"], whole, part))
        if abs(last - whole_last) < abs(last - part_last):
            clips["truth"] = _cut_alike(clips["truth"], part, half=_half_step(whole.facts))
    return clips | {"dst": part}


def pair_clips(footage: Clip, other: Clip) -> Iterator[Pair]:
    """Read the footage's frames beside those of another video that belong to them."""
    return pair_frames(footage.read(), other.read(), tolerance=find_tolerance(footage, other))


def find_tolerance(footage: Clip, other: Clip) -> float | None:
    """Tell how to `pair_frames` of two videos: by number where both have as many, else by time."""
    by_number = len(footage.facts.seconds) == len(other.facts.seconds)
    return None if by_number else _half_step(footage.facts)


def _cut_alike(truth: Clip, part: Clip, *, half: float) -> Clip:
    """Cut at the frames where a part was cut, whose times the other file may have rounded: half a frame from them."""
    start = None if part.start is None else max(0.0, part.shift - half)
    return truth.cut(start, part.shift + part.facts.seconds[-1] + half)


def _half_step(facts: MediaFacts) -> float:
    """Half the time from one frame to the next, s; half a second where there is only one."""
    return float(np.median(np.diff(facts.seconds))) / 2 if len(facts.seconds) > 1 else 0.5


def _check_sizes(clips: Mapping[str, Clip]) -> None:
    wanted = clips["dst"].facts.size
    for role in ("swapped", "truth"):
        if role in clips and clips[role].facts.size != wanted:
            raise MediaError(
                f"expected {clips[role].path} to be of the footage's size {wanted}, got {clips[role].facts.size}; "
                "evaluate the swap alone, without a layout beside it and not resized."
            )


def _from_zero(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Let times and numbers count from the first frame."""
    first: Frame | None = None
    for frame in frames:
        first = first or frame
        yield replace(frame, index=frame.index - first.index, pts=frame.pts - first.pts)


def _cut_sound(facts: MediaFacts, cut: Cut, shift: float) -> tuple[SoundFacts, ...]:
    """Take the packets of a part, as `media.tracks.TrackCopy` does."""
    if not facts.sound:
        return ()
    with open_video(facts.path) as container:
        streams = container.streams.audio
        hashes = {stream.index: hashlib.sha256() for stream in streams}
        spans: dict[int, list[tuple[Fraction, Fraction]]] = {stream.index: [] for stream in streams}
        with suppress(av.FFmpegError, OSError):  # a damaged end, where `read_facts` has stopped, too
            for packet in container.demux(*streams):
                unit, due = Fraction(packet.time_base), packet.dts if packet.pts is None else packet.pts
                if packet.size and due is not None and cut.holds(due * unit):
                    hashes[packet.stream.index].update(bytes(packet))
                    spans[packet.stream.index].append((due * unit, (due + (packet.duration or 0)) * unit))
    return tuple(
        SoundFacts(
            codec=whole.codec,
            packets=len(span),
            sha256=hashes[index].hexdigest(),
            start=float(span[0][0]) - shift if span else 0.0,
            end=float(span[-1][1]) - shift if span else 0.0,
        )
        for whole, (index, span) in zip(facts.sound, spans.items(), strict=True)
    )
