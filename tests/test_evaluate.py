"""Evaluate from end to end, on drawn people with stand-ins for the networks, and on real ones."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeLoaded, FakeSwap, load_script
from judges import ERRORS, RATIOS, measure, stand_in, value

from faceswap_gan import evaluate
from faceswap_gan.conversion.anchors import make_source, paste_still, place_faces, reconstruct
from faceswap_gan.errors import MediaError, NoFaceError, SettingsError
from faceswap_gan.faces.alignment import ARCFACE
from faceswap_gan.media.video import Frame, VideoWriter, read_frames, read_info
from faceswap_gan.nn.generator import Swap
from faceswap_gan.synthetic.clips import build_pair


@pytest.fixture
def stand_ins(monkeypatch):
    stand_in(monkeypatch)


@pytest.mark.parametrize("again", [False, True])
def test_a_copy_of_dst(tiny_pair, tmp_path, stand_ins, again):
    copy = tiny_pair["dst"]
    if again:  # the same pictures in another file, so that nothing can be reused
        copy = tmp_path / "copy.mp4"
        copy.write_bytes(tiny_pair["dst"].read_bytes() + b"\0\0\0\x08free")
    result = measure(tmp_path, tiny_pair, copy)
    for method in ("swap", "copy"):
        assert value(result, method, "transfer") == pytest.approx(0, abs=5e-3)
        assert value(result, method, "nearer") == 0
        for name in ERRORS:
            assert value(result, method, name) == pytest.approx(0, abs=1e-5), name
        for name in RATIOS:
            assert value(result, method, name) == pytest.approx(1, abs=5e-3), name
    assert result["media"]["flags"] == []
    assert value(result, "still", "transfer") > 0.05  # recoloured, which is all that the stand-in sees
    assert value(result, "still", "sharpness") < 1


def test_src_against_itself(tiny_pair, tmp_path, stand_ins):
    result = measure(tmp_path, tiny_pair, tiny_pair["src"])
    assert value(result, "swap", "transfer") == pytest.approx(1, abs=0.01)
    assert value(result, "swap", "nearer") == 1
    assert value(result, "swap", "landmarks_contour") > 0
    assert "encoded anew" in result["media"]["flags"][0], "src's sound is not dst's"


def test_dropped_frames(tiny_pair, tmp_path, stand_ins):
    short = tmp_path / "short.mp4"
    with VideoWriter(short, like=read_info(tiny_pair["dst"])) as writer:
        for frame in read_frames(tiny_pair["dst"]):
            if frame.index not in (5, 6, 20):
                writer.write(frame)
    result = measure(tmp_path, tiny_pair, short)
    assert result["media"]["missing"] == 3
    assert result["media"]["flags"][0] == "21 frames instead of 24"
    assert result["methods"]["swap"]["scores"]["transfer"]["frames"] == 24
    assert value(result, "swap", "failures") == pytest.approx(3 / 24), "a dropped frame is a failure"
    assert value(result, "swap", "landmarks_eyes") < 0.5, "the others are still compared with their own frames"
    assert any(entry["why"] == "no frame at this time" for entry in result["worst"])


def test_against_the_truth(tiny_pair, tmp_path, stand_ins):
    drawn = build_pair(tmp_path, seconds=0.96, size=192)
    truth = tmp_path / "truth.mp4"
    with VideoWriter(truth, like=read_info(tiny_pair["dst"])) as writer:
        for frame, true in zip(read_frames(tiny_pair["dst"]), drawn.truth(), strict=True):
            writer.write(Frame(frame.index, frame.pts, frame.time_base, true.image, frame.duration))
    result = measure(tmp_path, tiny_pair, tiny_pair["dst"], truth=truth)
    assert value(result, "truth", "psnr") == 100
    assert value(result, "truth", "ssim") == pytest.approx(1, abs=1e-5)
    assert value(result, "truth", "cos_truth") == pytest.approx(1, abs=1e-5)
    assert value(result, "copy", "psnr") < 25
    assert value(result, "copy", "cos_truth") < value(result, "truth", "cos_truth")
    assert value(result, "truth", "transfer") > 0.5


def test_refusals(tiny_pair, tmp_path, stand_ins, make_video):
    with pytest.raises(MediaError, match="footage's size"):
        measure(tmp_path, tiny_pair, make_video("other.mp4"))
    with pytest.raises(SettingsError, match="anchor-frames"):
        measure(tmp_path, tiny_pair, tiny_pair["dst"], anchor_frames=3)
    with pytest.raises(SettingsError, match="--seed"):
        measure(tmp_path, tiny_pair, tiny_pair["dst"], seed=-1)
    with pytest.raises(NoFaceError, match="expected a face"):
        measure(tmp_path, {**tiny_pair, "dst": make_video("empty.mp4")}, make_video("empty2.mp4"))
    assert not (tmp_path / "report.html").exists()


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path):
    video = tmp_path / "swapped.mp4"
    video.write_bytes(b"precious")
    (tmp_path / "folder.html").mkdir()
    for report, error in (
        (video, SettingsError),
        (tmp_path / "facts.json", SettingsError),
        (tmp_path / "folder.html", MediaError),
        (video / "page.html", MediaError),
    ):
        with pytest.raises(error, match=report.name):
            evaluate.run(video, tmp_path / "none.mp4", tmp_path / "none.mp4", report=report)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "swapped.mp4"]
    assert video.read_bytes() == b"precious"


@pytest.mark.parametrize("role", ["swapped", "src", "dst", "truth"])
def test_a_folder_is_refused(tmp_path, monkeypatch, role):
    monkeypatch.chdir(tmp_path)
    videos = dict.fromkeys(("swapped", "src", "dst"), Path("none.mp4")) | {role: Path()}
    with pytest.raises(MediaError, match=rf"expected a video for --{role}, got the folder \.; give a file"):
        evaluate.run(**videos)


def test_faces_are_placed_where_they_were():
    frame = Frame(7, 0, 1, np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    lost, numbers = np.full((1, 5, 2), np.nan), np.asarray([7])
    assert next(place_faces([frame], numbers, lost, np.full((1, 2, 3), np.nan), size=64)).faces == ()
    found = next(place_faces([frame], numbers, ARCFACE[None] / 2, np.eye(2, 3)[None], size=64))
    assert np.array_equal(found.faces[0].image, frame.image)
    with pytest.raises(NoFaceError):
        paste_still([], [])
    with pytest.raises(NoFaceError):
        make_source({}, {}, {}, None)


@pytest.fixture
def deep_pair(tiny_pair, make_video):
    """The two people at ten bits a sample."""
    facts = {"pts": range(0, 960, 40), "time_base": Fraction(1, 1000), "pix_fmt": "yuv420p10le", "codec": "ffv1"}
    shown = {side: [frame.image for frame in read_frames(video)] for side, video in tiny_pair.items()}
    return {side: make_video(f"{side}.mkv", images=images, **facts) for side, images in shown.items()}


def test_ten_bits_are_measured_at_eight(deep_pair, tmp_path, stand_ins, monkeypatch):
    unpainted = FakeLoaded(FakeSwap(opacity=0.0))
    monkeypatch.setattr("faceswap_gan.training.checkpoint.load_swap", lambda model, *, face: unpainted)
    result = measure(tmp_path, deep_pair, deep_pair["dst"], model=tmp_path)
    assert value(result, "copy", "outside") == 0
    assert value(result, "still", "transfer") > 0.05
    assert value(result, "still", "outside") < 1
    assert value(result, "src_reconstructed", "outside") == 0
    assert value(result, "src_reconstructed", "colour") == pytest.approx(0, abs=1e-5)
    assert value(result, "src_reconstructed", "transfer") == pytest.approx(1, abs=0.01)


def test_what_stands_beside_a_deep_swap_is_painted_at_eight_bits(deep_pair):
    frame = next(read_frames(deep_pair["dst"]))
    assert frame.deep is not None
    at = np.asarray([0]), ARCFACE[None], np.eye(2, 3)[None]
    for paint in (
        lambda found: paste_still(found, [np.full((112, 112, 3), 200, np.uint8)]),
        lambda found: reconstruct(found, FakeSwap(), size=64),
    ):
        painted = next(paint(place_faces([frame], *at, size=112)))
        assert painted.image.dtype == np.uint8
        assert painted.image.shape == frame.image.shape
        assert painted.mask.any()
        assert np.array_equal(painted.image[painted.mask == 0], frame.image[painted.mask == 0])


def test_the_benchmark_measures_ten_bits(deep_pair, monkeypatch):
    quality = load_script("quality")
    same = FakeLoaded(lambda crops: Swap(crops, np.ones((*crops.shape[:3], 1), np.float32)))
    monkeypatch.setattr(quality, "load_swap", lambda model, *, face: same)
    assert 0.9 < quality.reconstruction_ssim(deep_pair["src"], deep_pair["src"].parent) < 1


@pytest.mark.slow
def test_real_people(facedata, tmp_path):
    videos, weights = facedata / "videos", facedata / "weights"
    cut = {}
    for role, name in (("src", "p3_woman_expressive.mp4"), ("dst", "p2_man_sar15x16.mp4")):
        cut[role] = tmp_path / f"{role}.mkv"
        with VideoWriter(cut[role], like=read_info(videos / name)) as writer:
            for frame in read_frames(videos / name):
                if frame.index == 45:
                    break
                writer.write(frame)
    page = tmp_path / "report.html"
    recognizer = weights / "face_embed_mobileface_v2_112.onnx"
    evaluate.run(cut["dst"], cut["src"], cut["dst"], recognizer=recognizer, weights_dir=weights, report=page,
                 anchor_frames=30)  # fmt: skip
    result = json.loads(page.with_suffix(".json").read_text())
    assert value(result, "swap", "transfer") == pytest.approx(0, abs=5e-3)
    assert value(result, "still", "transfer") > value(result, "mesh_swap", "transfer") > 0.3
    assert value(result, "still", "gaze") > value(result, "mesh_swap", "gaze") > 0
    assert value(result, "still", "mouth_correlation") < value(result, "mesh_swap", "mouth_correlation")
