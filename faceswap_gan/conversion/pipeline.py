"""The second pass over a video: its frames with every person painted, stretch by stretch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

from faceswap_gan.conversion.deflicker import PaintedFrame
from faceswap_gan.conversion.swapper import SwappedFrame, untouched
from faceswap_gan.faces.cutting import crops_of
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.people import People
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.video import Frame
from faceswap_gan.threads import in_thread

STRETCH = 240
"""Frames from one border to the next."""


class Painter(Protocol):
    """Swaps the faces of frames by one model, and remembers what lasts from frame to frame."""

    def run(self, entries: Sequence[FoundFrame], *, last: bool) -> Sequence[PaintedFrame]:
        """Run the network on the faces of the next frames; see `swapper.Painter.run`."""

    def paint_over(self, below: Sequence[SwappedFrame], painted: Sequence[PaintedFrame]) -> Iterator[SwappedFrame]:
        """Lay what `run` made of this painter's faces into frames, into which others may have painted already."""

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


@dataclass(frozen=True)
class _Batch:
    """Consecutive frames, as each role's network painted them."""

    painted: list[Sequence[PaintedFrame]]
    is_last: bool  # a border follows


def paint_frames(
    frames: Iterable[Frame], scan: FaceScan, roles: Sequence[Role], *, batch: int, stretch: int
) -> Iterator[SwappedFrame | Border]:
    """Paint every person of a video, batches across frames.

    Neither a batch nor what steadies faces spans a border, so that a run which takes up a state there makes the same
    pixels as one that was never stopped. The networks run a batch ahead in a thread of their own: at most three times
    ``batch`` frames are held, and two.

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
    with closing(in_thread(_swap(frames, scan, roles, batch, stretch), ahead=1)) as batches:
        for now in batches:
            done = [untouched(each.found.frame) for each in now.painted[0]]
            for role, painted in zip(roles, now.painted, strict=True):
                done = list(role.painter.paint_over(done, painted))
            yield from done
            if now.is_last:
                yield _border(done[-1].frame, roles)


def restore(roles: Sequence[Role], state: Mapping[str, Any]) -> None:
    """Take up what the painters remembered at a border."""
    for number, role in enumerate(roles):
        role.painter.restore(state[str(number)])


def _border(last: Frame, roles: Sequence[Role]) -> Border:
    until = float((last.pts + last.duration) * last.time_base)
    return Border(last.index + 1, until, {str(number): role.painter.state() for number, role in enumerate(roles)})


def _swap(
    frames: Iterable[Frame], scan: FaceScan, roles: Sequence[Role], batch: int, stretch: int
) -> Iterator[_Batch]:
    """Run the networks, batch after batch."""
    waiting: list[Frame] = []
    faces = count = 0
    source = iter(frames)
    frame = next(source, None)
    while frame is not None:
        waiting.append(frame)
        faces += max(sum(t is not None for t in role.people.get(frame.index, ())) for role in roles)
        count += 1
        frame = next(source, None)
        is_last = frame is None or count % stretch == 0
        if is_last or len(waiting) >= batch or faces >= batch:
            own = [
                [FoundFrame(each, crops_of(each, scan, role.people, size=role.size)) for each in waiting]
                for role in roles
            ]
            painted = [role.painter.run(each, last=is_last) for role, each in zip(roles, own, strict=True)]
            yield _Batch(painted, is_last)
            waiting, faces = [], 0
