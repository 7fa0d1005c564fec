"""convert on real footage: two people in one pass, and frames without a face."""

from __future__ import annotations

from itertools import islice

import av
import numpy as np
import pytest
from fakes import FakeLoaded, FakeSwap

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.settings import OutputSettings, PeopleSettings
from faceswap_gan.convert import run
from faceswap_gan.media.images import read_mask, write_image
from faceswap_gan.media.video import read_frames

PLAIN = FinishSettings(color="none", detail=0.0)


@pytest.fixture
def models(monkeypatch, tmp_path):
    """Folders of two models that paint red and blue, each known by its colour."""
    colours = {"red": (1.0, -1.0, -1.0), "blue": (-1.0, -1.0, 1.0)}
    monkeypatch.setattr(
        "faceswap_gan.training.checkpoint.load_swap",
        lambda model, **_: FakeLoaded(FakeSwap(colours[model.name]), sha256=model.name),
    )
    for name in colours:
        (tmp_path / name).mkdir()
    return {name: tmp_path / name for name in colours}


def _painted(image):
    """Share of the picture's halves that is red, and blue: (left, right) each."""
    halves = np.split(image.astype(int), 2, axis=1)

    return {
        name: [
            float((2 * half[..., channel] - half.sum(axis=-1) + half[..., channel] > 200).mean()) for half in halves
        ]
        for name, channel in (("red", 0), ("blue", 2))
    }


def test_two_people_get_their_own_face_in_one_pass(facedata, models, tmp_path):
    references = {"p3_woman_expressive": "blue", "p2_man_sar15x16": "red"}
    pairs = []
    for person, colour in references.items():
        frame = next(islice(read_frames(facedata / "videos" / f"{person}.mp4"), 20, None))
        write_image(tmp_path / f"{person}.png", frame.image)
        pairs.append(f"{tmp_path / f'{person}.png'}={models[colour]}")
    recognizer = facedata / "weights" / "face_embed_mobileface_v2_112.onnx"
    run(
        facedata / "hard" / "drv_two_people_side_by_side.mp4",
        None,
        tmp_path / "out.mkv",
        people=PeopleSettings(pair=tuple(pairs), recognizer=recognizer),
        finish=PLAIN,
        product=OutputSettings(codec="ffv1", end=0.5),
        consent="x",
    )
    frames = list(read_frames(tmp_path / "out.mkv"))
    assert len(frames) == 15
    for frame in frames:
        painted = _painted(frame.image)
        assert painted["blue"][0] > 0.1 > 0.001 > painted["red"][0]
        assert painted["red"][1] > 0.1 > 0.001 > painted["blue"][1]


def test_frames_without_a_face_are_those_of_the_source_bit_for_bit(facedata, models, tmp_path):
    source, masks = facedata / "hard" / "drv_face_gone_1s_to_2s.mp4", tmp_path / "masks"
    product = OutputSettings(codec="ffv1", write_masks=masks)
    run(source, models["red"], tmp_path / "out.mkv", finish=PLAIN, product=product, consent="x")
    painted = [bool(read_mask(path).any()) for path in sorted(masks.iterdir())]
    before, after = (list(_planes(path)) for path in (source, tmp_path / "out.mkv"))
    assert len(painted) == len(before) == len(after) == 90
    assert 25 <= painted.count(False) <= 35
    for shown, old, new in zip(painted, before, after, strict=True):
        assert np.array_equal(old, new) != shown


def _planes(path):
    """The samples of every frame as stored."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()
