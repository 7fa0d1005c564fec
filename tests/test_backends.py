"""The whole job, tiny, on whatever backend KERAS_BACKEND names: CI runs this file once per backend."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from faceswap_gan import convert, extract, masks, train
from faceswap_gan.media.facts import read_facts
from faceswap_gan.media.video import read_frames, read_info
from faceswap_gan.training.checkpoint import find_checkpoint


@pytest.fixture(scope="module")
def faces(tiny_pair, tmp_path_factory):
    """Face folders with eye masks, one a side."""
    folder = tmp_path_factory.mktemp("faces")
    for side, video in tiny_pair.items():
        extract.run(video, folder / f"face_{side}", size=128)
        masks.run(folder / f"face_{side}")
    return {side: folder / f"face_{side}" for side in tiny_pair}


@pytest.mark.parametrize("preset", ["fast", pytest.param("classic-lite-64", marks=pytest.mark.slow)])
def test_train_resume_convert(tiny_pair, faces, tmp_path, preset):
    model, output = tmp_path / "model", tmp_path / "swapped.mp4"
    for steps in (2, 4):
        perceptual = None if preset == "fast" else "none"
        train.run(faces["src"], faces["dst"], model=model, preset=preset, steps=steps, batch=4, perceptual=perceptual)
        assert find_checkpoint(model).state.step == steps
    convert.run(tiny_pair["dst"], model, output, consent="drawn people")
    before, after = read_info(tiny_pair["dst"]), read_info(output)
    assert (after.width, after.height, len(read_facts(output).sound)) == (before.width, before.height, 1)
    frames = list(zip(read_frames(tiny_pair["dst"]), read_frames(output), strict=True))
    assert len(frames) == 24
    assert all(_time(old) == _time(new) for old, new in frames)
    changed = [np.abs(old.image.astype(int) - new.image).max() > 20 for old, new in frames]
    assert all(changed), "every frame shows a face, so every frame is painted"


def _time(frame) -> Fraction:
    return frame.pts * frame.time_base
