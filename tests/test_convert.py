"""The convert verb: from video and model to a finished, marked video."""

from __future__ import annotations

import json
import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from exr_reader import read_exr

from faceswap_gan.__main__ import call_verb
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.settings import OutputSettings, RegionSettings
from faceswap_gan.convert import run
from faceswap_gan.errors import MediaError, ModelError, NoFaceError, SettingsError
from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.landmarks import Landmarks
from faceswap_gan.media.images import read_mask, write_image
from faceswap_gan.media.video import is_picture, read_frames, read_info
from faceswap_gan.training import checkpoint

PLAIN = FinishSettings(color="none", detail=0.0)


def _metadata(path):
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


def _red(image):
    return image[..., 0].astype(int) - image[..., 1] > 150


def test_every_frame_keeps_its_time_and_gets_the_face(make_video, fake_model, found_faces, tmp_path, caplog):
    source = make_video(pts=[7, 600, 1100, 2500], audio=["aac"], sar=Fraction(15, 16))
    with caplog.at_level(logging.INFO):
        run(source, fake_model, tmp_path / "out.mp4", finish=PLAIN, consent="Ann agreed")
    old, new = list(read_frames(source)), list(read_frames(tmp_path / "out.mp4"))
    assert [f.pts for f in new] == [f.pts for f in old]
    assert read_info(tmp_path / "out.mp4").sample_aspect_ratio == Fraction(15, 16)
    for before, after in zip(old, new, strict=True):
        assert _red(after.image)[20:28, 28:36].all()
        assert np.abs(after.image[:, 56:].astype(int) - before.image[:, 56:]).mean() < 6
    assert "4 frames, 4 swapped" in caplog.text
    assert [p.name for p in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(("layout", "panes"), [("side-by-side", 2), ("triple", 3)])
def test_layouts_keep_times(make_video, fake_model, found_faces, tmp_path, layout, panes):
    source = make_video()
    run(
        source,
        fake_model,
        tmp_path / "out.mp4",
        product=OutputSettings(output_layout=layout),
        finish=PLAIN,
        consent="x",
    )
    frames = list(read_frames(tmp_path / "out.mp4"))
    assert frames[0].image.shape == (48, 64 * panes, 3)
    assert [f.pts for f in frames] == [f.pts for f in read_frames(source)]
    assert not _red(frames[0].image[20:28, 28:36]).any()
    assert _red(frames[0].image[20:28, 92:100]).all()


@pytest.mark.parametrize("landmarks", ["mtcnn", "mesh"])
def test_parts_alone_are_painted(fake_model, found_faces, tmp_path, caplog, monkeypatch, landmarks):
    class Unsure:
        name = landmarks

        def find(self, image, face):
            return Landmarks(face.landmarks, None, None, 0.1)

    monkeypatch.setattr("faceswap_gan.faces.landmarks.open_landmarks", lambda name, *, weights: Unsure())
    write_image(tmp_path / "in.png", np.full((48, 64, 3), 90, np.uint8))
    run(
        tmp_path / "in.png",
        fake_model,
        tmp_path / "out.png",
        finish=PLAIN,
        consent="x",
        region=RegionSettings(parts=("mouth",), landmarks=landmarks),
    )
    (frame,) = read_frames(tmp_path / "out.png")
    x, y = (template(40)[3:].mean(axis=0) + [12, 4]).round().astype(int)
    assert _red(frame.image)[y, x]
    assert (frame.image[: y - 10] == 90).all()
    assert ("landmarks" in caplog.text) == (landmarks == "mesh")


def test_frames_without_a_face_stay_and_are_counted(make_video, fake_model, found_faces, tmp_path, caplog):
    found_faces.clear()
    found_faces.update({0, 1, 11})
    source = make_video()
    with caplog.at_level(logging.INFO):
        run(source, fake_model, tmp_path / "out.mp4", finish=PLAIN, consent="x")
    red = [_red(f.image)[20:28, 28:36].all() for f in read_frames(tmp_path / "out.mp4")]
    assert [i for i, r in enumerate(red) if r] == [0, 1, 11]
    assert "12 frames, 3 swapped, 9 without a face" in caplog.text


def test_no_face_at_all_is_an_error_and_leaves_no_file(make_video, fake_model, found_faces, tmp_path):
    found_faces.clear()
    source = make_video()
    (tmp_path / "out.mp4").write_text("old")
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(NoFaceError, match="none in 12 frames"):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    assert (tmp_path / "out.mp4").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".png", ".jpg"])
def test_picture(fake_model, found_faces, tmp_path, suffix):
    write_image(tmp_path / "in.png", np.full((48, 64, 3), 90, np.uint8))
    run(tmp_path / "in.png", fake_model, tmp_path / f"out{suffix}", finish=PLAIN, consent="x")
    (frame,) = read_frames(tmp_path / f"out{suffix}")
    assert _red(frame.image)[20:28, 28:36].all()
    if is_picture(tmp_path / f"out{suffix}"):
        assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / f"out{suffix}").read_bytes()


@pytest.mark.parametrize("named", [{}, {"face": "dst"}, {"checkpoint": "best"}], ids=str)
def test_the_face_and_the_checkpoint_that_are_named_paint(fake_model, found_faces, tmp_path, monkeypatch, named):
    load, loaded = checkpoint.load_swap, []

    def note(model, **which):
        loaded.append((model, which))
        return load(model, **which)

    monkeypatch.setattr(checkpoint, "load_swap", note)
    write_image(tmp_path / "in.png", np.full((48, 64, 3), 90, np.uint8))
    places = {"video": tmp_path / "in.png", "model": fake_model, "output": tmp_path / "out.png"}
    flags = {**places, "consent": "x", "color": "none", "detail": 0, **named}
    assert call_verb("convert", [str(word) for name, value in flags.items() for word in (f"--{name}", value)]) == 0
    assert loaded == [(fake_model, {"face": "src", "checkpoint": "last", **named})]
    (frame,) = read_frames(tmp_path / "out.png")
    painted = np.flip(frame.image, -1) if "face" in named else frame.image
    assert _red(painted)[20:28, 28:36].all()


@pytest.mark.parametrize("kind", ["png", "exr"])
def test_masks_hold_what_is_painted(fake_model, found_faces, tmp_path, kind):
    write_image(tmp_path / "in.png", np.full((48, 64, 3), 90, np.uint8))
    product = OutputSettings(write_masks=tmp_path / "masks", mask_format=kind)
    run(tmp_path / "in.png", fake_model, tmp_path / "out.png", finish=PLAIN, product=product, consent="x")
    file = tmp_path / "masks" / f"000000.{kind}"
    mask = read_exr(file.read_bytes())[1] if kind == "exr" else read_mask(file) / 255
    (frame,) = read_frames(tmp_path / "out.png")
    assert (mask.min(), mask.max()) == (0, 1)
    assert _red(frame.image)[mask == 1].all()
    assert (frame.image[mask == 0] == 90).all()


def test_a_folder_named_by_a_dot_has_its_output_beside_it(fake_model, found_faces, tmp_path, monkeypatch):
    write_image(tmp_path / "pictures" / "a.png", np.full((48, 64, 3), 90, np.uint8))
    monkeypatch.chdir(tmp_path / "pictures")
    run(Path(), fake_model, finish=PLAIN, consent="x")
    (frame,) = read_frames(tmp_path / "pictures_swapped")
    assert _red(frame.image)[20:28, 28:36].all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "pictures", "pictures_swapped"]


def test_beside_a_container_that_is_not_written_lies_one_that_holds_everything(make_video, fake_model, found_faces):
    source = make_video("in.avi", codec="mpeg4", audio=["mp3"])
    run(source, fake_model, finish=PLAIN, consent="x")
    assert len(list(read_frames(source.with_name("in_swapped.mkv")))) == 12


def _result(source, model, output, **product):
    run(source, model, output, finish=PLAIN, product=OutputSettings(**product), consent="x")
    return sorted(path.name for path in output.iterdir())


def test_of_an_earlier_longer_result_nothing_is_left(make_video, fake_model, found_faces, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    source, output = make_video(), tmp_path / "out"
    assert len(_result(source, fake_model, output)) == 12
    write_image(output / "mine.png", np.full((48, 64, 3), 90, np.uint8))
    write_image(output / "000099.png", np.full((48, 64, 3), 90, np.uint8))
    found = _result(source, fake_model, output, end=0.15)
    assert found == [*(f"{n:06d}.png" for n in range(5)), "000099.png", "mine.png"]
    assert "7 pictures that an earlier result left there are gone" in caplog.text


def test_of_an_earlier_result_of_the_same_folder_nothing_is_left(fake_model, found_faces, tmp_path):
    grey = np.full((48, 64, 3), 90, np.uint8)
    for name in ("a/x.png", "a/y.jpg", "a/z.png", "b/other.png"):
        write_image(tmp_path / name, grey)
    output = tmp_path / "out"
    _result(tmp_path / "b", fake_model, output)
    assert _result(tmp_path / "a", fake_model, output) == ["other.png", "x.png", "y.png", "z.png"]
    assert _result(tmp_path / "a", fake_model, output, start=0.03) == ["other.png", "y.png", "z.png"]


def test_output_says_what_it_is_and_who_agreed(make_video, fake_model, found_faces, tmp_path, caplog):
    source = make_video()
    run(source, fake_model, tmp_path / "a.mp4", consent="Ann agreed to this swap")
    tags = _metadata(tmp_path / "a.mp4")
    assert tags["comment"].startswith("AI-generated: face swapped by faceswap_gan ")
    assert tags["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert tags["consent"] == "Ann agreed to this swap"
    assert json.loads((fake_model / "consent.json").read_text())["statement"] == "Ann agreed to this swap"
    run(source, fake_model, tmp_path / "b.mp4")
    assert _metadata(tmp_path / "b.mp4")["consent"] == "Ann agreed to this swap"


def test_without_consent_nothing_is_made(make_video, fake_model, found_faces, tmp_path):
    source = make_video()
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(SettingsError, match="--consent"):
        run(source, fake_model, tmp_path / "a.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert not (fake_model / "consent.json").exists()


def test_a_terminal_is_asked_once(make_video, fake_model, found_faces, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("faceswap_gan.conversion.consent._ask", lambda: asked.append(1) or "Ann agreed")
    source = make_video()
    for name in ("a.mp4", "b.mp4"):
        run(source, fake_model, tmp_path / name)
        assert _metadata(tmp_path / name)["consent"] == "Ann agreed"
    assert asked == [1]


def test_landmarks_without_parts_are_said_to_do_nothing(fake_model, found_faces, tmp_path, caplog):
    write_image(tmp_path / "in.png", np.full((48, 64, 3), 90, np.uint8))
    run(tmp_path / "in.png", fake_model, tmp_path / "out.png", region=RegionSettings(landmarks="mesh"), consent="x")
    assert "--landmarks mesh does nothing without --parts" in caplog.text


def test_wrong_settings_are_clear_errors(make_video, fake_model, found_faces, tmp_path):
    source = make_video()
    out = tmp_path / "out.mp4"
    with pytest.raises(SettingsError, match="the video itself"):
        run(source, fake_model, source, consent="x")
    with pytest.raises(SettingsError, match="name of its own, got '.'"):
        run(source, fake_model, Path(), consent="x")
    with pytest.raises(SettingsError, match=r"name of its own, got '\.\.'"):
        run(source, fake_model, Path(".."), consent="x")
    with pytest.raises(SettingsError, match="--output for /"):
        run(Path("/"), fake_model, consent="x")
    for folder, words in ((source, "which is a file"), (tmp_path / "out", "would replace them")):
        with pytest.raises(SettingsError, match=words):
            run(source, fake_model, tmp_path / "out", product=OutputSettings(write_masks=folder), consent="x")
    for start, got in ((float("nan"), "nan"), (-1.0, "-1")):
        with pytest.raises(SettingsError, match=f"--start of at least 0 .* got --start {got} and no --end"):
            run(source, fake_model, out, product=OutputSettings(start=start), consent="x")
    with pytest.raises(SettingsError, match="coverage"):
        run(source, fake_model, out, finish=FinishSettings(coverage=1.5), consent="x")
    with pytest.raises(SettingsError, match="batch"):
        run(source, fake_model, out, batch=0, consent="x")
    with pytest.raises(SettingsError, match="--parts"):
        run(source, fake_model, out, region=RegionSettings(parts=()), consent="x")
    with pytest.raises(MediaError, match="does not exist"):
        run(tmp_path / "none.mp4", fake_model, out, consent="x")
    with pytest.raises(MediaError, match="ending in"):
        run(source, fake_model, tmp_path / "out.txt", consent="x")
    with pytest.raises(SettingsError, match="--end"):
        run(source, fake_model, out, product=OutputSettings(start=2.0, end=1.0), consent="x")
    with pytest.raises(SettingsError, match="--model, or --pair"):
        run(source, None, out, consent="x")
    (fake_model / "consent.json").write_text("{")
    with pytest.raises(ModelError, match="consent"):
        run(source, fake_model, out)
    assert not out.exists()
    assert [p.name for p in tmp_path.glob(".*")] == []
