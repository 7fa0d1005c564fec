"""Pretrained files: where each comes from, its licence, and how it gets to this machine.

A file is looked for in the folder that the caller names, in the folder that ``FACESWAP_WEIGHTS`` names, in the
cache, and only then downloaded. What is there is never fetched again, so no connection is opened for it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from faceswap_gan.errors import WeightsError

VARIABLE = "FACESWAP_WEIGHTS"
"""Environment variable that names a folder of weights."""

_CHUNK = 1 << 18  # bytes a read of the network
_TIMEOUT = 30.0  # s without an answer


@dataclass(frozen=True)
class WeightsFile:
    """One pretrained file.

    Attributes:
        name: what `find_weights` calls it.
        file: its path inside a folder of weights.
        url: where it is published; None when it must be had in another way, which ``note`` tells.
        size: bytes; None when its publisher does not say.
        sha256: hex digest; None when its publisher gives none: then the size is all that is checked here, and
            whoever reads the file must check its content.
        licence: under which it may be used.
        used_by: what needs it.
        note: more about its origin.
        instead: what a user may do rather than put the file where it is looked for; None: name the folder with
            ``--weights-dir``.
    """

    name: str
    file: str
    url: str | None
    size: int | None
    sha256: str | None
    licence: str
    used_by: str
    note: str = ""
    instead: str | None = None


_FILES = (
    WeightsFile(
        name="face_landmarker",
        file="face_landmarker.task",
        url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
        "face_landmarker.task",
        size=3_758_596,
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        licence="Apache-2.0",
        used_by="--landmarks mesh, train's teacher, mesh-swap, evaluate",
        note="Google's MediaPipe Face Landmarker, 478 points and 52 blendshapes",
    ),
    WeightsFile(
        name="fan",
        # In the layout of torch's hub folder, from which the face-alignment package reads.
        file="checkpoints/2DFAN4-11f355bf06.pth.tar",
        url="https://www.adrianbulat.com/downloads/python-fan/2DFAN4-11f355bf06.pth.tar",
        size=None,
        sha256="11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
        licence="BSD-3-Clause for the package; its author states none for the weights",
        used_by="--landmarks fan",
        note="2D-FAN-4 of Bulat and Tzimiropoulos (2017), 68 points",
    ),
    WeightsFile(
        name="sface",
        file="face_recognition_sface_2021dec.onnx",
        url="https://github.com/opencv/opencv_zoo/raw/edef535367a4f8053b5bfb7580935c83772a9639/models/"
        "face_recognition_sface/face_recognition_sface_2021dec.onnx",
        size=38_696_353,
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        licence="Apache-2.0",
        used_by="evaluate, the default recogniser",
        note="SFace (Zhong et al., 2021) of the OpenCV Zoo: RGB 112 px ArcFace crops, 0 to 255, to 128 numbers",
    ),
    WeightsFile(
        name="mobileface",
        file="face_embed_mobileface_v2_112.onnx",
        url=None,
        size=3_591_713,
        sha256="f02ded3612ac89f1cacc135e0f33dc9ea641ee8d9699dff80ee640a052ec412d",
        licence="MIT",
        used_by="evaluate --recognizer",
        note="MobileFace_Identification_V2 of github.com/becauseofAI/MobileFace, converted from MXNet to ONNX; the "
        "converted file is not published: RGB 112 px ArcFace crops, 0 to 255, to 256 numbers",
    ),
    WeightsFile(
        name="vggface",
        file="rcmalli_vggface_tf_notop_resnet50.h5",
        url="https://github.com/rcmalli/keras-vggface/releases/download/v2.0/rcmalli_vggface_tf_notop_resnet50.h5",
        size=94_694_792,
        sha256=None,
        licence="by its project's words, non-commercial research under a Creative Commons Attribution licence",
        used_by="train, the perceptual loss of the classic presets",
        note="ResNet-50 of VGGFace2 (Cao et al., 2018), converted to Keras by keras-vggface: BGR 224 px crops",
        instead="name it with --vggface-weights, or train with --perceptual none",
    ),
)

WEIGHTS: dict[str, WeightsFile] = {entry.name: entry for entry in _FILES}
"""Every pretrained file that the program knows, by name."""


def find_weights(name: str, *, folder: Path | None = None) -> Path:
    """Find a pretrained file; download it when it is nowhere on this machine.

    Args:
        name: a key of `WEIGHTS`.
        folder: looked into first; None leaves ``FACESWAP_WEIGHTS``, the cache and the network.

    Returns:
        Path of the file, its content checked against the known digest, or its size where none is known.

    Raises:
        WeightsError: the name is unknown, ``folder`` or ``FACESWAP_WEIGHTS`` is none, a file found is not the right
            one, or the download failed; the message names the file, where it comes from and where to put it.
    """
    entry = WEIGHTS.get(name)
    if entry is None:
        raise WeightsError(f"expected the name of a pretrained file ({', '.join(WEIGHTS)}), got {name!r}.")
    for place in _places(folder):
        path = place / entry.file
        if path.is_file():
            _check(entry, path)
            return path
    return _download(entry, cache_folder() / entry.file)


def cache_folder() -> Path:
    """Name the folder that downloads go to: ``faceswap_gan/weights`` in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "faceswap_gan" / "weights"


def _places(folder: Path | None) -> list[Path]:
    """List the folders to look into; those that the user named must be there."""
    variable = os.environ.get(VARIABLE)
    named = {"--weights-dir": folder, VARIABLE: Path(variable) if variable else None}
    places = []
    for name, place in named.items():
        if place is None:
            continue
        if not place.is_dir():
            what = "is a file" if place.exists() else "does not exist"
            raise WeightsError(f"expected the folder of weights in {name}, got {place}, which {what}; check it.")
        places.append(place)
    return [*places, cache_folder()]


def _check(entry: WeightsFile, path: Path) -> None:
    """Compare a file on disk with what is known of it."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    if size != entry.size if entry.sha256 is None else digest != entry.sha256:
        raise WeightsError(
            f"{path} should be {_identity(entry)}, got {size:,} bytes with the sha256 {digest}: it is "
            f"damaged or another version. Delete it. {_how_to(entry)}"
        )


def _download(entry: WeightsFile, path: Path) -> Path:
    """Fetch a file into the cache, whole or not at all."""
    if entry.url is None:
        raise WeightsError(f"{entry.file} ({entry.note}) is not on this machine. {_how_to(entry)}")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(entry.url, timeout=_TIMEOUT) as answer, partial.open("wb") as file:
            _copy(answer, file, entry)
        _check(entry, partial)
        partial.replace(path)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise WeightsError(f"could not download {entry.file} ({reason}). {_how_to(entry)}") from error
    except WeightsError as error:
        raise WeightsError(f"{entry.url} gave another file than expected. {_how_to(entry)}") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _copy(answer: Any, file: IO[bytes], entry: WeightsFile) -> None:
    """Copy an answer of the network into a file, telling how far it is.

    Raises:
        OSError: it ended early.
    """
    length = answer.headers.get("Content-Length")
    total = int(length) if length else entry.size
    done = 0
    with _bar(entry, total) as advance:
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            advance(len(chunk))
    if total is not None and done < total:
        raise OSError(f"it broke off at {done:,} of {total:,} bytes; run it again")


@contextmanager
def _bar(entry: WeightsFile, total: int | None) -> Iterator[Any]:
    """Show a progress bar on a terminal; yields the function that advances it by bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"downloading {Path(entry.file).name}", total=total)
        yield lambda count: progress.advance(task, count)


def _identity(entry: WeightsFile) -> str:
    """Say what tells the right file from others."""
    size = "" if entry.size is None else f"{entry.size:,} bytes"
    if entry.sha256 is None:
        return f"the file of {size} (its publisher gives no digest)"
    return f"the file with sha256 {entry.sha256}" + (f" ({size})" if size else "")


def _how_to(entry: WeightsFile) -> str:
    """Say exactly which file to put where."""
    source = f"Fetch {entry.url}, {_identity(entry)}," if entry.url else f"Get {_identity(entry)}"
    folder = VARIABLE if entry.instead else f"{VARIABLE}, or --weights-dir where a command has it,"
    instead = f"; or {entry.instead}" if entry.instead else ""
    place = cache_folder() / entry.file
    return f"{source} and put it at {place}, or at {entry.file} in a folder that {folder} names{instead}."
