"""Swap the faces in a video with trained models."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from faceswap_gan import __version__
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.settings import MarkSettings, OutputSettings, PeopleSettings, RegionSettings
from faceswap_gan.errors import MediaError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from faceswap_gan.conversion.casting import Pair
    from faceswap_gan.conversion.marking import Marking
    from faceswap_gan.conversion.parts import PartRegion
    from faceswap_gan.media.video import OutputPlan
    from faceswap_gan.training.checkpoint import LoadedSwap

log = logging.getLogger(__name__)


def run(
    video: Path,
    model: Path | None = None,
    output: Path | None = None,
    *,
    face: Literal["src", "dst"] = "src",
    checkpoint: Literal["last", "best"] = "last",
    people: PeopleSettings = PeopleSettings(),  # noqa: B008 (frozen)
    region: RegionSettings = RegionSettings(),  # noqa: B008
    finish: FinishSettings = FinishSettings(),  # noqa: B008
    product: OutputSettings = OutputSettings(),  # noqa: B008
    marks: MarkSettings = MarkSettings(),  # noqa: B008
    batch: int = 16,
    consent: str | None = None,
) -> None:
    """Swap the faces in a video with trained models.

    A first pass finds the faces, a second one paints them. The output keeps the video's frames, times, size,
    colours and sound; what is not painted stays as it is. It says that it is AI-generated, and who agreed to it.
    Stopped at any moment, the same command goes on where it was, to the same result.

    Args:
        video: Video, picture or folder of pictures to work on.
        model: Model folder that train made.
        output: Where the result goes: a video, GIF or picture by its suffix, a folder of pictures without one;
            beside the video if none is named, as .mkv where its own container is not written.
        face: Whose face is painted.
        checkpoint: The model's newest weights, or those that did best on faces held out from training.
        people: Who is painted.
        region: Which parts of the face.
        finish: How the painted face is laid into the frame.
        product: What is written.
        marks: How it is marked.
        batch: Faces to swap at once.
        consent: Who agreed to this swap, and to what; recorded with the model.

    Raises:
        FaceSwapError: The video, a model or a setting is not what it should be; nothing is written then.
    """
    from faceswap_gan.conversion.casting import cast_people, read_pairs
    from faceswap_gan.conversion.output import Product, finish_output, kept_when_stopped, plan_product
    from faceswap_gan.conversion.passes import find_people, paint_people, read_part
    from faceswap_gan.conversion.pipeline import Role
    from faceswap_gan.conversion.swapper import Painter
    from faceswap_gan.conversion.work import WorkFolder
    from faceswap_gan.faces.smoothing import smooth_scan
    from faceswap_gan.training.checkpoint import load_swap

    pairs = read_pairs(model, people, region.weights_dir)
    plan = plan_product(*_places(video, output), product)
    limits = _open_region(region)
    models = [load_swap(pair.model, face=face, checkpoint=checkpoint) for pair in pairs]
    painters = [Painter(one.swap, size=one.size, finish=finish, batch=batch, region=limits) for one in models]
    settings = {"face": face, "batch": batch, **_flags(people, region, finish, product)}
    made = Product(plan, product, _plan_marking(plan, pairs, models, settings, marks, consent))
    work = WorkFolder(plan.path, _fingerprint(plan, models, {**settings, **_flags(marks), **_hashes(people, pairs)}))
    with kept_when_stopped(work, made), _compiled_aside(models, batch):
        scan = find_people(plan.like, product, work)
        cast = cast_people(scan, pairs, people, partial(read_part, plan.like, product), region.weights_dir)
        roles = [Role(*each) for each in zip(painters, cast, (one.align_size for one in models), strict=True)]
        paint_people(smooth_scan(scan, people.smoothing), roles, made, work, batch=batch)
        finish_output(work, made)
    if limits is not None and limits.missed:
        log.warning("%d faces without %s landmarks: parts drawn from the detector's", limits.missed, region.landmarks)


@contextmanager
def _compiled_aside(models: Sequence[LoadedSwap], batch: int) -> Iterator[None]:
    """Let the networks be compiled while faces are looked for; what fails here fails again where it is told."""
    import numpy as np

    with ThreadPoolExecutor(1, thread_name_prefix="compile") as aside:
        for one in models:
            aside.submit(one.swap, np.zeros((batch, one.size, one.size, 3), np.float32))
        yield


def _places(video: Path, output: Path | None) -> tuple[Path, Path]:
    """Name the video, which may be a folder named by dots, and the output, which cannot be the video itself."""
    if video.name in ("", ".."):
        video = video.resolve()
    if output is None:
        if not video.name:
            raise SettingsError(f"expected --output for {video}, which has no name to make one of, got none; add it.")
        output = video.with_name(f"{video.stem}_swapped{_suffix_like(video)}")
    if output.exists() and video.exists() and output.samefile(video):
        raise SettingsError(f"expected an output beside the video, got the video itself ({output}); rename it.")
    return video, output


def _suffix_like(video: Path) -> str:
    """Give a video's own suffix, or that of the container that holds whatever is in one that is not written."""
    from faceswap_gan.media.plan import kind_of

    try:
        kind_of(video)
    except MediaError:
        return ".mkv"
    return video.suffix


def _open_region(region: RegionSettings) -> PartRegion | None:
    """Make what confines the swap to parts of the face; None for the whole face."""
    from faceswap_gan.conversion.parts import PartRegion
    from faceswap_gan.faces.landmarks import open_landmarks

    if region.parts is not None:
        return PartRegion(region.parts, open_landmarks(region.landmarks, weights=region.weights_dir))
    if region.landmarks != "mtcnn":
        log.warning("--landmarks %s does nothing without --parts: the whole face is swapped", region.landmarks)
    return None


def _plan_marking(
    plan: OutputPlan,
    pairs: Sequence[Pair],
    models: Sequence[LoadedSwap],
    settings: dict[str, Any],
    marks: MarkSettings,
    consent: str | None,
) -> Marking:
    """Find who agreed to each model's swap, and settle how the result says so."""
    from faceswap_gan.conversion.consent import require_consent
    from faceswap_gan.conversion.marking import plan_marking
    from faceswap_gan.conversion.output import TRAINED

    return plan_marking(
        plan.like.path,
        consent=require_consent([pair.model for pair in pairs], consent),
        digital_source_type=TRAINED,
        settings=settings,
        model_sha256=",".join(one.sha256 for one in models),
        label=marks.label,
        corner=marks.label_corner,
        certificate=marks.certificate,
        private_key=marks.private_key,
    )


def _flags(*groups: Any) -> dict[str, Any]:
    """Spread settings out by the names of their flags."""
    return {name: value for group in groups for name, value in asdict(group).items()}


def _hashes(people: PeopleSettings, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Name pictures of people, and the network that tells them apart, by their content: names get other files."""
    from faceswap_gan.faces.source import hash_source

    named = {"reference": people.reference, "recognizer": people.recognizer}
    hashes: dict[str, Any] = {name: hash_source(file) for name, file in named.items() if file is not None}
    who = [hash_source(pair.whom) if isinstance(pair.whom, Path) else pair.whom for pair in pairs]
    return {**hashes, "pair": who}


def _fingerprint(plan: OutputPlan, models: Sequence[LoadedSwap], settings: dict[str, Any]) -> dict[str, Any]:
    """List all that the pictures of the result depend on."""
    from faceswap_gan.faces.source import hash_source

    return {
        "version": __version__,
        "footage": hash_source(plan.like.path),
        "model": [one.sha256 for one in models],
        "encoder": plan.fingerprint,
        **settings,
    }


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("convert")
