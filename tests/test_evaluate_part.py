"""Evaluate what convert makes of a part of the footage."""

from __future__ import annotations

import pytest
from fakes import FakeLoaded, FakeSwap
from judges import ERRORS, RATIOS, measure, stand_in, value

from faceswap_gan import convert
from faceswap_gan.conversion.settings import OutputSettings
from faceswap_gan.errors import SettingsError
from faceswap_gan.media.video import Frame, VideoWriter, read_frames, read_info
from faceswap_gan.synthetic.clips import build_pair

PART = {"start": 0.4, "end": 0.8}  # frames 10 to 19 of 24


@pytest.fixture
def convert_part(fake_model, found_faces, monkeypatch, tiny_pair, tmp_path):
    """Converts a part of dst with a model that paints nothing, so that it is what it was."""
    unpainted = FakeLoaded(FakeSwap(opacity=0.0))
    monkeypatch.setattr("faceswap_gan.training.checkpoint.load_swap", lambda model, *, face, **more: unpainted)

    def run(**part):
        product = OutputSettings(codec="ffv1", **part)
        convert.run(tiny_pair["dst"], fake_model, tmp_path / "part.mkv", product=product, consent="x")
        stand_in(monkeypatch)
        return tmp_path / "part.mkv"

    return run


def test_a_part_is_judged_by_its_own_moments(convert_part, tiny_pair, tmp_path):
    result = measure(tmp_path, tiny_pair, convert_part(**PART), **PART)
    for name in ERRORS:
        assert value(result, "swap", name) == pytest.approx(0, abs=1e-5), name
    for name in RATIOS:
        assert value(result, "swap", name) == pytest.approx(1, abs=5e-3), name
    assert result["media"]["flags"] == [], "frames, times and sound are those of the part"
    assert result["media"]["wanted"] == result["methods"]["copy"]["frames"] == 10
    assert result["notes"][0].startswith("Of dst the part from 0.4 s to 0.8 s was measured")


def test_a_part_that_is_taken_for_the_whole_is_told_of(convert_part, tiny_pair, tmp_path):
    result = measure(tmp_path, tiny_pair, convert_part(**PART))
    assert value(result, "swap", "landmarks_contour") > 0.5
    hint = "10 frames instead of 24; is it a part? then give the --start and --end that convert was given"
    assert result["media"]["flags"][0] == hint
    assert all(entry["frame"] < 10 for entry in result["worst"])


def test_dst_itself_is_no_part_of_it(tiny_pair, tmp_path, monkeypatch):
    stand_in(monkeypatch)
    result = measure(tmp_path, tiny_pair, tiny_pair["dst"], start=0.4)
    assert value(result, "swap", "landmarks_contour") > 0.5, "it does not begin there"
    assert value(result, "copy", "landmarks_contour") == 0


def test_the_truth_of_all_is_cut_alike(tiny_pair, tmp_path, monkeypatch):
    stand_in(monkeypatch)
    drawn = build_pair(tmp_path, seconds=0.96, size=192)
    whole, part = tmp_path / "whole.mkv", tmp_path / "part.mkv"
    with VideoWriter(whole, like=read_info(tiny_pair["dst"]), codec="ffv1") as writer:
        for frame, true in zip(read_frames(tiny_pair["dst"]), drawn.truth(), strict=True):
            writer.write(Frame(frame.index, frame.pts, frame.time_base, true.image, frame.duration))
    with VideoWriter(part, like=read_info(whole), codec="ffv1", **PART) as writer:
        for frame in read_frames(whole, **PART):
            writer.write(frame)
    result = measure(tmp_path, tiny_pair, part, truth=whole, **PART)
    assert value(result, "swap", "psnr") == value(result, "truth", "psnr") == 100
    assert value(result, "swap", "cos_truth") == pytest.approx(1, abs=1e-5)
    assert value(result, "copy", "psnr") < 25


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"start": 5.0}, r"frames from 0 to 0\.92 s, got --start 5; give what convert"),
        ({"start": 0.93, "end": 0.95}, r"got --start 0\.93 and --end 0\.95;"),
        ({"start": -1.0}, "expected --start of at least 0"),
        ({"start": 0.5, "end": 0.3}, "--end after it"),
        ({"start": float("nan")}, "got --start nan"),
        ({"end": float("inf")}, "--end inf"),
    ],
    ids=str,
)
def test_what_is_no_part_is_refused_before_anything_is_measured(tiny_pair, tmp_path, part, words):
    with pytest.raises(SettingsError, match=words):
        measure(tmp_path, tiny_pair, tiny_pair["dst"], **part)
    assert not (tmp_path / "report.html").exists()
