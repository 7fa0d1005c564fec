"""The report: figures, plots and pictures of an evaluation, and nothing from elsewhere."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from meshes import draw_mesh
from rich.console import Console

from faceswap_gan.metrics.evaluation import Evaluation, FileFacts, Moment, judge_all, make_method, sum_up
from faceswap_gan.metrics.html import to_html
from faceswap_gan.metrics.measured import Measured, Row, stack_rows
from faceswap_gan.metrics.media_match import MediaMatch
from faceswap_gan.metrics.notes import make_notes
from faceswap_gan.metrics.plot import Curve, draw_plot
from faceswap_gan.metrics.report import show_table, to_json, to_table
from faceswap_gan.metrics.scores import METRICS, curves
from faceswap_gan.metrics.worst import find_worst

COUNT = 120


def measured(person: int, *, shift: float = 0.0, lost: tuple[int, ...] = ()) -> Measured:
    """A face that blinks, speaks and turns, with landmarks off by so many px."""
    rng = np.random.default_rng(person)
    rows = []
    for i in range(COUNT):
        mesh = draw_mesh(lids=0.1 if i % 40 < 3 else 0.3, mouth=0.1 + 0.08 * np.sin(i / 4)) + np.float32(i % 7)
        embedding = np.eye(8)[person] + rng.normal(size=8) * 0.1
        values = {
            "landmarks": mesh[:5],
            "matrices": np.eye(2, 3),
            "points": mesh + np.float32(shift),
            "rotations": np.eye(3),
            "blendshapes": np.full(52, 0.1),
            "embeddings": embedding / np.linalg.norm(embedding),
        }
        seen = {} if i in lost else values
        looks = {"outside": 0.0, "colours": np.ones(3), "sharpness": 2.0, "edges": np.ones(5)}
        rows.append(Row(i, i / 25, True, i not in lost, seen | looks))
    return stack_rows(rows, width=8)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    footage = measured(1)
    surveys = {"footage": footage, "src": measured(0), "swap": measured(0, shift=3.0, lost=(50, 51)), "copy": footage}
    judged = judge_all(surveys)
    rng = np.random.default_rng(0)
    picture = np.full((64, 64, 3), 90, np.uint8)
    shown = {"footage": picture, "swap": None}
    worst = [Moment(bad.frame, bad.seconds, bad.why, shown) for bad in find_worst(judged["swap"])]
    return Evaluation(
        files=(FileFacts("swapped", "a <b> & c.mp4", "0" * 64), FileFacts("recogniser", "net.onnx", "f" * 64)),
        media=MediaMatch(118, 120, 2, 0, 0.0, True, False, ("118 frames instead of 120",)),
        methods=tuple(make_method(name, entry, block=25, rng=rng) for name, entry in judged.items()),
        strips={"At a glance": (Moment(3, 0.12, "", {"footage": picture, "swap": picture}),)},
        worst=tuple(worst),
        notes=make_notes(judged["swap"], recognizer="net.onnx", anchor_frames=150),
        footage_curves=curves(judged["copy"]),
    )


def test_a_frame_dropped_in_between_is_a_failure_and_one_left_off_is_not():
    surveys = {"footage": measured(1), "src": measured(0), "swap": measured(0), "copy": measured(1)}
    swap = surveys["swap"]
    missing = np.isin(np.arange(COUNT), [0, 1, 60, 61, 62, 119])
    surveys["swap"] = replace(
        swap,
        shown=~missing,
        found=swap.found & ~missing,
        embeddings=np.where(missing[:, None], np.nan, swap.embeddings),
    )
    method = make_method("swap", judge_all(surveys)["swap"], block=25, rng=np.random.default_rng(0))
    assert method.scores["failures"].value == pytest.approx(3 / 117)
    assert method.scores["nearer"].value == pytest.approx(114 / 117)


def test_a_copy_has_no_error_and_no_identity(evaluation):
    scores = evaluation.methods[1].scores
    assert scores["transfer"].value == pytest.approx(0, abs=1e-6)
    for metric in METRICS:
        if metric.best == "0" and metric.name != "nearer":
            assert scores[metric.name].value == pytest.approx(0, abs=1e-9), metric.name
    for name in ("jitter", "boundary", "sharpness", "blinks", "mouth_correlation"):
        assert scores[name].value == pytest.approx(1, abs=1e-9), name
    assert np.isnan(scores["psnr"].value)


def test_lost_faces_count_as_failures(evaluation):
    scores = evaluation.swap.scores
    assert scores["failures"].value == pytest.approx(2 / 120)
    assert scores["nearer"].value == pytest.approx(118 / 120)
    assert scores["transfer"].value == pytest.approx(118 / 120, abs=0.03)
    assert scores["landmarks_eyes"].value == pytest.approx(100 * np.hypot(3, 3) / 100, abs=1e-3)
    assert scores["landmarks_eyes"].frames == 118
    assert scores["transfer"].low < scores["transfer"].value < scores["transfer"].high


def test_worst_frames_are_apart_and_lost_ones_come_first(evaluation):
    worst = evaluation.worst
    assert (worst[0].frame, worst[0].caption) == (50, "no face found any more")
    times = sorted(moment.seconds for moment in worst)
    assert min(np.diff(times), default=1) >= 0.4


def test_the_worst_frames_of_an_extract_lie_inside_it():
    swap = measured(0, lost=(75,))
    missing = np.isin(np.arange(COUNT), [*range(50), 60, *range(90, COUNT)])
    extract = replace(swap, shown=~missing, found=swap.found & ~missing)
    judged = judge_all({"footage": measured(1), "src": measured(0), "swap": extract})["swap"]
    assert [(bad.frame, bad.why) for bad in find_worst(judged)[:2]] == [
        (60, "no frame at this time"),
        (75, "no face found any more"),
    ]
    assert all(50 <= bad.frame < 90 for bad in find_worst(judged))


def test_json_holds_plain_finite_numbers(evaluation):
    text = json.dumps(to_json(evaluation), allow_nan=False)
    back = json.loads(text)
    assert list(back["methods"]) == ["swap", "copy"]
    assert back["methods"]["copy"]["scores"]["psnr"]["value"] is None
    assert back["files"][1]["sha256"] == "f" * 64
    assert len(back["curves"]["transfer"]) == COUNT
    assert set(back["metrics"]) == set(back["methods"]["swap"]["scores"])


def test_table_has_a_row_for_each_metric_with_a_value(evaluation):
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(to_table(evaluation))
    text = console.export_text()
    assert "identity transfer" in text
    assert "PSNR" not in text, "nothing is known of it"


def test_the_table_loses_nothing_in_a_pipe_or_a_narrow_terminal(evaluation, capsys):
    show_table(evaluation)
    text = capsys.readouterr().out
    assert "landmarks, contour" in text
    narrow = Console(width=60, file=io.StringIO(), record=True)
    narrow.print(to_table(evaluation))
    assert "…" not in text + narrow.export_text()


class _Watch(HTMLParser):
    """Checks that tags close, and gathers what a browser would load."""

    void = frozenset({"meta", "img", "line", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [value for key, value in attrs if key in ("src", "href", "data")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.loads += [value for key, value in attrs if key in ("src", "href", "data")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_loads_nothing(evaluation):
    page = to_html(evaluation)
    watch = _Watch()
    watch.feed(page)
    assert watch.open == []
    assert watch.loads
    assert all(load.startswith("data:image/jpeg;base64,") for load in watch.loads)
    assert "url(" not in page
    assert "<script" not in page
    assert "a &lt;b&gt; &amp; c.mp4" in page
    assert "118 frames instead of 120" in page
    assert page.count("<svg") >= 5
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]+", "", page))


def test_summary_says_how_far_it_came(evaluation):
    lines = sum_up(evaluation)
    assert lines[0].startswith("On the way from dst's identity (0) to src's (1) the swap came to 0.9")
    assert "In 1.7 % of the frames" in lines[-1]
    same = {name: replace(score, value=float("nan")) for name, score in evaluation.swap.scores.items()}
    unknown = replace(evaluation, methods=(replace(evaluation.swap, scores=same),))
    assert "does not tell src and dst apart" in sum_up(unknown)[0]


def test_plot_breaks_where_nothing_is_known():
    values = np.r_[np.ones(10), np.nan, np.arange(9.0)]
    svg = draw_plot("x < y", [Curve("swap", "#000", np.arange(20) / 25, values)], marks=[(0.2, "1")])
    assert svg.count("<polyline") == 2
    assert "x &lt; y" in svg
    assert "nothing to show" in draw_plot("none", [Curve("swap", "#000", np.arange(3.0), np.full(3, np.nan))])
    draw_plot("flat", [Curve("swap", "#000", np.zeros(1), np.ones(1))])
