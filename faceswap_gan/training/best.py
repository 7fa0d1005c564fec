"""Which checkpoint of a model did best on held-out faces: a note beside the checkpoints."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from faceswap_gan.errors import ModelError
from faceswap_gan.media.images import write_whole

_NOTE = "best.json"


@dataclass(frozen=True)
class Best:
    """Which checkpoint did best on held-out faces."""

    step: int
    """Its step."""
    score: float
    """What it scored, `training.held_out.Scores.score`."""


def checkpoint_folder(model: Path, step: int) -> Path:
    """Tell where a model's checkpoint of a step is."""
    return model / "checkpoints" / f"{step:08d}"


def mark_best(model: Path, best: Best) -> None:
    """Note which checkpoint is the best; `save_checkpoint` keeps it beside the newest ones.

    Raises:
        MediaError: the disk does not take it; the note is as before.
    """
    write_whole(model / "checkpoints" / _NOTE, json.dumps(asdict(best)).encode(), durable=True)


def find_best(model: Path) -> Best | None:
    """Tell which checkpoint of a model is the best; None where that was never measured or it is gone.

    Raises:
        ModelError: the note is damaged.
    """
    file = model / "checkpoints" / _NOTE
    try:
        best = Best(**json.loads(file.read_text(encoding="utf-8")))
        return best if checkpoint_folder(model, best.step).is_dir() else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{file} is damaged ({error}); delete it, the checkpoints do not need it.") from error


def forget_best(model: Path) -> None:
    """Remove the note of an earlier training in the same folder."""
    (model / "checkpoints" / _NOTE).unlink(missing_ok=True)
