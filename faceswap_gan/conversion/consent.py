"""Who agreed to a model: one statement beside its weights, carried into every video it makes."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from faceswap_gan.errors import MediaError, ModelError, SettingsError

CONSENT_FILE = "consent.json"

DRAWN = "nobody is shown: both people are drawn by the program"
"""What the demo states. It is never kept with a model: real footage put through the demo's model asks anew."""


def require_consent(models: Sequence[Path], given: str | None, *, ask: Callable[[], str] | None = None) -> str:
    """Find who agreed to the swaps of these models, or stop.

    Args:
        models: model folders; a statement given is kept in those that exist. None for a swap without a model.
        given: a statement for this run; replaces the recorded ones.
        ask: asks the user; by default the terminal does, where there is one.

    Returns:
        The statements, each once, joined by semicolons.

    Raises:
        SettingsError: nobody said who agreed.
        ModelError: a record cannot be read or written.
    """
    asks = ask or (_ask if sys.stdin is not None and sys.stdin.isatty() else None)
    stated: dict[str, None] = {}
    for model in models or (None,):
        statement = _settle(model, given, asks)
        if statement is None:
            what = f"the swap of {model}" if model is not None else "this swap"
            raise SettingsError(
                f"expected a statement of who agreed to {what}, and to what, got none; "
                'add --consent "..." with one line, and swap only people who agreed.'
            )
        stated[statement] = None
    return "; ".join(stated)


def _settle(model: Path | None, given: str | None, ask: Callable[[], str] | None) -> str | None:
    if given is not None and _line(given) == DRAWN:
        return DRAWN
    if model is None or not model.is_dir():
        return _line(given or "") or (_line(ask()) if ask is not None and given is None else "") or None
    return settle_consent(model, given, ask)


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
    # What nobody wrote, or what the demo states, says of no real person that they agreed.
    return str(statement) if _line(str(statement)) not in ("", DRAWN) else None


def _line(text: str) -> str:
    return " ".join(text.split())


def _record(model: Path, statement: str) -> str:
    from faceswap_gan.media.images import write_whole

    line = _line(statement)
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


def _ask() -> str:
    from rich.console import Console

    return Console(stderr=True).input("Who agreed to this swap, and to what? One line, kept with the model: ")
