"""What swap runs, what it skips, and what it refuses; the stages themselves are replaced."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from tiny import tiny_settings, write_model

from faceswap_gan import convert, extract, masks, swap, train
from faceswap_gan.conversion.settings import MarkSettings
from faceswap_gan.errors import (
    FaceFolderError,
    FaceSwapError,
    MarksError,
    MediaError,
    ModelError,
    SettingsError,
    WeightsError,
)
from faceswap_gan.faces.folder import mask_folder
from faceswap_gan.media.images import write_image
from faceswap_gan.media.video import read_frames
from faceswap_gan.synthetic.clips import write_pair
from faceswap_gan.training.checkpoint import State


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"), seconds=0.08, size=96)


def _masks(seen, faces):
    mask_folder(faces).mkdir(parents=True, exist_ok=True)
    seen.append(f"masks {faces.name}")


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """Names of the stages that ran; extract also makes its folder."""
    seen: list[str] = []

    def _extract(video, faces, **settings):
        faces.mkdir(parents=True, exist_ok=True)
        seen.append(f"extract {faces.name}")

    monkeypatch.setattr(extract, "run", _extract)
    monkeypatch.setattr(masks, "run", partial(_masks, seen))
    monkeypatch.setattr(train, "run", lambda src, dst, **settings: seen.append(f"train {settings['steps']}"))
    monkeypatch.setattr(convert, "run", lambda video, model, output, **settings: seen.append("convert"))
    return seen


swap_them = partial(swap.run, consent="Ann agreed")
FACES = ["extract face_src", "masks face_src", "extract face_dst", "masks face_dst"]


def test_all_stages_then_only_the_open_ones(pair, calls, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4", steps=3)
    assert calls == [*FACES, "train 3", "convert"]
    assert (tmp_path / "out_workspace" / "stages.json").exists()
    calls.clear()
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4", steps=9)
    assert calls == ["train 9", "convert"]
    assert "extract face_src: skipped" in caplog.text


def test_a_folder_of_pictures_is_a_video(calls, tmp_path, pair):
    for frame in read_frames(pair.src):
        write_image(tmp_path / "photos" / f"{frame.index}.png", frame.image)
    for _ in range(2):
        swap_them(tmp_path / "photos", pair.dst, tmp_path / "out.mp4", steps=3)
    assert calls == [*FACES, "train 3", "convert", "train 3", "convert"]
    write_image(tmp_path / "photos" / "more.png", frame.image)
    with pytest.raises(SettingsError, match="made with another video sha256"):
        swap_them(tmp_path / "photos", pair.dst, tmp_path / "out.mp4", steps=3)


def test_a_stopped_stage_runs_again(pair, calls, tmp_path, monkeypatch):
    def _stop(faces):
        raise KeyboardInterrupt

    monkeypatch.setattr(masks, "run", _stop)
    with pytest.raises(KeyboardInterrupt):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=tmp_path / "work")
    monkeypatch.setattr(masks, "run", partial(_masks, calls))
    calls.clear()
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=tmp_path / "work")
    assert calls == [*FACES[1:], "train None", "convert"]


def test_a_deleted_face_folder_is_made_again(pair, calls, tmp_path):
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4")
    (tmp_path / "out_workspace" / "face_dst").rmdir()
    calls.clear()
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4")
    assert calls == ["extract face_dst", "train None", "convert"]


def test_a_workspace_belongs_to_its_videos(pair, calls, tmp_path):
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4")
    with pytest.raises(SettingsError, match="--workspace"):
        swap_them(pair.dst, pair.src, tmp_path / "out.mp4")
    with pytest.raises(SettingsError, match="every"):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", every=2)


def test_wrong_output_and_videos_are_found_first(pair, calls, tmp_path):
    with pytest.raises(MediaError, match="ending in"):
        swap_them(pair.src, pair.dst, tmp_path / "out.txt")
    with pytest.raises(FaceSwapError, match="missing"):
        swap_them(pair.src, tmp_path / "missing.mp4", tmp_path / "out.mp4")
    with pytest.raises(SettingsError, match="one of them"):
        swap_them(pair.src, pair.dst, pair.src)
    for where in ({}, {"workspace": tmp_path / "work"}):
        with pytest.raises(SettingsError, match="name of its own"):
            swap_them(pair.src, pair.dst, Path(), **where)
    with pytest.raises(SettingsError, match="--label"):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", marks=MarkSettings(label="généré"))
    with pytest.raises(MarksError, match="--certificate and --private-key"):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", marks=MarkSettings(private_key=tmp_path / "key.pem"))
    assert calls == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"minutes": -1.0}, "--minutes above 0, got -1"),
        ({"steps": 0}, "--steps above 0"),
        ({"batch": 0}, "--batch above 0"),
        ({"seed": -1}, "--seed of 0 or more"),
        ({"preset": "fst"}, "fst"),
    ],
)
def test_what_training_would_refuse_is_found_first(pair, calls, tmp_path, flags, words):
    with pytest.raises(SettingsError, match=words):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", **flags)
    assert calls == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "error", "words"),
    [
        ({"preset": "fast", "teacher": "mesh"}, WeightsError, "face_landmarker.task"),
        ({"preset": "classic-64"}, WeightsError, "--perceptual none"),
        ({"preset": "classic-64", "vggface_weights": Path(__file__)}, WeightsError, "test_swap.py"),
        ({"preset": "classic-64", "vggface_weights": Path("none.h5")}, WeightsError, "none.h5"),
        ({"preset": "classic-64", "perceptual": "none", "teacher": "mesh"}, SettingsError, "--teacher none"),
        ({"preset": "fast", "perceptual": "vggface"}, SettingsError, "--perceptual none"),
    ],
)
def test_what_training_cannot_have_is_found_first(pair, calls, tmp_path, flags, error, words):
    with pytest.raises(error, match=words):
        swap_them(pair.src, pair.dst, tmp_path / "new" / "out.mp4", **flags)
    assert calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_flag_against_the_workspace_s_model_is_found_first(pair, calls, tmp_path):
    model = tmp_path / "work" / "model"
    settings = tiny_settings("fast", training={"batch": 1, "teacher": "none"})
    write_model(model, settings, state=State(30, 60.0))
    for steps in (30, 99):
        with pytest.raises(ModelError, match="--batch 1, now 2"):
            swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=model.parent, steps=steps, batch=2)
    assert calls == []
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=model.parent, steps=30)
    assert calls[-1] == "convert"


def test_what_training_chooses_is_told_once(pair, calls, tmp_path, caplog):
    caplog.set_level("INFO", "faceswap_gan")
    swap_them(pair.src, pair.dst, tmp_path / "out.mp4", preset="fast")
    assert "preset fast" not in caplog.text, "that is training's to tell, which is replaced here"


def test_a_damaged_list_of_stages_is_named(pair, calls, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "stages.json").write_text('{"extract')
    with pytest.raises(FaceFolderError, match="stages.json"):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=work)
    (work / "stages.json").write_text(json.dumps(["a", "b"]))
    with pytest.raises(FaceFolderError, match="stages.json"):
        swap_them(pair.src, pair.dst, tmp_path / "out.mp4", workspace=work)


def test_nothing_is_done_before_somebody_agreed(pair, calls, tmp_path):
    with pytest.raises(SettingsError, match="--consent"):
        swap.run(pair.src, pair.dst, tmp_path / "out.mp4")
    assert calls == []
    assert list(tmp_path.iterdir()) == []
