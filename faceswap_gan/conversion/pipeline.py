"""The second pass over a video: its frames with every person painted, stretch by stretch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from faceswap_gan.conversion.swapper import SwappedFrame, untouched
from faceswap_gan.faces.cutting import crops_of
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.people import People
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.video import Frame

STRETCH = 240
"""Frames from one border to the next."""


class Painter(Protocol):
    """Swaps the faces of frames by one model, and remembers what lasts from frame to frame."""

    def paint_over(
        self, below: Sequence[SwappedFrame], faces: Sequence[Sequence[FaceCrop]]
    ) -> Iterator[SwappedFrame]:
        """Swap this painter's faces of each frame, into which others may have painted already."""

    def state(self) -> dict[str, Any]:
        """Give what is remembered, ready for JSON."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what another painter remembered."""


@dataclass(frozen=True)
class Role:
    """A model and whom it paints.

    Attributes:
        painter: the model's.
        people: whom it paints, frame by frame.
        size: side at which the model's faces are cut out, px.
    """

    painter: Painter
    people: People
    size: int


@dataclass(frozen=True)
class Border:
    """The end of a stretch: nothing before it is waiting, all that lasts beyond it is in the state.

    Attributes:
        next_frame: number of the first frame after it.
        until: when its last frame ends, s.
        state: what the painters remember, ready for JSON.
    """

    next_frame: int
    until: float
    state: dict[str, Any]


def paint_frames(
    frames: Iterable[Frame], scan: FaceScan, roles: Sequence[Role], *, batch: int, stretch: int
) -> Iterator[SwappedFrame | Border]:
    """Paint every person of a video, batches across frames.

    A batch never spans a border, so that a run which takes up a state there makes the same batches, hence the
    same pixels, as one that was never stopped. Holds at most ``batch`` frames.

    Args:
        frames: of the scanned video, from its beginning or from a border.
        scan: smoothed.
        roles: at least one; a later one paints over an earlier one.
        batch: frames, or faces, to swap at once.
        stretch: frames from one border to the next.

    Yields:
        The painted frames in order, those without a face unchanged, and a border after every ``stretch`` of them
        and at the end.
    """
    waiting: list[Frame] = []
    faces = count = 0
    for frame in frames:
        waiting.append(frame)
        faces += max(sum(t is not None for t in role.people.get(frame.index, ())) for role in roles)
        count += 1
        is_border = count % stretch == 0
        if is_border or len(waiting) >= batch or faces >= batch:
            yield from _paint(waiting, scan, roles)
            waiting, faces = [], 0
        if is_border:
            yield _border(frame, roles)
    yield from _paint(waiting, scan, roles)
    if count % stretch:
        yield _border(frame, roles)


def restore(roles: Sequence[Role], state: Mapping[str, Any]) -> None:
    """Take up what the painters remembered at a border."""
    for number, role in enumerate(roles):
        role.painter.restore(state[str(number)])


def _border(last: Frame, roles: Sequence[Role]) -> Border:
    until = float((last.pts + last.duration) * last.time_base)
    return Border(last.index + 1, until, {str(number): role.painter.state() for number, role in enumerate(roles)})


def _paint(frames: list[Frame], scan: FaceScan, roles: Sequence[Role]) -> Iterator[SwappedFrame]:
    """Let one painter after another work on the same frames."""
    *earlier, last = roles
    done = [untouched(frame) for frame in frames]
    for role in earlier:
        done = list(role.painter.paint_over(done, _cut(frames, scan, role)))
    yield from last.painter.paint_over(done, _cut(frames, scan, last))


def _cut(frames: list[Frame], scan: FaceScan, role: Role) -> list[tuple[FaceCrop, ...]]:
    return [crops_of(frame, scan, role.people, size=role.size) for frame in frames]
