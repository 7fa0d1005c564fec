"""Whether a swapped video kept what a swap has no business with: frames, their times, size and sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from faceswap_gan.media.facts import MediaFacts

TOLERANCE = 0.0015
"""Times closer than this, in s, are the same: Matroska stores whole milliseconds."""

_SHORT = 0.5  # s by which the end of a video comes too early for a few frames that an encoder dropped


@dataclass(frozen=True)
class MediaMatch:
    """What became of the footage's frames and sound.

    Attributes:
        frames: of the swapped video.
        wanted: frames of the footage.
        missing: frames of the footage at whose times the swapped video shows none.
        extra: frames of the swapped video at times at which the footage shows none.
        shift: largest difference, s, between times of frames with the same number, over all that both have.
        same_size: width, height and shape of pixels agree.
        same_sound: every audio packet agrees byte for byte, and starts when it should.
        flags: one line a fault; empty when all is as it was.
    """

    frames: int
    wanted: int
    missing: int
    extra: int
    shift: float
    same_size: bool
    same_sound: bool
    flags: tuple[str, ...]


def match_media(swapped: MediaFacts, footage: MediaFacts, *, is_part: bool = False) -> MediaMatch:
    """Compare the facts of two files.

    Args:
        swapped: of the swap.
        footage: of the video that received the face, or of the part that was swapped.
        is_part: which of the two; if all of it, a swap that ends much earlier may be one of a part.
    """
    times, wanted = np.asarray(swapped.seconds), np.asarray(footage.seconds)
    common = min(len(times), len(wanted))
    shift = float(np.abs(times[:common] - wanted[:common]).max()) if common else 0.0
    missing, extra = _unmatched(wanted, times), _unmatched(times, wanted)
    same_size = (swapped.size, swapped.pixel_shape) == (footage.size, footage.pixel_shape)
    sound_faults = tuple(_sound_faults(swapped, footage))
    flags = []
    if len(times) != len(wanted):
        is_short = not is_part and common > 0 and wanted[-1] - times[-1] > _SHORT
        hint = "; is it a part? then give the --start and --end that convert was given" if is_short else ""
        flags.append(f"{len(times)} frames instead of {len(wanted)}{hint}")
    if missing or extra:
        flags.append(f"no frame at {missing} of the footage's times, {extra} frames at other times")
    if not same_size:
        flags.append(f"{_size(swapped)} instead of {_size(footage)}")
    flags.extend(sound_faults)
    return MediaMatch(len(times), len(wanted), missing, extra, shift, same_size, not sound_faults, tuple(flags))


def _unmatched(times: np.ndarray, others: np.ndarray) -> int:
    """Count times that have no like among others, both ascending."""
    if not len(others):
        return len(times)
    right = np.searchsorted(others, times).clip(0, len(others) - 1)
    left = np.maximum(right - 1, 0)
    gap = np.minimum(np.abs(others[right] - times), np.abs(others[left] - times))
    return int((gap > TOLERANCE).sum())


def _sound_faults(swapped: MediaFacts, footage: MediaFacts) -> Iterator[str]:
    if len(swapped.sound) != len(footage.sound):
        yield f"{len(swapped.sound)} audio streams instead of {len(footage.sound)}"
        return
    for number, (own, wanted) in enumerate(zip(swapped.sound, footage.sound, strict=True)):
        if own.sha256 != wanted.sha256:
            counts = f"{own.codec}, {own.packets} packets instead of {wanted.codec}, {wanted.packets}"
            yield f"audio stream {number} is not the footage's: encoded anew or cut ({counts})"
        elif abs(own.start - wanted.start) > TOLERANCE:
            yield f"audio stream {number} starts at {own.start:.3f} s instead of {wanted.start:.3f} s"


def _size(facts: MediaFacts) -> str:
    return f"{facts.size[0]}x{facts.size[1]} px of shape {facts.pixel_shape}"
