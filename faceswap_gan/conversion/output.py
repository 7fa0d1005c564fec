"""Swapped frames to a finished file that says what it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from faceswap_gan import __version__
from faceswap_gan.conversion.blending import Picture
from faceswap_gan.conversion.layout import Layout, lay_out, layout_size
from faceswap_gan.conversion.leftovers import OWN_MARK, remove_leftovers
from faceswap_gan.conversion.marking import Marking
from faceswap_gan.conversion.mask_files import write_mask_file
from faceswap_gan.conversion.pipeline import STRETCH, Border
from faceswap_gan.conversion.progress import with_progress
from faceswap_gan.conversion.settings import OutputSettings
from faceswap_gan.conversion.swapper import SwappedFrame
from faceswap_gan.conversion.work import WorkFolder
from faceswap_gan.errors import FaceSwapError, NoFaceError, SettingsError
from faceswap_gan.media.video import (
    Frame,
    OutputPlan,
    SegmentWriter,
    VideoInfo,
    VideoWriter,
    exact_part,
    join_segments,
    plan_output,
    read_info,
)

TRAINED = "compositeWithTrainedAlgorithmicMedia"
"""Digital source type of a picture into which a trained network painted."""

log = logging.getLogger(__name__)


def make_metadata(consent: str, digital_source_type: str = TRAINED) -> dict[str, str]:
    """Make the container tags that name a video as synthetic.

    Args:
        consent: who agreed to what.
        digital_source_type: how it came about, a term of IPTC's list.

    References:
        IPTC NewsCodes, digital source type.
    """
    made = "AI-generated" if digital_source_type == TRAINED else "Synthetic"
    mark = f"{made}: {OWN_MARK} {__version__}"
    return {
        "comment": mark,
        "description": mark,
        "digital_source_type": digital_source_type,
        "consent": consent,
    }


@dataclass(frozen=True)
class Product:
    """A file in the making.

    Attributes:
        plan: how it is encoded.
        settings: what is written of which part of the footage.
        marking: how it says that it is synthetic.
    """

    plan: OutputPlan
    settings: OutputSettings
    marking: Marking

    def join(self, files: Sequence[Path], plan: OutputPlan, *, end: float | None) -> None:
        """Join segments to a file, which is signed before it appears; of a folder an earlier result's rest goes."""
        metadata = make_metadata(self.marking.facts.consent, self.marking.facts.digital_source_type)
        written: set[str] = set()
        seal = partial(_seal, self.marking, plan.path, written)
        join_segments(files, plan, metadata=metadata, start=self.settings.start, end=end, seal=seal)
        remove_leftovers(plan.like.path, plan.path, written)


@dataclass(frozen=True)
class ReadyFrame:
    """A frame to encode.

    Attributes:
        frame: as it was read.
        image: what shall be shown, RGB uint8 or uint16.
        touched: where that may differ from the footage, uint8 (H, W); None: anywhere.
        mask: what is painted, uint8 (H, W).
        faces: how many faces were swapped.
    """

    frame: Frame
    image: Picture
    touched: npt.NDArray[np.uint8] | None
    mask: npt.NDArray[np.uint8]
    faces: int


def prepare_frames(
    painted: Iterable[SwappedFrame | Border], marking: Marking, layout: Layout
) -> Iterator[ReadyFrame | Border]:
    """Mark painted frames and lay them out; borders pass."""
    for entry in painted:
        yield entry if isinstance(entry, Border) else _prepare(entry, marking, layout)


def _prepare(entry: SwappedFrame, marking: Marking, layout: Layout) -> ReadyFrame:
    touched = entry.mask
    if entry.faces or marking.label is not None:
        marked = marking.mark(entry.image, entry.mask)
        entry, touched = replace(entry, image=marked.image), marked.touched
    image = lay_out(entry, layout)
    return ReadyFrame(entry.frame, image, touched if layout == "swap" else None, entry.mask, entry.faces)


def _check_masks(folder: Path | None, footage: Path, output: Path) -> None:
    """Refuse a place where masks would replace other pictures, or cannot be written."""
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"expected a folder for --write-masks, got {folder}, which is a file; give another.")
    if folder.resolve() in (footage.resolve(), output.resolve()):
        raise SettingsError(
            f"expected a folder of its own for --write-masks, got {folder}, which holds the pictures of the video or "
            "output: masks would replace them."
        )


def plan_product(footage: Path, output: Path, settings: OutputSettings) -> OutputPlan:
    """Settle how the output is encoded, and refuse now what would fail at the end.

    Raises:
        MediaError: the footage cannot be read, or the output cannot be written as told.
        SettingsError: a part of the footage that is none, or a folder of masks that is no place for them.
    """
    _check_masks(settings.write_masks, footage, output)
    exact_part(settings.start, settings.end)
    info = read_info(footage)
    size = layout_size(settings.output_layout, info.width, info.height)
    return plan_output(output, like=info, size=size, codec=settings.codec, crf=settings.crf, preset=settings.preset)


def write_stretches(ready: Iterator[ReadyFrame | Border], work: WorkFolder, product: Product) -> None:
    """Encode frames, a segment of the work folder for every stretch.

    Args:
        ready: from `prepare_frames`; every stretch ends in a border.
        work: takes the segments.
        product: what is made of them.

    Raises:
        MediaError: the disk does not take them.
    """
    settings = product.settings
    for first in ready:
        file = work.path(len(work.segments), ".segment")
        swapped = frames = 0
        with SegmentWriter(file, product.plan) as writer:
            for entry in chain([first], ready):
                if isinstance(entry, Border):
                    border = entry
                    break
                writer.write(entry.frame, entry.image, entry.touched)
                if settings.write_masks is not None:
                    write_mask_file(settings.write_masks, entry.frame.index, entry.mask, settings.mask_format)
                frames, swapped = frames + 1, swapped + (entry.faces > 0)
        work.record(file, border, frames=frames, swapped=swapped)


def finish_output(work: WorkFolder, product: Product) -> None:
    """Join the segments to the finished file, which appears whole; the work folder goes.

    Raises:
        MediaError: the disk does not take it.
    """
    plan = product.plan
    product.join(work.files, plan, end=product.settings.end)
    work.remove()
    _tell(plan.path, work.frames, sum(segment.swapped for segment in work.segments))


@contextmanager
def kept_when_stopped(work: WorkFolder, product: Product) -> Iterator[None]:
    """Leave what is finished as a file that plays when the user stops the work; leave no folder that helps nobody.

    Whichever way it ends, other runs may have the work folder then.
    """
    try:
        yield
    except KeyboardInterrupt:
        if work.segments:
            leave_part(work, product)
        else:
            log.info("stopped before the first %d frames were finished; the same command goes on", STRETCH)
        raise
    except FaceSwapError:
        if work.is_worth_keeping:
            log.info("%s keeps what is done: another run goes on from there", work.folder)
        else:
            work.remove()
        raise
    finally:
        work.release()


def leave_part(work: WorkFolder, product: Product) -> None:
    """Join the segments that are finished to a file of their own; the work folder stays.

    Raises:
        MediaError: the disk does not take it.
    """
    plan = replace(product.plan, path=work.leave_part())
    product.join(work.files, plan, end=work.segments[-1].until)
    log.info("stopped: %s holds the first %d frames; the same command goes on", plan.path, work.frames)


def write_swapped(
    swapped: Iterable[SwappedFrame], output: Path, info: VideoInfo, *, marking: Marking, layout: Layout = "swap"
) -> None:
    """Mark and encode frames in one go and say in the log what became of them.

    Args:
        swapped: the frames in order; those without a face unchanged.
        output: where the result goes; written whole or not at all.
        info: of the video that the frames come from: its times, size, colours and sound are kept.
        marking: how the result says that it is synthetic.
        layout: what a written frame shows.

    Raises:
        NoFaceError: no frame has a face; nothing is written.
        MediaError: the output cannot be written.
        MarksError: it cannot be signed.
        SettingsError: an unknown layout.
    """
    frames = faces = 0
    size = layout_size(layout, info.width, info.height)
    metadata = make_metadata(marking.facts.consent, marking.facts.digital_source_type)
    written: set[str] = set()
    seal = partial(_seal, marking, output, written)
    with VideoWriter(output, like=info, size=size, metadata=metadata, seal=seal) as writer:
        for entry in with_progress(swapped, info.frames or None, "converting"):
            ready = _prepare(entry, marking, layout)
            writer.write(ready.frame, ready.image, ready.touched)
            frames += 1
            faces += entry.faces > 0
        if not faces:
            raise NoFaceError(f"expected a face in {info.path}, got none in {frames} frames; choose another video.")
    remove_leftovers(info.path, output, written)
    _tell(output, frames, faces)


def _seal(marking: Marking, output: Path, written: set[str], made: Path) -> None:
    """Sign a finished output, under its temporary name, and note which pictures a folder holds."""
    marking.finish(made, final=output)
    written.update(picture.name for picture in (made.iterdir() if made.is_dir() else ()))


def _tell(output: Path, frames: int, swapped: int) -> None:
    unchanged = f", {frames - swapped} without a face left as they were" if frames > swapped else ""
    log.info("%s: %d frames, %d swapped%s", output, frames, swapped, unchanged)
