"""An evaluation as a table for the terminal and as JSON."""

from __future__ import annotations

import math
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from faceswap_gan import __version__
from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.metrics.bootstrap import Score
from faceswap_gan.metrics.evaluation import Evaluation
from faceswap_gan.metrics.scores import METRICS, Metric

_WIDTH = 160  # characters a line where the table goes to no terminal


def check_page(page: Path) -> None:
    """Check that a report can be written, before minutes go into measuring.

    Args:
        page: the page; its folder is made when missing.

    Raises:
        SettingsError: its name doesn't end in .html: it might be one of the videos.
        MediaError: it is a folder, or its folder does not take files.
    """
    if page.suffix.lower() not in (".html", ".htm"):
        raise SettingsError(f"expected a --report ending in .html, got {page}; rename it.")
    if page.is_dir():
        raise MediaError(f"expected a file for the report, got the folder {page}; rename it.")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=page.parent):
            pass
    except OSError as error:
        raise MediaError(f"could not write {page}: {error.strerror}; check its folder and the free space.") from error


def show_table(evaluation: Evaluation) -> None:
    """Print the figures: as wide as the terminal, or at full width into a file or pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(to_table(evaluation))


def shown_metrics(evaluation: Evaluation) -> list[Metric]:
    """List the metrics of which any method has a value."""
    return [m for m in METRICS if any(math.isfinite(e.scores[m.name].value) for e in evaluation.methods)]


def format_score(score: Score, metric: Metric) -> str:
    """Write a value; a dash where it is not defined."""
    return _write(score.value, metric) if math.isfinite(score.value) else "–"


def format_interval(score: Score, metric: Metric) -> str:
    """Write a 95 % interval; nothing where it is unknown."""
    if not math.isfinite(score.low):
        return ""
    return f"{_write(score.low, metric)} to {_write(score.high, metric)}"


def _write(value: float, metric: Metric) -> str:
    """Write a number; what rounds to zero has no sign."""
    return f"{round(value, metric.digits) + 0.0:.{metric.digits}f}"


def to_table(evaluation: Evaluation) -> Table:
    """Lay the figures out for the terminal: a row a metric, a column a method."""
    table = Table(title="The swap, and what it is measured beside", title_justify="left")
    table.add_column("")
    table.add_column("best", justify="right", style="dim")
    for method in evaluation.methods:
        table.add_column(method.title, justify="right")
    table.columns[2].style = "bold"
    table.add_column("swap's 95 % interval", justify="right", style="dim")
    for column in table.columns:
        column.overflow = "fold"  # a narrow terminal breaks words rather than losing their ends
    for metric in shown_metrics(evaluation):
        title = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
        values = [format_score(method.scores[metric.name], metric) for method in evaluation.methods]
        interval = format_interval(evaluation.swap.scores[metric.name], metric)
        table.add_row(title, metric.best, *values, interval)
    return table


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Describe an evaluation in plain types; what is not defined is null.

    Returns:
        ``files``, ``media``, ``notes``, ``metrics`` (what each means), ``methods`` (frames and scores by
        metric: value, low, high, frames) and ``curves`` of the swap over time.
    """
    result = {
        "version": __version__,
        "files": [asdict(entry) for entry in evaluation.files],
        "media": asdict(evaluation.media),
        "notes": list(evaluation.notes),
        "metrics": {m.name: {"unit": m.unit, "best": m.best, "meaning": m.meaning} for m in METRICS},
        "methods": {
            method.name: {
                "title": method.title,
                "about": method.about,
                "frames": method.frames,
                "scores": {name: asdict(score) for name, score in method.scores.items()},
            }
            for method in evaluation.methods
        },
        "curves": {"seconds": evaluation.swap.seconds, **evaluation.swap.curves},
        "worst": [{"frame": m.frame, "seconds": m.seconds, "why": m.caption} for m in evaluation.worst],
    }
    plain = _plain(result)
    return dict(plain)


def _plain(value: Any) -> Any:
    """Replace arrays by lists and what is no finite number by None; round to six digits."""
    if isinstance(value, np.ndarray):
        return [_plain(float(v)) for v in value]
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
