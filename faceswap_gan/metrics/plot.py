"""Curves over time as SVG, drawn here so that a report needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

WIDTH, HEIGHT = 1040, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 24
_TICKS = np.asarray([1, 2, 2.5, 5, 10])


@dataclass(frozen=True)
class Curve:
    """A line of a plot.

    Attributes:
        title: in the legend.
        colour: CSS colour.
        seconds: float (n,).
        values: float (n,); NaN and jumps in time break the line.
        thin: drawn as a thin line.
    """

    title: str
    colour: str
    seconds: Floats
    values: Floats
    thin: bool = False


def draw_plot(title: str, curves: Sequence[Curve], *, marks: Sequence[tuple[float, str]] = (), unit: str = "") -> str:
    """Draw curves over a common time axis.

    Args:
        title: above the plot.
        curves: the last one lies on top.
        marks: times, s, with a word each, drawn as upright lines.
        unit: of the values.

    Returns:
        An SVG element; a line of text where no curve has a value.
    """
    finite = [curve.values[np.isfinite(curve.values)] for curve in curves]
    seconds = np.concatenate([curve.seconds for curve in curves]) if curves else np.empty(0)
    values = np.concatenate(finite) if finite else np.empty(0)
    if not len(values):
        return f"<p>{escape(title)}: nothing to show.</p>"
    # A few extreme frames must not flatten the rest; what lies beyond is cut at the frame.
    low, high = np.percentile(values, [0.2, 99.8])
    margin = 0.06 * (high - low) or 0.05 * max(abs(float(high)), 1.0)
    start = float(seconds.min())
    axes = _Axes(start, max(float(seconds.max()), start + 1e-3), low - margin, high + margin)
    body = [axes.draw_grid(unit), *(axes.draw_mark(*mark) for mark in marks)]
    body += [axes.draw_curve(curve) for curve in curves]
    body.append(_legend(title, curves))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'font-family="system-ui, sans-serif" font-size="12">{"".join(body)}</svg>'
    )


@dataclass(frozen=True)
class _Axes:
    start: float
    end: float
    low: float
    high: float

    def x(self, seconds: Floats | float) -> Floats:
        part = (np.asarray(seconds, np.float64) - self.start) / (self.end - self.start)
        return np.asarray(_LEFT + part * (WIDTH - _LEFT - _RIGHT))

    def y(self, values: Floats | float) -> Floats:
        part = ((np.asarray(values, np.float64) - self.low) / (self.high - self.low)).clip(0, 1)
        return np.asarray(HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM))

    def draw_grid(self, unit: str) -> str:
        parts = []
        for value in _ticks(self.low, self.high, 4):
            y = float(self.y(value))
            parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>')
            label = f"{value:.6g}{'°' if unit == '°' else f' {unit}' if unit else ''}"
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{label}</text>')
        for value in _ticks(self.start, self.end, 10):
            x, y = float(self.x(value)), HEIGHT - _BOTTOM
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}" stroke="#888"/>')
            parts.append(f'<text x="{x:.1f}" y="{y + 17}" text-anchor="middle" fill="#555">{value:.6g} s</text>')
        return "".join(parts)

    def draw_mark(self, seconds: float, word: str) -> str:
        x = float(self.x(seconds))
        return (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" stroke="#c33" '
            f'stroke-dasharray="2 3"/><text x="{x + 3:.1f}" y="{_TOP + 9}" fill="#c33" font-size="10">'
            f"{escape(word)}</text>"
        )

    def draw_curve(self, curve: Curve) -> str:
        values, seconds = np.asarray(curve.values, np.float64), np.asarray(curve.seconds, np.float64)
        step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
        lines: list[list[str]] = []
        points: list[str] = []
        last = -np.inf
        for x, y, when, value in zip(self.x(seconds), self.y(values), seconds, values, strict=True):
            if points and (not np.isfinite(value) or when - last > 2.5 * step):
                lines.append(points)
                points = []
            if np.isfinite(value):
                points.append(f"{x:.1f},{y:.1f}")
                last = when
        width = 1 if curve.thin else 1.8
        style = f'fill="none" stroke="{curve.colour}" stroke-width="{width}" stroke-linejoin="round"'
        return "".join(f'<polyline points="{" ".join(line)}" {style}/>' for line in [*lines, points] if line)


def _legend(title: str, curves: Sequence[Curve]) -> str:
    parts = [f'<text x="{_LEFT}" y="16" font-weight="600" font-size="14" fill="#222">{escape(title)}</text>']
    x = float(WIDTH - _RIGHT)
    for curve in reversed(curves):
        x -= 7.0 * len(curve.title) + 8
        parts.append(f'<text x="{x:.0f}" y="16" fill="#333">{escape(curve.title)}</text>')
        parts.append(
            f'<line x1="{x - 24:.0f}" x2="{x - 6:.0f}" y1="12" y2="12" stroke="{curve.colour}" '
            f'stroke-width="{1.5 if curve.thin else 3}"/>'
        )
        x -= 36
    return "".join(parts)


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between two, about so many."""
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * _TICKS[np.argmin(np.abs(_TICKS - rough / power))])
    first = np.ceil(low / step) * step
    return [float(round(v, 10)) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]
