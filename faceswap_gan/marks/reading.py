"""Content credentials of a file, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faceswap_gan.errors import MarksError
from faceswap_gan.marks.credentials import (
    ANY,
    ASSERTION,
    EMBEDDED,
    SOURCE_TYPE,
    belongs,
    common_sidecar,
    has_embedded,
    open_context,
    sidecar,
)
from faceswap_gan.marks.identity import own_certificates

SYNTHETIC_TYPES = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "algorithmicMedia",
        "trainedAlgorithmicData",
    }
)
"""IPTC's terms for what was made, wholly or partly, by a machine."""

_TRUST_ONLY = "signingCredential."
"""Failures that say who signed, not that anything was changed."""


@dataclass(frozen=True)
class Credentials:
    """What a file's credentials say.

    Attributes:
        state: ``valid``; ``tampered``, if the file or the statement was changed after signing; or ``absent``.
        place: the file itself or its sidecar; None where there are none.
        signer: name in the certificate; empty if unreadable.
        known: whether the signer is this user, or one that was named as trusted.
        synthetic: whether they name the file as made or changed by a machine.
        consent: who agreed to what; None if they do not say.
        note: what is wrong; empty if nothing is.
    """

    state: Literal["valid", "tampered", "absent"]
    place: Path | None = None
    signer: str = ""
    known: bool = False
    synthetic: bool = False
    consent: str | None = None
    note: str = ""


def read_credentials(path: Path, *, trusted: str = "") -> Credentials:
    """Read a file's credentials, embedded or beside it, and check them against every byte that they vouch for.

    Args:
        path: the file.
        trusted: PEM certificates to trust besides this user's own.

    Raises:
        MarksError: a file cannot be read.
    """
    import c2pa

    own = sidecar(path)
    beside = own if own.is_file() else common_sidecar(path)
    embeds = path.suffix.lower() in EMBEDDED
    place = path if embeds or not beside.is_file() else beside
    try:
        manifest = beside.read_bytes() if place == beside else None
        with path.open("rb") as file:
            mime = EMBEDDED.get(path.suffix.lower(), ANY)
            with c2pa.Reader(mime, file, manifest, open_context(own_certificates() + trusted)) as reader:
                return _judge(reader, place, path)
    except OSError as error:
        raise MarksError(f"could not read {path}: {error.strerror}; check the file.") from error
    except c2pa.C2paError.ManifestNotFound:
        return Credentials("absent")
    except c2pa.C2paError as error:
        # No manifest is one thing, a manifest that no longer reads another.
        if place == beside or has_embedded(path):
            return Credentials("tampered", place, note=f"they no longer read: {error}")
        return Credentials("absent", note=str(error))


def _judge(reader: Any, place: Path, path: Path) -> Credentials:
    manifest = reader.get_active_manifest() or {}
    if place != path and not belongs(manifest.get("title") or "", path):
        return Credentials("absent", note=f"{place.name} is another file's")
    results = (reader.get_validation_results() or {}).get("activeManifest", {})
    failures = [entry for entry in results.get("failure", []) if not entry["code"].startswith(_TRUST_ONLY)]
    tampered = reader.get_validation_state() == "Invalid" and bool(failures)
    return Credentials(
        "tampered" if tampered else "valid",
        place,
        signer=(manifest.get("signature_info") or {}).get("common_name") or "",
        known=reader.get_validation_state() == "Trusted",
        synthetic=_is_synthetic(manifest),
        consent=_own(manifest).get("consent"),
        note=", ".join(sorted({entry["code"] for entry in failures})),
    )


def _is_synthetic(manifest: dict[str, Any]) -> bool:
    """Tell whether an action names a synthetic source, or this program made the file."""
    actions = [
        action
        for assertion in manifest.get("assertions", [])
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in assertion["data"].get("actions", [])
    ]
    kinds = {str(action.get("digitalSourceType", "")).removeprefix(SOURCE_TYPE) for action in actions}
    return bool(kinds & SYNTHETIC_TYPES) or bool(_own(manifest))


def _own(manifest: dict[str, Any]) -> dict[str, Any]:
    """Find this program's own part of the statement; empty if it made none."""
    for assertion in manifest.get("assertions", []):
        if assertion.get("label") == ASSERTION:
            return dict(assertion["data"])
    return {}
