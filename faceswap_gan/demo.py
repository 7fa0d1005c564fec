"""The whole job on two drawn people, and how close it comes to the exact truth."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap_gan.config import Perceptual
from faceswap_gan.conversion.consent import DRAWN
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from faceswap_gan.synthetic.clips import Pair

    Picture = NDArray[np.uint8]

log = logging.getLogger("faceswap_gan.demo")

_ROWS = 8
_SIDE = 224  # px of one picture of the sheet
_MEASURED = 60  # frames, spread over the video
_ERODE = -0.03  # without a mesh the region is drawn from five points, and stops short of a face's rim


@dataclass(frozen=True)
class Closeness:
    """How close pictures come to the truth inside the face; means over frames."""

    psnr: float
    """dB."""
    ssim: float
    """In [-1, 1]."""


@dataclass(frozen=True)
class Moment:
    """One frame of the footage, what the swap made of it, and what it should be."""

    footage: Picture
    swap: Picture
    truth: Picture
    face: Picture
    """Where the true face is, uint8 (H, W), 255 = face."""


def run(
    *,
    out: Path = Path("demo_out"),
    minutes: float = 10.0,
    steps: int | None = None,
    preset: str = "fast",
    seconds: float = 10.0,
    seed: int = 0,
    perceptual: Perceptual | None = None,
) -> None:
    """Swap two people that the program draws itself, and compare the result with the exact truth.

    Writes the two videos, the workspace, the swapped video, a contact sheet (footage, swap, truth) and the
    figures: PSNR and SSIM inside the face, beside those of the footage left as it is. Colours are not matched
    to the footage, because the true swap has the painted person's own skin.

    Args:
        out: Folder that receives everything.
        minutes: How long to train.
        steps: How many steps to train, instead of minutes.
        preset: Named settings of model and training.
        seconds: Length of each video.
        seed: Draws the performances and everything random in training.
        perceptual: Network of the perceptual loss, the preset's by default; none trains without.

    Raises:
        FaceSwapError: A file cannot be written, or a setting is outside what it may be.
    """
    from faceswap_gan import swap, train
    from faceswap_gan.media.images import write_image, write_whole
    from faceswap_gan.synthetic.clips import write_pair

    home, most = out / "workspace", None if steps else minutes
    train.check_flags(home / "model", steps=steps, minutes=most, preset=preset, seed=seed, perceptual=perceptual)
    book, drawing = out / "drawing.json", json.dumps({"seconds": seconds, "seed": seed})
    _check_drawing(book, drawing)
    log.info("demo: drawing two people, %.3g seconds of video each", seconds)
    pair = write_pair(out, seconds=seconds, seed=seed)
    write_whole(book, drawing.encode())
    finished, sheet = out / "swapped.mp4", out / "sheet.png"
    swap.run(
        pair.src, pair.dst, finished,
        workspace=home, minutes=most, steps=steps, preset=preset,
        finish=FinishSettings(color="none", detail=0.0, erode=_ERODE), consent=DRAWN,
        seed=seed, perceptual=perceptual,
    )  # fmt: skip
    moments = list(_moments(pair, finished))
    figures = {
        "swap": _closeness([(m.swap, m.truth, m.face) for m in moments]),
        "floor": _closeness([(m.footage, m.truth, m.face) for m in moments]),
    }
    write_image(sheet, _draw_sheet(moments))
    write_whole(out / "figures.json", json.dumps({k: asdict(v) for k, v in figures.items()}).encode())
    for name, text in (("swap", "the swap"), ("floor", "the footage left as it is")):
        found = figures[name]
        log.info("inside the face, %s: PSNR %.2f dB, SSIM %.3f", text, found.psnr, found.ssim)
    log.info("video: %s", finished.resolve())
    log.info("sheet (footage, swap, truth): %s", sheet.resolve())


def _check_drawing(book: Path, drawing: str) -> None:
    """Refuse to draw another pair beside an older one's swap, by the note that the older one left."""
    before = book.read_text(encoding="utf-8") if book.is_file() else drawing
    if before != drawing:
        raise SettingsError(
            f"expected {before}, with which {book.parent} was drawn, got {drawing}; name another --out, or give the "
            "same --seconds and --seed."
        )


def _moments(pair: Pair, finished: Path) -> Iterator[Moment]:
    """Read the footage and the finished video beside the freshly drawn truth, at frames spread over time."""
    from faceswap_gan.media.video import read_frames

    every = max(1, len(pair.dst_clip.poses) // _MEASURED)
    clip = replace(pair.dst_clip, poses=pair.dst_clip.poses[::every])
    videos = (read_frames(path, every=every) for path in (pair.dst, finished))
    for footage, swapped, true in zip(*videos, clip.frames(pair.src_clip.person), strict=True):
        yield Moment(footage.image, swapped.image, true.image, true.face_mask)


def _closeness(judged: list[tuple[Picture, Picture, Picture]]) -> Closeness:
    """Average over (picture, truth, face mask)."""
    from faceswap_gan.metrics.reconstruction import psnr, ssim

    means = [sum(measure(*one) for one in judged) / len(judged) for measure in (psnr, ssim)]
    return Closeness(*means)


def _draw_sheet(moments: list[Moment]) -> Picture:
    """Lay out rows of footage, swap and truth, cut around the face, under a line of headings."""
    import numpy as np

    from faceswap_gan.media.images import resize

    chosen = [moments[i] for i in np.linspace(0, len(moments) - 1, min(_ROWS, len(moments))).astype(int)]
    rows = []
    for moment in chosen:
        window = _face_window(moment.face)
        pictures = (moment.footage, moment.swap, moment.truth)
        rows.append(np.hstack([resize(picture[window], _SIDE) for picture in pictures]))
    return np.vstack([_heading("footage", "swap", "truth"), *rows])


def _face_window(face: Picture) -> tuple[slice, slice]:
    """A square around the face with a third of margin, inside the picture."""
    import numpy as np

    rows, columns = np.nonzero(face)
    limit = min(face.shape)
    side = min(limit, int(max(np.ptp(rows), np.ptp(columns)) * 4 / 3) + 1)
    top = int(np.clip((rows.min() + rows.max() - side) // 2, 0, face.shape[0] - side))
    left = int(np.clip((columns.min() + columns.max() - side) // 2, 0, face.shape[1] - side))
    return slice(top, top + side), slice(left, left + side)


def _heading(*words: str) -> Picture:
    import cv2
    import numpy as np

    strip = np.full((32, _SIDE * len(words), 3), 255, np.uint8)
    for column, word in enumerate(words):
        at = (column * _SIDE + 10, 22)
        cv2.putText(strip, word, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("demo")
