"""Frames with their faces found to frames with their faces swapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.blending import Layer, Picture, bring, lay, under, warp
from faceswap_gan.conversion.deflicker import Deflicker, PaintedFace, PaintedFrame
from faceswap_gan.conversion.detail import detail_weight
from faceswap_gan.conversion.edge import shape_mask, square, whole
from faceswap_gan.conversion.finish import FACE, FinishSettings
from faceswap_gan.conversion.look import Look, Surface
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.faces.finder import FoundFrame
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.media.images import resize, to_float
from faceswap_gan.media.video import Frame
from faceswap_gan.nn.generator import Swap

Floats = npt.NDArray[np.float32]
SwapFunction = Callable[[Floats], Swap]
RegionFunction = Callable[[npt.NDArray[np.uint8], FaceCrop], npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class SwappedFrame:
    """A frame before and after.

    Attributes:
        frame: as it was read.
        image: swapped, RGB (H, W, 3), uint16 where the frame has more than 8 bits (its `Frame.deep`), else uint8;
            the frame's own array where no face was found.
        mask: what is painted, uint8 (H, W).
        faces: how many faces were swapped.
    """

    frame: Frame
    image: Picture
    mask: npt.NDArray[np.uint8]
    faces: int


def swap_frames(
    found: Iterable[FoundFrame],
    swap: SwapFunction,
    *,
    size: int,
    finish: FinishSettings | None = None,
    batch: int = 16,
    region: RegionFunction | None = None,
) -> Iterator[SwappedFrame]:
    """Swap the faces of frames, in order.

    Holds at most ``batch`` frames and two. The network always sees ``batch`` crops, the last batch filled up, so that
    a compiled one is compiled once.

    Args:
        found: frames with their aligned crops.
        swap: the trained network, crops float32 (N, size, size, 3) in [-1, 1] to `Swap`.
        size: side of the crops the network takes, px.
        finish: colour, edge and surface of what is painted; the defaults if None.
        batch: crops to swap at once.
        region: draws where a face may be painted at all, from its frame and crop: uint8 (S, S) of any side over
            the crop's square, 255 = painted as the network says; the whole face if None. Colours are matched
            over the whole face either way.

    Raises:
        SettingsError: ``batch`` is not positive.
        ModelError: the network gives arrays of another shape, or numbers that are not finite.
    """
    painter = Painter(swap, size=size, finish=finish, batch=batch, region=region)
    waiting: list[FoundFrame] = []
    for entry in found:
        waiting.append(entry)
        if len(waiting) >= batch or sum(len(w.faces) for w in waiting) >= batch:
            yield from painter.paint(waiting, last=False)
            waiting = []
    yield from painter.paint(waiting)


class Painter:
    """Paints the faces of one model into frame after frame; remembers each person's colours.

    Args:
        swap: the trained network, crops float32 (N, size, size, 3) in [-1, 1] to `Swap`.
        size: side of the crops the network takes, px.
        finish: colour, edge and surface of what is painted; the defaults if None.
        batch: crops to swap at once.
        region: see `swap_frames`.

    Raises:
        SettingsError: ``batch`` is not positive.
    """

    def __init__(
        self,
        swap: SwapFunction,
        *,
        size: int,
        finish: FinishSettings | None = None,
        batch: int = 16,
        region: RegionFunction | None = None,
    ) -> None:
        if batch < 1:
            raise SettingsError(f"expected --batch of at least 1, got {batch}.")
        finish = finish or FinishSettings()
        self._swap, self._size, self._batch, self._finish = swap, size, batch, finish
        self._square = square(size, finish.coverage)
        self._region = region
        self._deflicker = Deflicker(finish.deflicker)
        self._looks: defaultdict[int, Look] = defaultdict(lambda: Look(finish))

    def paint(self, entries: Sequence[FoundFrame], *, last: bool = True) -> Iterator[SwappedFrame]:
        """Swap all faces of a few frames, in order: `run` and `paint_over`.

        Raises:
            ModelError: the network gives arrays of another shape, or numbers that are not finite.
        """
        painted = self.run(entries, last=last)
        yield from self.paint_over([untouched(each.found.frame) for each in painted], painted)

    def run(self, entries: Sequence[FoundFrame], *, last: bool) -> list[PaintedFrame]:
        """Run the network on the faces of some frames, in order.

        Args:
            entries: that follow those of the call before.
            last: nothing follows that these faces are to be steadied by.

        Returns:
            The frames whose neighbours are known, as `Deflicker.feed`: unless ``last`` is set, one is held back for
            the next call. Nothing else is remembered, so that this may be ahead of `paint_over` in another thread.

        Raises:
            ModelError: the network gives arrays of another shape, or numbers that are not finite.
        """
        ahead = self._run([resize(face.image, self._size) for entry in entries for face in entry.faces])
        painted = [PaintedFrame(entry, tuple(islice(ahead, len(entry.faces)))) for entry in entries]
        return self._deflicker.feed(painted, last=last)

    def paint_over(self, below: Sequence[SwappedFrame], painted: Sequence[PaintedFrame]) -> Iterator[SwappedFrame]:
        """Lay swapped faces into frames into which another painter may have painted already.

        Args:
            below: frames, in order; not changed.
            painted: what `run` gave of the same frames. The crops are of the frames as they were read.
        """
        for done, own in zip(below, painted, strict=True):
            yield self._paint_frame(done, own) if own.faces else done

    def state(self) -> dict[str, Any]:
        """Give what lasts from frame to frame, for `restore`: plain JSON types, exact when read back.

        It belongs behind a ``last`` run, where no frame is held back: that one would be lost. What a face left behind
        that has been gone for long is dropped: it would start anew anyway.
        """
        newest = max((look.at for look in self._looks.values()), default=0.0)
        return {str(track): look.state() for track, look in self._looks.items() if look.lasts(newest)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` as if there had been no pause: what is painted then is equal, bit for bit."""
        self._deflicker = Deflicker(self._finish.deflicker)
        self._looks.clear()
        for track, kept in state.items():
            self._looks[int(track)].restore(kept)

    def _paint_frame(self, done: SwappedFrame, own: PaintedFrame) -> SwappedFrame:
        image, mask = done.image.copy(), done.mask.copy()
        for face, painted in zip(own.found.faces, own.faces, strict=True):
            layer = self._paint_face(image, done.frame, face, painted)
            if layer is not None:
                lay(image, mask, layer)
        return replace(done, image=image, mask=mask, faces=done.faces + len(own.faces))

    def _paint_face(self, image: Picture, frame: Frame, face: FaceCrop, painted: PaintedFace) -> Layer | None:
        if face.alignment is None:
            raise SettingsError(f"expected an aligned crop in frame {face.frame}, got one without alignment.")
        crop, rgb, mask = painted
        finish, look = self._finish, self._looks[face.track]
        alpha = shape_mask(whole(mask) * self._square, erode=finish.erode, feather=finish.feather)
        shown = alpha
        if self._region is not None:
            region = resize(self._region(frame.image, face), self._size)
            shown = alpha * (region.astype(np.float32) / np.float32(255))
        rgb = look.on_crop(rgb.clip(0, 255), crop, alpha, shown, frame.seconds)
        layer = warp(rgb, shown, face.alignment, frame.image.shape)
        if layer is None or not (finish.detail or finish.match_grain):
            return layer
        surface = Surface(frame.index, face.track, FACE * face.alignment.size / face.alignment.scale)
        if finish.detail and face.landmarks is not None:
            points = (face.landmarks + 0.5) * (self._size / face.alignment.size) - 0.5
            weight = bring(detail_weight(rgb, crop, points), face.alignment, layer.place)
            surface = replace(surface, detail=weight)
        return look.on_frame(layer, under(image, layer.place), surface)

    def _run(self, crops: list[npt.NDArray[np.uint8]]) -> Iterator[PaintedFace]:
        """Give each crop with its colours in [0, 255] and mask, in order; runs the network batch by batch."""
        for start in range(0, len(crops), self._batch):
            part = np.stack(crops[start : start + self._batch])
            filled = np.zeros((self._batch, self._size, self._size, 3), np.float32)
            filled[: len(part)] = to_float(part)
            swap = self._swap(filled)
            rgb, mask = np.asarray(swap.rgb, np.float32), np.asarray(swap.mask, np.float32)
            _check(rgb, filled.shape)
            _check(mask, (*filled.shape[:3], 1))
            for i, crop in enumerate(part):
                yield PaintedFace(crop.astype(np.float32), (rgb[i] + 1) * np.float32(127.5), mask[i, ..., 0])


def untouched(frame: Frame) -> SwappedFrame:
    """Describe a frame into which nothing is painted yet."""
    return SwappedFrame(frame, original(frame), np.zeros(frame.image.shape[:2], np.uint8), 0)


def original(frame: Frame) -> Picture:
    """Give a frame's picture at its full depth: RGB uint16 (H, W, 3) above 8 bits, else uint8."""
    deep = frame.deep
    return frame.image if deep is None else deep


def _check(array: Floats, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ModelError(f"expected the network to give {shape}, got {array.shape}; train a new model.")
    if not np.isfinite(array).all():
        raise ModelError(
            "expected finite colours from the network, got NaN or infinity; its training went astray: "
            "delete the newest checkpoint and train on, or train a new model."
        )
