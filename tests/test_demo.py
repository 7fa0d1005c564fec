"""The demo's measurement, with known swaps in place of a trained one."""

from __future__ import annotations

import json
import shutil

import pytest

from faceswap_gan import demo, swap
from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.media.images import read_image
from faceswap_gan.synthetic.clips import Clip, build_pair, write_clip

SECONDS = 0.4


def _figures(out) -> dict:
    return json.loads((out / "figures.json").read_text(encoding="utf-8"))


@pytest.fixture
def fake_swap(monkeypatch):
    """Sets what `swap` writes: a function of (dst video, output)."""

    def _set(write):
        monkeypatch.setattr(swap, "run", lambda src, dst, output, **settings: write(dst, output))

    return _set


def test_an_untouched_video_scores_the_floor(fake_swap, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    fake_swap(shutil.copy)
    demo.run(out=tmp_path, seconds=SECONDS, steps=1)
    figures = _figures(tmp_path)
    assert figures["swap"] == figures["floor"]
    assert figures["floor"]["psnr"] < 20
    assert str(tmp_path / "swapped.mp4") in caplog.text
    assert str(tmp_path / "sheet.png") in caplog.text
    assert f"PSNR {figures['floor']['psnr']:.2f} dB" in caplog.text


def test_another_drawing_needs_another_folder(fake_swap, tmp_path):
    fake_swap(shutil.copy)
    demo.run(out=tmp_path, seconds=SECONDS, steps=1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SettingsError, match=r'"seconds": 0\.4, .* was drawn, got .* 0\.8, .* another --out'):
        demo.run(out=tmp_path, seconds=2 * SECONDS, steps=1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(SettingsError):
        demo.run(out=tmp_path / "new", seconds=-1.0, steps=1)
    demo.run(out=tmp_path / "new", seconds=SECONDS, steps=1)


def test_the_perfect_swap_scores_far_above_it(fake_swap, tmp_path):
    pair = build_pair(tmp_path, seconds=SECONDS)
    perfect = Clip(pair.src_clip.person, pair.dst_clip.poses, pair.dst_clip.background)
    fake_swap(lambda dst, output: write_clip(output, perfect))
    demo.run(out=tmp_path, seconds=SECONDS, steps=1)
    figures = _figures(tmp_path)
    assert figures["swap"]["psnr"] > max(33, figures["floor"]["psnr"] + 15)
    assert figures["swap"]["ssim"] > 0.95 > figures["floor"]["ssim"]
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape[1] == 3 * 224
    assert sheet.shape[0] == 32 + 8 * 224


def test_the_program_says_that_nobody_is_shown(monkeypatch, tmp_path):
    seen = {}

    def _run(src, dst, output, **settings):
        seen.update(settings)
        shutil.copy(dst, output)

    monkeypatch.setattr(swap, "run", _run)
    demo.run(out=tmp_path, seconds=0.08, minutes=2)
    assert seen["consent"] == demo.DRAWN
    assert (seen["minutes"], seen["steps"], seen["finish"].color) == (2, None, "none")


@pytest.mark.parametrize("flags", [{"minutes": -1.0}, {"steps": 0}, {"seed": -1}, {"preset": "fst"}], ids=str)
def test_what_training_would_refuse_is_found_before_anything_is_drawn(tmp_path, flags):
    with pytest.raises(SettingsError):
        demo.run(out=tmp_path / "demo", **flags)
    assert not (tmp_path / "demo").exists()


def test_weights_that_cannot_be_had_are_missed_before_anything_is_drawn(tmp_path):
    with pytest.raises(WeightsError, match="--perceptual none"):
        demo.run(out=tmp_path / "demo", preset="classic-64")
    assert not (tmp_path / "demo").exists()
