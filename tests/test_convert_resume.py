"""A conversion that is stopped and goes on: the result is that of one that never was, byte for byte."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from fakes import FakeLoaded, draw

from faceswap_gan.conversion import output as output_module
from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.settings import OutputSettings, PeopleSettings
from faceswap_gan.convert import run
from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.faces.people import choose_people
from faceswap_gan.faces.selection import Selection
from faceswap_gan.media.video import read_frames
from faceswap_gan.nn.generator import Swap

pytestmark = pytest.mark.usefixtures("unsigned")

FRAMES = 23
STRETCH = 6


def _mirror(axis, **loaded):
    """A model that mirrors its crop: as each frame is painted differently, it shows which were averaged."""

    def mirror(crops):
        return Swap(np.flip(crops, axis), np.ones((*crops.shape[:3], 1), np.float32))

    return FakeLoaded(mirror, **loaded)


@pytest.fixture
def fake_model(fake_model, monkeypatch):
    """A model whose src is mirrored left to right, and whose dst upside down."""
    models = {"src": _mirror(2), "dst": _mirror(1)}
    monkeypatch.setattr("faceswap_gan.training.checkpoint.load_swap", lambda model, *, face, **_: models[face])
    return fake_model


@pytest.fixture
def film(make_video, found_faces, monkeypatch):
    """Makes a video of four stretches whose light changes, so that colours depend on the frames before."""
    monkeypatch.setattr("faceswap_gan.conversion.passes.STRETCH", STRETCH)
    found_faces.discard(9)

    def make(dark=0.5):
        images = [np.clip(image * (dark + i / 40), 0, 255).astype(np.uint8) for i, image in enumerate(draw(FRAMES))]
        return make_video(images=images, pts=range(0, FRAMES * 512, 512), audio=["aac"])

    return make


@pytest.fixture
def source(film):
    """A video made so."""
    return film()


@pytest.fixture
def unsigned(monkeypatch):
    """Signatures hold random numbers and the time: what is compared here is the file before it is signed."""
    monkeypatch.setattr("faceswap_gan.conversion.marking.Marking.finish", lambda self, path, final=None: None)


@pytest.fixture
def stop_at(monkeypatch):
    """Stop the conversion with an error when it encodes so many frames; None lets it run."""

    def stop(count, error=KeyboardInterrupt):
        left = iter(range(10**6 if count is None else count))

        def lay_out(entry, layout):
            if next(left, None) is None:
                raise error
            return whole(entry, layout)

        monkeypatch.setattr(output_module, "lay_out", lay_out)

    whole = output_module.lay_out
    return stop


def _hidden(folder):
    return [path.name for path in folder.glob(".*")]


@pytest.mark.parametrize("stops", [[0], [STRETCH], [STRETCH + 3], [3, 14, 2, 7]], ids=str)
def test_stopped_it_goes_on_to_the_same_bytes(source, fake_model, tmp_path, stop_at, stops):
    whole, output, kept = tmp_path / "whole.mp4", tmp_path / "out.mp4", []
    run(source, fake_model, whole, batch=4, consent="x")
    for count in stops:
        stop_at(count)
        with pytest.raises(KeyboardInterrupt) as stopped:
            run(source, fake_model, output, batch=4, consent="x")
        kept.append(stopped)  # as a notebook does, with all that the run held
        assert not output.exists()
    stop_at(None)
    run(source, fake_model, output, batch=4, consent="x")
    assert output.read_bytes() == whole.read_bytes()
    assert len(list(read_frames(output))) == FRAMES
    assert _hidden(tmp_path) == []
    assert list(tmp_path.glob("*part*")) == []


def _watch(monkeypatch):
    """Note the numbers of the frames that are encoded from now on."""
    encoded = []
    whole = output_module.SegmentWriter.write
    monkeypatch.setattr(
        output_module.SegmentWriter,
        "write",
        lambda self, frame, *how: encoded.append(frame.index) or whole(self, frame, *how),
    )
    return encoded


def test_only_what_is_missing_is_made(source, fake_model, tmp_path, stop_at, monkeypatch):
    stop_at(STRETCH * 2 + 1)
    with pytest.raises(KeyboardInterrupt):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    encoded = _watch(monkeypatch)
    stop_at(None)
    run(source, fake_model, tmp_path / "out.mp4", consent="x")
    assert encoded == list(range(2 * STRETCH, FRAMES))


def test_an_interrupt_leaves_a_part_that_plays(source, fake_model, tmp_path, stop_at, caplog):
    caplog.set_level(logging.INFO)
    stop_at(STRETCH + 2)
    with pytest.raises(KeyboardInterrupt):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    part = list(read_frames(tmp_path / "out.part.mp4"))
    assert [frame.pts for frame in part] == [frame.pts for frame in read_frames(source)][:STRETCH]
    assert f"holds the first {STRETCH} frames" in caplog.text
    assert _hidden(tmp_path) == [".out.mp4.parts"]


def test_a_part_that_is_not_ours_stays(source, fake_model, tmp_path):
    (tmp_path / "out.part.mp4").write_text("somebody's")
    run(source, fake_model, tmp_path / "out.mp4", consent="x")
    assert (tmp_path / "out.part.mp4").read_text() == "somebody's"


def test_an_error_keeps_what_is_done(source, fake_model, tmp_path, stop_at):
    stop_at(STRETCH + 2, MediaError("disk full"))
    with pytest.raises(MediaError, match="disk full"):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    assert _hidden(tmp_path) == [".out.mp4.parts"]
    stop_at(2, MediaError("disk full"))
    with pytest.raises(MediaError, match="disk full"):
        run(source, fake_model, tmp_path / "other.mp4", consent="x")
    assert _hidden(tmp_path) == [".out.mp4.parts"]


def test_a_flag_that_is_refused_costs_nothing(source, fake_model, tmp_path, stop_at, monkeypatch):
    stop_at(STRETCH + 2)
    with pytest.raises(KeyboardInterrupt):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    part = (tmp_path / "out.part.mp4").read_bytes()
    wrong = {"people": PeopleSettings(track=(99,)), "finish": FinishSettings(color="lab")}
    with pytest.raises(SettingsError, match="one of 0, got 99"):
        run(source, fake_model, tmp_path / "out.mp4", consent="x", **wrong)
    assert (tmp_path / "out.part.mp4").read_bytes() == part
    encoded = _watch(monkeypatch)
    stop_at(None)
    run(source, fake_model, tmp_path / "out.mp4", consent="x")
    assert encoded == list(range(STRETCH, FRAMES))
    assert _hidden(tmp_path) == []


@pytest.fixture
def assert_it_starts_anew(source, fake_model, tmp_path, caplog):
    """Goes on with a stopped conversion, of which nothing may be used: what differs is said, as a name."""

    def go_on(name, **flags):
        caplog.set_level(logging.INFO)
        run(source, fake_model, tmp_path / "out.mp4", consent="x", **flags)
        run(source, fake_model, tmp_path / "whole.mp4", consent="x", **flags)
        told = [record.getMessage() for record in caplog.records if "starts anew" in record.getMessage()]
        assert told == [f"{tmp_path / 'out.mp4'} was begun with another {name}: it starts anew"]
        assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()

    return go_on


@pytest.fixture
def stopped(source, fake_model, tmp_path, stop_at):
    """A conversion that was stopped after its first stretch; the next one is not."""
    stop_at(STRETCH + 1)
    with pytest.raises(KeyboardInterrupt):
        run(source, fake_model, tmp_path / "out.mp4", consent="x")
    stop_at(None)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("color, detail", {"finish": FinishSettings(color="none", detail=0.0)}),
        ("crf, encoder", {"product": OutputSettings(crf=30)}),
        ("max_faces", {"people": PeopleSettings(max_faces=2)}),
        ("face", {"face": "dst"}),
    ],
)
def test_another_setting_starts_anew(stopped, assert_it_starts_anew, name, flags):
    assert_it_starts_anew(name, **flags)


def test_a_model_that_was_trained_on_starts_anew(stopped, assert_it_starts_anew, monkeypatch):
    trained_on = _mirror(1, sha256="1" * 64)
    monkeypatch.setattr("faceswap_gan.training.checkpoint.load_swap", lambda model, **_: trained_on)
    assert_it_starts_anew("model")


def test_another_video_of_the_same_name_starts_anew(stopped, assert_it_starts_anew, film):
    film(dark=0.3)
    assert_it_starts_anew("footage")


@pytest.fixture
def who(monkeypatch, tmp_path, fake_model):
    """Ways to name a person by files, whose content nobody looks at: the settings, and the file that counts."""
    casting = "faceswap_gan.conversion.casting"
    for name in ("check_reference", "open_recognizer", "embed_tracks"):
        monkeypatch.setattr(f"{casting}.{name}", lambda *_, **__: {})
    monkeypatch.setattr(f"{casting}.select_people", lambda scan, *_, **__: Selection(choose_people(scan), "identity"))
    monkeypatch.setattr(f"{casting}._match", lambda pictures, *_: {picture: {0} for picture in pictures})
    ann, net = tmp_path / "ann.png", tmp_path / "net.onnx"
    for file in (ann, net):
        file.write_bytes(b"one")
    return {
        "reference": (PeopleSettings(reference=ann), ann),
        "recognizer": (PeopleSettings(reference=ann, recognizer=net), net),
        "pair": (PeopleSettings(pair=(f"{ann}={fake_model}",)), ann),
    }


@pytest.mark.parametrize("flag", ["reference", "recognizer", "pair"])
def test_another_file_under_the_same_name_starts_anew(source, fake_model, tmp_path, stop_at, who, caplog, flag):
    caplog.set_level(logging.INFO)
    people, file = who[flag]

    def go():
        run(source, None if people.pair else fake_model, tmp_path / "out.mp4", people=people, consent="x")

    for content, is_new in ((b"one", False), (b"two", True), (b"two", False)):
        file.write_bytes(content)
        stop_at(STRETCH + 1)
        caplog.clear()
        with pytest.raises(KeyboardInterrupt):
            go()
        assert (f"begun with another {flag}: it starts anew" in caplog.text) == is_new
