"""Frames with their faces found to frames with their faces swapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.blending import Pasted, feather, paste
from faceswap_gan.conversion.color import ColorMethod, SteadyColor, match
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
        image: swapped, RGB uint8 (H, W, 3); the frame's own array where no face was found.
        mask: what is painted, uint8 (H, W).
        faces: how many faces were swapped.
    """

    frame: Frame
    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]
    faces: int


def swap_frames(
    found: Iterable[FoundFrame],
    swap: SwapFunction,
    *,
    size: int,
    color: ColorMethod = "mean_std",
    coverage: float = 0.95,
    batch: int = 16,
    region: RegionFunction | None = None,
) -> Iterator[SwappedFrame]:
    """Swap the faces of frames, in order.

    Holds at most ``batch`` frames. The network always sees ``batch`` crops, the last batch filled up, so that
    a compiled one is compiled once.

    Args:
        found: frames with their aligned crops.
        swap: the trained network, crops float32 (N, size, size, 3) in [-1, 1] to `Swap`.
        size: side of the crops the network takes, px.
        color: how the painted colours are brought to the frame's, see `match`.
        coverage: part of the crop's side that may be painted.
        batch: crops to swap at once.
        region: draws where a face may be painted at all, from its frame and crop: uint8 (S, S) of any side over
            the crop's square, 255 = painted as the network says; the whole face if None. Colours are matched
            over the whole face either way.

    Raises:
        SettingsError: ``batch`` is not positive, an unknown ``color``, or ``coverage`` outside (0, 1].
        ModelError: the network gives arrays of another shape, or numbers that are not finite.
    """
    if batch < 1:
        raise SettingsError(f"expected --batch of at least 1, got {batch}.")
    painter = _Painter(swap, size=size, color=color, coverage=coverage, batch=batch, region=region)
    waiting: list[FoundFrame] = []
    for entry in found:
        waiting.append(entry)
        if len(waiting) >= batch or sum(len(w.faces) for w in waiting) >= batch:
            yield from painter.paint(waiting)
            waiting = []
    yield from painter.paint(waiting)


class _Painter:
    """Swaps batches of frames; remembers each person's colour map."""

    def __init__(
        self,
        swap: SwapFunction,
        *,
        size: int,
        color: ColorMethod,
        coverage: float,
        batch: int,
        region: RegionFunction | None,
    ) -> None:
        self._swap, self._size, self._color, self._batch = swap, size, color, batch
        self._square = feather(size, coverage)
        self._region = region
        self._steady: defaultdict[int, SteadyColor] = defaultdict(SteadyColor)

    def paint(self, entries: list[FoundFrame]) -> Iterator[SwappedFrame]:
        """Swap all faces of a few frames."""
        crops = [resize(face.image, self._size) for entry in entries for face in entry.faces]
        swaps = self._run(crops)
        for entry in entries:
            pasted = Pasted(entry.frame.image, np.zeros(entry.frame.image.shape[:2], np.uint8))
            for face in entry.faces:
                crop, rgb, mask = next(swaps)
                pasted = self._lay(pasted, face, (crop, rgb, mask), entry.frame)
            yield SwappedFrame(entry.frame, pasted.image, pasted.mask, len(entry.faces))

    def _run(self, crops: list[npt.NDArray[np.uint8]]) -> Iterator[tuple[Floats, Floats, Floats]]:
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
                yield crop.astype(np.float32), (rgb[i] + 1) * np.float32(127.5), mask[i, ..., 0]

    def _lay(self, pasted: Pasted, face: FaceCrop, painted: tuple[Floats, Floats, Floats], frame: Frame) -> Pasted:
        crop, rgb, mask = painted
        if face.alignment is None:
            raise SettingsError(f"expected an aligned crop in frame {face.frame}, got one without alignment.")
        alpha = np.clip(mask, 0, 1) * self._square
        rgb = rgb.clip(0, 255)
        if self._color != "none":
            found = match(rgb, crop, alpha, method=self._color)
            rgb = self._steady[face.track].update(found, frame.seconds).apply(rgb)
        if self._region is not None:
            alpha = alpha * (resize(self._region(frame.image, face), self._size) / np.float32(255))
        laid = paste(pasted.image, rgb, alpha, face.alignment)
        return Pasted(laid.image, np.maximum(laid.mask, pasted.mask))


def _check(array: Floats, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ModelError(f"expected the network to give {shape}, got {array.shape}; train a new model.")
    if not np.isfinite(array).all():
        raise ModelError(
            "expected finite colours from the network, got NaN or infinity; its training went astray: "
            "delete the newest checkpoint and train on, or train a new model."
        )
