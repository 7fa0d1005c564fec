"""Two videos become one: extract, masks, train and convert in a row, skipping what is already there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from faceswap_gan.config import Perceptual, TeacherChoice
from faceswap_gan.conversion.consent import require_consent
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.settings import MarkSettings, OutputSettings, PeopleSettings
from faceswap_gan.errors import FaceFolderError, SettingsError

log = logging.getLogger("faceswap_gan.swap")

BOOK = "stages.json"
Inputs = dict[str, str | int]
"""What a stage was made from, as written to the workspace's book of finished stages."""


def run(
    src_video: Path,
    dst_video: Path,
    output: Path,
    *,
    workspace: Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    preset: str | None = None,
    batch: int | None = None,
    every: int = 1,
    max_faces: int = 1,
    output_layout: Literal["swap", "side-by-side", "triple"] = "swap",
    codec: str | None = None,
    crf: int | None = None,
    finish: FinishSettings = FinishSettings(),  # noqa: B008 (frozen)
    marks: MarkSettings = MarkSettings(),  # noqa: B008
    seed: int | None = None,
    teacher: TeacherChoice | None = None,
    perceptual: Perceptual | None = None,
    vggface_weights: Path | None = None,
    consent: str | None = None,
) -> None:
    """Paint one person's face into another video: extract, masks, train and convert in a row.

    Every stage leaves its result in the workspace. Run again, finished stages are skipped and training
    continues from its checkpoint until the minutes or steps asked for are reached, all runs together.

    Args:
        src_video: The person whose face is painted; any video.
        dst_video: The footage that receives it; any video.
        output: Video to write: .mp4, .m4v, .mov, .mkv, .webm or .gif.
        workspace: Folder for faces, masks and model; `<output's name>_workspace` beside the output when
            none is named.
        minutes: How long to train, in all; 30 when neither steps nor minutes are given.
        steps: How many steps to train, in all.
        preset: Named settings of model and training; chosen for this machine by default.
        batch: Faces of each person in a training step; the preset's by default.
        every: Train on one frame in so many.
        max_faces: People to follow in a video.
        output_layout: The swap alone, beside the footage, or footage, swap and mask.
        codec: As in convert.
        crf: Quality on the codec's own scale, lower is better; visually lossless if not given.
        finish: How the painted face is laid into the frame.
        marks: How the video is marked.
        seed: Seed of everything random in training; 0 by default.
        teacher: What shows fast and quality true swaps, nearly: mesh where it can be had, or none.
        perceptual: Network of the perceptual loss, the preset's by default; none trains without.
        vggface_weights: Its weights, rcmalli_vggface_tf_notop_resnet50.h5.
        consent: Who agreed to this swap, and to what; recorded with the model and in the video. Without an answer
            there is no swap.

    Raises:
        MediaError: A video cannot be read or the output cannot be written.
        NoFaceError: A video shows no face.
        SettingsError: A setting is outside what it may be, the workspace was made from other videos or with other
            settings, or nobody agreed.
        ModelError: The workspace's model is damaged, or a flag contradicts it.
        WeightsError: The teacher asked for, or the perceptual loss, cannot be had.
    """
    from faceswap_gan import convert, train

    videos, people = {"src": src_video, "dst": dst_video}, PeopleSettings(max_faces=max_faces)
    product = OutputSettings(output_layout=output_layout, codec=codec, crf=crf)
    _check_paths(videos, output, product, marks)
    home = workspace or output.with_name(f"{output.stem}_workspace")
    model = home / "model"
    consent = require_consent([model], consent)  # now, not after half an hour of training
    train_flags: dict[str, Any] = {
        "preset": preset, "steps": steps, "minutes": minutes, "batch": batch, "seed": seed, "teacher": teacher,
        "perceptual": perceptual, "vggface_weights": vggface_weights,
    }  # fmt: skip
    train.check_flags(model, **train_flags)
    _take_faces(videos, home, every=every, max_faces=max_faces)
    log.info("train: %s, then convert: %s", model, output)
    train.run(home / "face_src", home / "face_dst", model=model, **train_flags)
    convert.run(dst_video, model, output, people=people, finish=finish, product=product, marks=marks, consent=consent)


def _check_paths(videos: dict[str, Path], output: Path, product: OutputSettings, marks: MarkSettings) -> None:
    """Find now, not after all the work, that a video cannot be read or the output not written or marked."""
    from faceswap_gan.conversion.output import plan_product
    from faceswap_gan.media.video import read_info

    for video in videos.values():
        read_info(video)
        if output.exists() and output.samefile(video):
            raise SettingsError(f"expected an output beside the videos, got one of them ({output}); rename it.")
    plan_product(videos["dst"], output, product)
    _check_marks(marks)


def _check_marks(marks: MarkSettings) -> None:
    """Find now that a label cannot be drawn, or that the user's own certificate cannot sign."""
    from faceswap_gan.marks.identity import open_identity
    from faceswap_gan.marks.label import check_label

    if marks.label is not None:
        check_label(marks.label)
    open_identity(certificate=marks.certificate, private_key=marks.private_key)


def _take_faces(videos: dict[str, Path], home: Path, *, every: int, max_faces: int) -> None:
    """Fill the workspace's face folders and their eye masks from the videos, unless that was done before."""
    from faceswap_gan import extract, masks
    from faceswap_gan.faces.folder import mask_folder
    from faceswap_gan.faces.source import hash_source

    home.mkdir(parents=True, exist_ok=True)
    for side, video in videos.items():
        faces = home / f"face_{side}"
        made_from: Inputs = {"video sha256": hash_source(video), "every": every, "max faces": max_faces}
        cut = partial(extract.run, video, faces, every=every, max_faces=max_faces)
        _once(home / BOOK, f"extract {faces.name}", faces, made_from, cut)
        _once(home / BOOK, f"masks {faces.name}", mask_folder(faces), made_from, partial(masks.run, faces))


def _once(book: Path, stage: str, made: Path, made_from: Inputs, make: Callable[[], object]) -> None:
    """Run a stage unless the workspace's book says that it was finished from the same inputs."""
    from faceswap_gan.media.images import write_whole

    done = _read_book(book)
    before = done.get(stage, made_from)
    differ = [name for name, value in made_from.items() if before.get(name) != value]
    if differ:
        raise SettingsError(
            f"expected the workspace {book.parent} to belong to this video and these flags, but its "
            f"'{stage}' was made with another {', '.join(differ)}; name another --workspace or delete it."
        )
    if stage in done and made.is_dir():
        log.info("%s: skipped, %s was made from the same video with the same settings", stage, made)
        return
    log.info("%s: %s is not there yet", stage, made)
    make()
    write_whole(book, json.dumps({**done, stage: made_from}, indent=1).encode())


def _read_book(book: Path) -> dict[str, Inputs]:
    """Finished stages and their inputs, as `_once` wrote them."""
    if not book.exists():
        return {}
    try:
        done = json.loads(book.read_text(encoding="utf-8"))
    except ValueError:
        done = None
    if not isinstance(done, dict):
        raise FaceFolderError(f"expected a list of finished stages in {book}, got a damaged file; delete it.")
    return done


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("swap")
