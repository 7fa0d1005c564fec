"""Fit a model to two people's faces."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from faceswap_gan.config import Perceptual, Precision, Sampling, Settings, TeacherChoice
from faceswap_gan.errors import ModelError, SettingsError
from faceswap_gan.quiet import no_log

if TYPE_CHECKING:
    from faceswap_gan.training.budget import Budget
    from faceswap_gan.training.checkpoint import Checkpoint
    from faceswap_gan.training.material import Material

log = logging.getLogger(__name__)

_DEFAULT_MINUTES = 30.0


def run(
    src: Path | None = None,
    dst: Path | None = None,
    *,
    model: Path = Path("model"),
    from_model: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
    pretrain: Path | None = None,
    preset: str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    batch: int | Literal["auto"] | None = None,
    seed: int | None = None,
    precision: Precision | None = None,
    devices: int | Literal["all"] = 1,
    sampling: Sampling | None = None,
    balance: float | None = None,
    clean: bool = False,
    perceptual: Perceptual | None = None,
    vggface_weights: Path | None = None,
    swap_decoders: bool = False,
    clip_norm: float | None = None,
    teacher: TeacherChoice | None = None,
    save_minutes: float = 2.0,
    preview_minutes: float = 3.0,
    list_presets: bool = False,
) -> None:
    """Fit a model to two people's faces.

    A model folder with a checkpoint is continued; its settings win, and a flag that contradicts them is an
    error, but begins it anew where no step is made yet. Ctrl-C saves and ends.

    Args:
        src: Face folder of the person whose face will be painted; needed unless pretraining.
        dst: Face folder of the person who will receive it; the same.
        model: Folder for settings, checkpoints, previews and logs.
        from_model: Model of another pair, of the same networks, whose encoder and, with fast, decoder a new model
            starts from.
        pretrain: One folder of any faces, instead of src and dst: a model that others start from with --from.
        preset: fast, quality, classic-64, classic-128, classic-256, classic-lite-64, classic-lite-128 or
            classic-lite-256; by default fast without a GPU and quality with one.
        steps: Updates in all, earlier runs included.
        minutes: Minutes in all, earlier runs included; 30 when neither steps nor minutes are given.
        batch: Faces of each person in a step, or auto for the largest that fits in memory, up to 64; the
            preset's by default.
        seed: Seed of everything random; 0 by default.
        precision: Arithmetic of the networks' layers; the preset's by default, float32 where processor or GPU have no
            bfloat16. Weights and losses are float32 always.
        devices: GPUs (CPUs where there is none) that share each step's batch, or all; the steps are the same on any
            number.
        sampling: Kinds of face that are drawn evenly: pictures (likeness of the whole picture), yaw (the head's
            turn) or expression (of eyes and mouth); the preset's by default.
        balance: Share of faces that is drawn evenly over kinds rather than over frames, 0 to 1; the preset's by
            default, or 0.5 where that is 0 and --sampling is given.
        clean: Draw no blurred faces and no near-duplicates; logs/left_out.csv in the model folder lists them.
        perceptual: Network whose features of face and painted face are compared; the preset's by default: vggface
            (classic; without its weights choose none) or onet, MTCNN's own, which is installed (fast, quality).
        vggface_weights: The file rcmalli_vggface_tf_notop_resnet50.h5; looked for in the folder that
            FACESWAP_WEIGHTS names and in the cache, else downloaded.
        swap_decoders: Let the two people's decoders change places once, late in the run, as the v2.2 model does;
            for the classic presets.
        clip_norm: Largest norm of each player's whole gradient; 0, any, by default.
        teacher: What shows fast and quality true swaps, nearly: mesh bends the other person's pictures by a face mesh
            (extra mesh, face_landmarker.task), the default where it can be had; none learns far more slowly.
        save_minutes: Minutes between checkpoints.
        preview_minutes: Minutes between preview sheets.
        list_presets: Only print the presets: parameters, operations, memory and when to use which.

    Raises:
        FaceFolderError: A face folder is missing or holds too few faces.
        ModelError: The model folder is damaged or a flag contradicts it, or the other model does not fit.
        SettingsError: A setting is outside what it may be, or memory ran out.
        WeightsError: The perceptual loss is asked for and its weights cannot be had.
        KeyboardInterrupt: Ctrl-C; everything is saved.
    """
    if list_presets:
        _print_presets()
        return
    folders, faces = _both(src, dst, pretrain, teacher), None if batch == "auto" else batch
    _check(steps=steps, minutes=minutes, batch=faces, devices=None if devices == "all" else devices)
    _check(zero=True, seed=seed, clip_norm=clip_norm, save_minutes=save_minutes, preview_minutes=preview_minutes)
    flags: dict[str, Any] = {
        "preset": preset, "batch": faces, "seed": seed, "precision": precision, "sampling": sampling,
        "balance": balance, "clean": clean or None, "clip_norm": clip_norm, "perceptual": perceptual,
        "swap_decoders": swap_decoders or None, "teacher": "footage" if pretrain else teacher,
    }  # fmt: skip
    budget = _budget(steps, minutes, save_minutes, preview_minutes)
    fit_batch, vggface = batch == "auto", vggface_weights
    _go_on(folders, model, from_model, flags, budget, fit_batch=fit_batch, devices=devices, vggface=vggface)


def check_flags(
    model: Path, *, steps: int | None, minutes: float | None, vggface_weights: Path | None = None, **flags: Any
) -> None:
    """Refuse what `run` would refuse by itself, for verbs that have long work to do before they train.

    Args:
        model: its folder, which need not be there yet.
        steps: as in `run`, like all that follows.
        minutes: as there.
        vggface_weights: as there.
        flags: preset, batch, seed, teacher and perceptual, as there.

    Raises:
        ModelError: the model folder is damaged or a flag contradicts it.
        SettingsError: a number is out of its range, there is no such preset, a flag does not fit it, or the teacher's
            package is not installed.
        WeightsError: the teacher asked for, or the perceptual loss, cannot be had.
    """
    from faceswap_gan.training.perceptual import check_vggface
    from faceswap_gan.training.settle import find_begun, settle_settings
    from faceswap_gan.training.teacher import check_teacher

    _check(steps=steps, minutes=minutes, batch=flags.get("batch"))
    _check(zero=True, seed=flags.get("seed"))
    with no_log("faceswap_gan.training"):
        checkpoint = find_begun(model, flags)
        settings = settle_settings(model, checkpoint, flags)
        if checkpoint is None or _budget(steps, minutes, 0, 0).progress(checkpoint.state) < 1.0:
            check_teacher(settings)
            check_vggface(settings, vggface_weights)


def _go_on(
    folders: dict[str, Path],
    model: Path,
    from_model: Path | None,
    flags: Mapping[str, Any],
    budget: Budget,
    *,
    fit_batch: bool,
    devices: int | Literal["all"],
    vggface: Path | None,
) -> None:
    """Begin a model or go on with it, where memory is enough and there is anything left to do."""
    from faceswap_gan.training.alone import alone_at
    from faceswap_gan.training.devices import check_split, count_devices, join_machines
    from faceswap_gan.training.material import read_material
    from faceswap_gan.training.memory import MemoryGuard
    from faceswap_gan.training.perceptual import find_vggface
    from faceswap_gan.training.settle import find_begun, settle_settings
    from faceswap_gan.training.warm_start import choose_start

    join_machines()
    checkpoint = find_begun(model, flags, fit_batch=fit_batch)
    settings = settle_settings(model, checkpoint, flags)
    start = choose_start(from_model, settings.model, checkpoint)
    if checkpoint is not None and _is_done(model, checkpoint, budget):
        return
    weights = find_vggface(settings, vggface)
    number = count_devices(devices)
    if checkpoint is not None or not fit_batch:
        check_split(settings, number)
    with alone_at(model), MemoryGuard(model, settings) as guard:
        if find_begun(model, flags, fit_batch=fit_batch) != checkpoint:
            raise ModelError(f"{model} was trained by another run just now; run again to go on from there.")
        material = read_material(folders, model, settings)  # before the batch is chosen: faces take memory, too
        if checkpoint is None:
            guard.settings = settings = _begin(model, settings, devices=number if fit_batch else None)
        elif fit_batch:
            log.info("%s: --batch auto was settled when the model was begun: %d", model, settings.training.batch)
        _fit(material, model, settings, budget, checkpoint, number, weights, start)


def _print_presets() -> None:
    from faceswap_gan.training.presets import preset_table

    sys.stdout.write(preset_table())


def _both(
    src: Path | None, dst: Path | None, pretrain: Path | None, teacher: TeacherChoice | None
) -> dict[str, Path]:
    """Return the face folders by side."""
    if pretrain is not None and (src or dst):
        raise SettingsError("expected --pretrain or --src and --dst, got both; the pair comes later, with --from.")
    if pretrain is not None and teacher is not None:
        raise SettingsError(f"expected no --teacher with --pretrain, got {teacher}: faces teach themselves; drop it.")
    src, dst = (pretrain, pretrain) if pretrain else (src, dst)
    if src is None or dst is None:
        raise SettingsError("expected two face folders, --src and --dst; `faceswap-gan extract` makes them.")
    return {"src": src, "dst": dst}


def _budget(steps: int | None, minutes: float | None, save_minutes: float, preview_minutes: float) -> Budget:
    from faceswap_gan.training.budget import Budget

    minutes = _DEFAULT_MINUTES if steps is None and minutes is None else minutes
    return Budget(steps, minutes, save_minutes, preview_minutes)


def _is_done(model: Path, checkpoint: Checkpoint, budget: Budget) -> bool:
    """Tell, also the user, whether a model is trained as far as is asked for."""
    done = checkpoint.state
    if budget.progress(done) < 1.0:
        return False
    minutes = done.seconds / 60.0
    log.info("%s: already trained for %d steps, %.1f minutes; ask for more to go on", model, done.step, minutes)
    return True


def _begin(model: Path, settings: Settings, *, devices: int | None) -> Settings:
    """Write a new model's settings, with the largest batch that fits so many devices, if any; return them."""
    from faceswap_gan.training.checkpoint import forget_beginning, write_settings
    from faceswap_gan.training.devices import check_split
    from faceswap_gan.training.memory import choose_batch, with_batch

    if devices is not None:
        settings = with_batch(settings, choose_batch(settings, devices))
        check_split(settings, devices)
    forget_beginning(model)
    write_settings(model, settings)
    return settings


def _fit(
    material: Material,
    model: Path,
    settings: Settings,
    budget: Budget,
    checkpoint: Checkpoint | None,
    devices: int,
    vggface: Path | None,
    start: Checkpoint | None,
) -> None:
    """Build the networks and train."""
    import numpy as np

    from faceswap_gan.training.devices import check_machines, on_devices
    from faceswap_gan.training.perceptual import read_features
    from faceswap_gan.training.steps import build_step
    from faceswap_gan.training.trainer import train
    from faceswap_gan.training.warm_start import start_networks

    people, lessons = material
    begin = -1 if checkpoint is None else checkpoint.state.step
    check_machines({side: person.crops for side, person in people.items()}, settings, begin)
    with on_devices(devices):
        networks = start_networks(settings, start, rng=np.random.default_rng([settings.training.seed, 1]))
        step = build_step(networks, settings, features=read_features(settings, vggface))
    millions = sum(network.count_params() for network in networks.values()) / 1e6
    log.info(
        "%s: %s, %.1f million weights, %s, devices: %d; %d src and %d dst faces; from step %d",
        model, settings.preset, millions, settings.training.precision, devices,
        *(len(people[side].faces) for side in ("src", "dst")), max(0, begin),
    )  # fmt: skip
    train(people, networks, step, settings, model=model, budget=budget, checkpoint=checkpoint, lessons=lessons)


def _check(*, zero: bool = False, **flags: float | None) -> None:
    for name, value in flags.items():
        if value is not None and not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
            wanted = "of 0 or more" if zero else "above 0"
            raise SettingsError(f"expected --{name.replace('_', '-')} {wanted}, got {value}; give another number.")


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("train")
