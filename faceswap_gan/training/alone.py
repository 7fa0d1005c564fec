"""One training at a time in a model folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faceswap_gan.errors import ModelError
from faceswap_gan.media.lock import lock_file

_LOCK = "training.lock"


@contextmanager
def alone_at(model: Path) -> Iterator[None]:
    """Keep other trainings out of a model folder, which is made, until the context or this process ends.

    Two would delete each other's unfinished checkpoints, and mix their rows in one table.

    Args:
        model: the folder; removed again where nothing was written to it.

    Raises:
        MediaError: the folder cannot be made.
        ModelError: another training is at work in it.
    """
    file = model / _LOCK
    held = lock_file(file)
    if held is None:
        raise ModelError(
            f"expected to be alone at work in {model}, but another training runs there; wait for it to end, or train "
            "into another --model."
        )
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()
        held.close()
        with suppress(OSError):  # Windows deletes no open file; what anything was written to stays
            file.unlink(missing_ok=True)
            model.rmdir()
