"""Content credentials: a signed statement of how a file came to be, inside it or in a sidecar beside it."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceswap_gan import __version__
from faceswap_gan.errors import MarksError
from faceswap_gan.marks.identity import Identity, open_identity
from faceswap_gan.media.disk import flush

ASSERTION = "faceswap-gan.swap"
"""Label of this program's own part of the statement."""

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"

EMBEDDED = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".gif": "image/gif",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
"""Formats that hold their credentials; all others get a sidecar."""

ANY = "application/octet-stream"
"""Type of a file whose own the library does not know."""

_SIDECAR = ".c2pa"
_BLOCK = 1 << 20
_MARKERS = (b"jumb", b"urn:c2pa:")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SwapFacts:
    """What the signed statement says.

    Attributes:
        ingredient: the dst file, or folder of pictures, that was painted into.
        consent: who agreed, and to what.
        digital_source_type: a term of IPTC's list.
        settings_sha256: of the settings, see `hash_settings`.
        model_sha256: of the model's weights; None where no model was used.
        watermarked: whether the painted pixels carry the watermark.
    """

    ingredient: Path
    consent: str
    digital_source_type: str
    settings_sha256: str
    model_sha256: str | None = None
    watermarked: bool = True


def hash_settings(settings: Mapping[str, object]) -> str:
    """Hash settings, whatever their order: SHA-256 of their JSON, hexadecimal."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Hash a file, or the pictures of a folder by name and content: SHA-256, hexadecimal.

    Raises:
        MarksError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        for each in sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != "."):
            digest.update(f"{each.name}\0{hash_file(each)}\n".encode())
    except OSError as error:
        raise MarksError(f"could not read {path} to hash it: {error.strerror}; check the file.") from error
    return digest.hexdigest()


def sidecar(path: Path) -> Path:
    """Name the file that holds the credentials of one that cannot.

    It is `common_sidecar`, or, where that is of another file that is still there, the whole name with .c2pa added:
    out.c2pa of out.mkv and out.webm.c2pa of out.webm. One that lies there stays in use.
    """
    own, common = path.with_name(path.name + _SIDECAR), common_sidecar(path)
    return own if own.exists() or _is_anothers(common, path) else common


def common_sidecar(path: Path) -> Path:
    """Name the file where all programs look for credentials: the same name, ending in .c2pa."""
    return path.with_suffix(_SIDECAR)


def belongs(title: str, path: Path) -> bool:
    """Tell by the title in a sidecar whether it is of a file of this kind; of any, if it has none."""
    return Path(title or path.name).suffix.lower() == path.suffix.lower()


def _is_anothers(beside: Path, path: Path) -> bool:
    """Tell whether a sidecar is of another file of this name that is there; one that cannot be read is of any."""
    if not beside.is_file():
        return False
    title = _read_title(beside)
    if title and belongs(title, path):
        return False
    others = (each for each in path.parent.iterdir() if each.stem == path.stem and each not in (path, beside))
    return any(not title or belongs(title, each) for each in others)


def _read_title(beside: Path) -> str:
    import c2pa

    try:
        with c2pa.Reader(ANY, io.BytesIO(), beside.read_bytes(), open_context()) as reader:
            return str((reader.get_active_manifest() or {}).get("title") or "")
    except (c2pa.C2paError, OSError) as error:
        log.debug("%s does not tell whose it is: %s", beside, error)
        return ""


def sign_file(path: Path, *, facts: SwapFacts, final: Path | None = None, identity: Identity | None = None) -> None:
    """Sign a finished file, or every file of a folder; the last thing done to it: later changes break the seal.

    Files whose format holds credentials are replaced by their signed selves, whole or not at all. For others the
    credentials are written beside, see `sidecar`. Nothing is asked of a network and no thumbnail is kept.

    Args:
        path: the finished file or folder of pictures, also under a temporary name; its suffix tells the format.
        facts: what the credentials say.
        final: the name it will get; ``path`` if None. The title, and the place of a sidecar.
        identity: who signs; this user's own key pair if None, made where there is none.

    Raises:
        MarksError: the file is not of the format that its suffix says, the disk or the signer refuses.

    References:
        C2PA specification 2.2; IPTC NewsCodes, digital source type.
    """
    final, who = final or path, identity or open_identity()
    digest = hash_file(facts.ingredient)
    if not path.is_dir():
        footage = None if facts.ingredient.is_dir() else facts.ingredient
        _sign(path, sidecar(final), final.name, facts, _Parent(digest, footage), who)
        return
    # Of many pictures each names the footage by its hash alone: it is not read again for every one.
    for each in sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != "." and p.suffix != _SIDECAR):
        _sign(each, sidecar(each), each.name, facts, _Parent(digest, None), who)


@dataclass(frozen=True)
class _Parent:
    """The footage.

    Attributes:
        sha256: of its bytes.
        file: to look for credentials of its own in; None leaves them out.
    """

    sha256: str
    file: Path | None


def _sign(path: Path, beside: Path, title: str, facts: SwapFacts, parent: _Parent, identity: Identity) -> None:
    """Sign one file, or write its credentials to ``beside`` where its format holds none."""
    import c2pa

    signed = path.with_name(f".{path.stem}.{os.getpid()}.signed{path.suffix}")
    mime = EMBEDDED.get(path.suffix.lower())
    try:
        with ExitStack() as stack:
            stack.callback(lambda: signed.unlink(missing_ok=True))
            signer = stack.enter_context(_open_signer(identity))
            builder = stack.enter_context(c2pa.Builder(_statement(facts, title, parent), context=open_context()))
            _add_history(builder, facts, parent)
            if mime is None:
                builder.set_no_embed()
            with path.open("rb") as source, signed.open("w+b") as target:
                manifest = builder.sign(signer, mime or ANY, source, target)
            if mime is None:
                signed.write_bytes(manifest)
                flush(signed)  # the file itself is flushed by whoever gives it its name
                _warn(beside, title)
            signed.replace(path if mime else beside)
    except OSError as error:
        raise MarksError(f"could not sign {title}: {error.strerror}; check folder and free space.") from error
    except c2pa.C2paError as error:
        raise MarksError(
            f"could not sign {title}: {error}; check the file, and the certificate if you named one."
        ) from error


def _warn(beside: Path, title: str) -> None:
    if beside != (common := common_sidecar(beside.with_name(title))):
        log.warning("credentials of %s are in %s; other programs look in %s alone", title, beside.name, common.name)


def _open_signer(identity: Identity) -> Any:
    import c2pa

    info = c2pa.C2paSignerInfo(
        alg=identity.algorithm.encode(),
        sign_cert=identity.certificates,
        private_key=identity.private_key,
        ta_url=None,  # no time stamp: that would need a network
    )
    return c2pa.Signer.from_info(info)


def open_context(anchors: str = "") -> Any:
    """Settings of the library: no network, no thumbnails, and who is known here."""
    import c2pa

    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
        # Copies of more than these MiB wait on disk: in memory a long film's would be as large as the film.
        "core": {"backing_store_memory_threshold_in_mb": 8},
    }
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    return c2pa.Context.from_dict(settings)


def _statement(facts: SwapFacts, title: str, parent: _Parent) -> dict[str, Any]:
    said = {
        "consent": facts.consent,
        "model_sha256": facts.model_sha256 or "no model",
        "settings_sha256": facts.settings_sha256,
        "ingredient_sha256": parent.sha256,
        "digital_source_type": facts.digital_source_type,
    }
    return {
        "title": title,
        "claim_generator_info": [{"name": "faceswap_gan", "version": __version__}],
        "assertions": [{"label": ASSERTION, "data": said}],
    }


def _add_history(builder: Any, facts: SwapFacts, parent: _Parent) -> None:
    """Say what was opened and what was done to it."""
    import c2pa

    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # writes the action c2pa.opened with the parent
    _add_parent(builder, facts.ingredient.name, parent)
    agent = {"name": "faceswap_gan", "version": __version__}
    edited = {
        "action": "c2pa.edited",
        "description": "a face was swapped",
        "digitalSourceType": SOURCE_TYPE + facts.digital_source_type,
        "softwareAgent": agent,
    }
    builder.add_action(edited)
    if facts.watermarked:
        builder.add_action({"action": "c2pa.watermarked.unbound", "softwareAgent": agent})


def _add_parent(builder: Any, name: str, parent: _Parent) -> None:
    """Name the footage; credentials that it has itself are kept inside ours."""
    import c2pa

    said = {"title": name, "relationship": "parentOf"}
    if parent.file is None:
        builder.add_ingredient(said, ANY, io.BytesIO(parent.sha256.encode()))
        return
    with parent.file.open("rb") as file:
        try:
            builder.add_ingredient(said, EMBEDDED.get(parent.file.suffix.lower(), ANY), file)
        except c2pa.C2paError as error:
            log.debug("%s is named by its hash alone: %s", parent.file, error)  # its suffix says another format
            file.seek(0)
            builder.add_ingredient(said, ANY, file)


def has_embedded(path: Path) -> bool:
    """Tell whether a file holds something that looks like credentials, readable or not.

    Raises:
        OSError: it cannot be read.
    """
    missing, tail = set(_MARKERS), b""
    with path.open("rb") as file:
        while missing and (block := file.read(_BLOCK)):
            missing -= {marker for marker in missing if marker in tail + block}
            tail = block[-16:]
    return not missing
