"""Who agreed to a model: one statement beside its weights, carried into every video it makes."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

from faceswap_gan.errors import MediaError, ModelError
from faceswap_gan.media.images import write_whole

CONSENT_FILE = "consent.json"
NOT_STATED = "not stated"


def settle_consent(model: Path, given: str | None, ask: Callable[[], str] | None) -> str | None:
    """Find the statement that goes with a model, and record a new one.

    Args:
        model: model folder.
        given: a statement for this run; replaces the recorded one. Blank counts as none.
        ask: asks the user, where somebody is there to answer; called only if nothing is recorded.

    Returns:
        The statement, or None if there is none.

    Raises:
        ModelError: the record cannot be read or written.
    """
    if given and given.strip():
        return _record(model, given)
    recorded = read_consent(model)
    if recorded is None and ask is not None:
        answer = ask()
        if answer.strip():
            return _record(model, answer)
    return recorded


def read_consent(model: Path) -> str | None:
    """Read a model's recorded statement; None if there is none.

    Raises:
        ModelError: the record is damaged.
    """
    path = model / CONSENT_FILE
    if not path.is_file():
        return None
    try:
        statement = json.loads(path.read_text(encoding="utf-8"))["statement"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f'expected {{"statement": "..."}} in {path}, got something else; delete it and state it anew.'
        ) from error
    return str(statement)


def _record(model: Path, statement: str) -> str:
    line = " ".join(statement.split())
    if model.is_dir() and _recorded(model) == line:
        return line
    stated = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = json.dumps({"statement": line, "stated": stated}, ensure_ascii=False, indent=2) + "\n"
    try:
        write_whole(model / CONSENT_FILE, text.encode())
    except MediaError as error:
        raise ModelError(f"could not record the consent: {error}") from error
    return line


def _recorded(model: Path) -> str | None:
    try:
        return read_consent(model)
    except ModelError:
        return None  # a damaged record is replaced by the new statement
