"""An evaluation as one HTML page that needs nothing else: table, plots over time, pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from faceswap_gan.media.images import encode_image, resize
from faceswap_gan.metrics.evaluation import Evaluation, Image, Moment, sum_up
from faceswap_gan.metrics.plot import Curve, draw_plot
from faceswap_gan.metrics.report import format_interval, format_score, shown_metrics
from faceswap_gan.metrics.scores import BY_NAME

_COLOURS = {
    "swap": "#1557b0", "footage": "#333333", "still": "#c77700", "mesh_swap": "#2e8540", "copy": "#999999",
    "truth": "#7b3fa0",
}  # fmt: skip
_PLOTS = (
    "transfer", "mouth", "eyes", "landmarks_mouth", "landmarks_eyes", "gaze", "pose", "expression", "boundary",
    "colour", "outside",
)  # fmt: skip
_TITLES = {"mouth": "mouth opening", "eyes": "eye opening"}
_STYLE = """
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1c1c1c; background: #fff;
  max-width: 1080px; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.7em; margin-bottom: .2em; } h2 { font-size: 1.25em; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3em .6em; text-align: right; border-bottom: 1px solid #e2e2e2; vertical-align: top; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid #444; }
td small { display: block; color: #666; font-size: .75em; white-space: nowrap; }
.own { background: #eef4fc; font-weight: 600; } .own small { font-weight: 400; }
.best, .quiet { color: #666; } .good { color: #1d6b2c; } .bad { color: #b01818; font-weight: 600; }
svg { width: 100%; height: auto; margin: .4em 0; }
img { width: 100%; display: block; border-radius: 3px; }
.strip td, .strip th { padding: 2px; border: 0; text-align: center; font-size: .85em; vertical-align: middle; }
.strip th:first-child { width: 7.5em; text-align: right; padding-right: .6em; font-weight: 600; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 1.2em; }
figure { margin: 0; } .two { display: grid; grid-template-columns: 1fr 1fr; gap: 3px; }
figcaption { font-size: .9em; color: #333; margin-top: .3em; }
dt { font-weight: 600; margin-top: .5em; } dd { margin-left: 1.2em; } code { overflow-wrap: anywhere; }
"""


def to_html(evaluation: Evaluation) -> str:
    """Write the report.

    Args:
        evaluation: what to report.

    Returns:
        A whole page; pictures are embedded, nothing is loaded from anywhere.
    """
    swapped = next(entry.name for entry in evaluation.files if entry.role == "swapped")
    parts = (
        f"<h1>How good is {escape(swapped)}?</h1>",
        *(f"<p>{escape(line)}</p>" for line in sum_up(evaluation)),
        _media(evaluation),
        *(_strip(heading, moments) for heading, moments in evaluation.strips.items()),
        "<h2>Figures</h2>",
        _table(evaluation),
        _plots(evaluation),
        _worst(evaluation),
        _method(evaluation),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Evaluation of {escape(swapped)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _media(evaluation: Evaluation) -> str:
    media = evaluation.media
    if not media.flags:
        words = f"all {media.frames} frames at the footage's times, its size and every packet of its sound kept."
        return f'<p class="good">Media: {words}</p>'
    faults = "".join(f"<li>{escape(flag)}</li>" for flag in media.flags)
    return f'<p class="bad">Media faults:</p><ul class="bad">{faults}</ul>'


def _strip(heading: str, moments: Sequence[Moment]) -> str:
    """Rows of methods, columns of moments."""
    if not moments:
        return ""
    head = "".join(f"<th>{moment.seconds:.2f} s</th>" for moment in moments)
    rows = []
    for title in moments[0].pictures:
        cells = "".join(f"<td>{_picture(moment.pictures.get(title), title, 176)}</td>" for moment in moments)
        rows.append(f"<tr><th>{escape(title)}</th>{cells}</tr>")
    return f'<h2>{escape(heading)}</h2><table class="strip"><tr><th></th>{head}</tr>{"".join(rows)}</table>'


def _table(evaluation: Evaluation) -> str:
    head = "".join(
        f'<th class="{"own" if method is evaluation.swap else ""}">{escape(method.title)}</th>'
        for method in evaluation.methods
    )
    return (
        f'<table><thead><tr><th></th><th class="best">best</th>{head}</tr></thead><tbody>'
        f"{''.join(_rows(evaluation))}</tbody></table>"
        '<p class="quiet">Small print below a value: its 95 % interval, by bootstrap over blocks of about a '
        "second.</p>"
    )


def _rows(evaluation: Evaluation) -> Iterator[str]:
    for metric in shown_metrics(evaluation):
        cells = []
        for method in evaluation.methods:
            score = method.scores[metric.name]
            small = f"<small>{format_interval(score, metric)}</small>"
            kind = ' class="own"' if method is evaluation.swap else ""
            cells.append(f"<td{kind}>{format_score(score, metric)}{small}</td>")
        title = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
        yield f'<tr><td>{escape(title)}</td><td class="best">{metric.best}</td>{"".join(cells)}</tr>'


def _plots(evaluation: Evaluation) -> str:
    """The swap over time on top of the footage, the still and the mesh swap."""
    marks = [(moment.seconds, str(number)) for number, moment in enumerate(evaluation.worst, 1)]
    drawn = []
    for name in _PLOTS:
        metric = BY_NAME.get(name)
        curves = list(_curves(evaluation, name))
        title = _TITLES.get(name) or (metric.title if metric else name)
        if any(np.isfinite(curve.values).any() for curve in curves):
            drawn.append(draw_plot(title, curves, marks=marks, unit=metric.unit if metric else ""))
    words = "Red numbers are the worst frames shown below; other methods were measured in blocks of the footage."
    return f'<h2>Over time</h2><p class="quiet">{words}</p>{"".join(drawn)}'


def _curves(evaluation: Evaluation, name: str) -> Iterator[Curve]:
    by_name = {method.name: method for method in evaluation.methods}
    for other in ("still", "mesh_swap", "truth"):
        if other in by_name and name not in ("mouth", "eyes"):
            method = by_name[other]
            yield Curve(method.title, _COLOURS[other], method.seconds, method.curves[name], thin=True)
    swap = evaluation.swap
    if name in evaluation.footage_curves:
        yield Curve("footage", _COLOURS["footage"], swap.seconds, evaluation.footage_curves[name], thin=True)
    yield Curve("swap", _COLOURS["swap"], swap.seconds, swap.curves[name])


def _worst(evaluation: Evaluation) -> str:
    if not evaluation.worst:
        return ""
    figures = "".join(_figure(number, moment) for number, moment in enumerate(evaluation.worst, 1))
    words = "Left the footage, right the swap: for every curve its worst frame."
    return f'<h2>The worst frames</h2><p class="quiet">{words}</p><div class="worst">{figures}</div>'


def _figure(number: int, moment: Moment) -> str:
    pictures = "".join(_picture(picture, title, 256) for title, picture in moment.pictures.items())
    caption = f"<b>{number}.</b> {moment.seconds:.2f} s, frame {moment.frame}: {escape(moment.caption)}"
    return f'<figure><div class="two">{pictures}</div><figcaption>{caption}</figcaption></figure>'


def _picture(picture: Image | None, title: str, side: int) -> str:
    if picture is None:
        return "<span>–</span>"
    data = base64.b64encode(encode_image(resize(picture, side), ".jpg")).decode()
    return f'<img alt="{escape(title)}" src="data:image/jpeg;base64,{data}">'


def _method(evaluation: Evaluation) -> str:
    return (
        "<h2>What was measured</h2>"
        + _list([(method.title, f"{method.about} {method.frames} frames.") for method in evaluation.methods])
        + "<h2>What the figures mean</h2>"
        + _list([(metric.title, metric.meaning) for metric in shown_metrics(evaluation)])
        + "<h2>Read this with care</h2><ul>"
        + "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
        + "</ul><h2>Files</h2><table><thead><tr><th>role</th><th>name</th><th>sha256</th></tr></thead>"
        + "".join(
            f"<tr><td>{escape(f.role)}</td><td>{escape(f.name)}</td><td><code>{f.sha256}</code></td></tr>"
            for f in evaluation.files
        )
        + "</table>"
    )


def _list(entries: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(term)}</dt><dd>{escape(text)}</dd>' for term, text in entries)}</dl>"
