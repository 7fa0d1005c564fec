"""What several test files share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol
from urllib.error import URLError

import av
import numpy as np
import pytest
from fakes import FakeLoaded, FakeSwap, draw, facedata_folder
from numpy.typing import NDArray

from faceswap_gan.faces.alignment import template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.scan import FaceScan, SeenFrame
from faceswap_gan.faces.tracker import TrackedFace
from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.synthetic.clips import write_pair


@pytest.fixture(autouse=True)
def _own_config(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A settings folder of the tests' own: none touches the user's key."""
    monkeypatch.setenv("FACESWAP_CONFIG", str(tmp_path_factory.getbasetemp() / "config"))


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let no test find or fetch pretrained files of its own accord: what runs is the same on every machine."""

    def refuse(url: str, **_: Any) -> None:
        raise URLError("nothing is fetched in tests")

    monkeypatch.delenv("FACESWAP_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.fixture(scope="session")
def facedata() -> Path:
    """Folder of real videos and photos for internal tests; most machines have none."""
    folder = facedata_folder()
    if not folder.is_dir():
        pytest.skip(f"no real faces at {folder}; set FACESWAP_TESTDATA to a folder that has them")
    return folder


class MakeVideo(Protocol):
    """Signature of the `make_video` fixture."""

    def __call__(
        self,
        name: str = ...,
        *,
        images: Sequence[NDArray[np.uint8]] | None = ...,
        pts: Sequence[int] = ...,
        time_base: Fraction = ...,
        pix_fmt: str = ...,
        codec: str = ...,
        audio: Sequence[str] = ...,
        sar: Fraction = ...,
        rotation: int = ...,
        tags: tuple[int, int, int, int] = ...,
    ) -> Path: ...


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Make a small video file with chosen times, tags and sound."""

    def make(
        name="video.mp4",
        *,
        images=None,
        pts=tuple(range(0, 12 * 512, 512)),
        time_base=Fraction(1, 15360),
        pix_fmt="yuv420p",
        codec="libx264",
        audio=(),
        sar=Fraction(1),
        rotation=0,
        tags=(1, 1, 1, 1),
    ):
        path = tmp_path / name
        images = images if images is not None else draw(len(pts))
        scale = {"video_track_timescale": str(time_base.denominator)} if path.suffix in (".mp4", ".mov") else {}
        with av.open(
            str(path), "w", container_options={**scale, "movie_timescale": "105840000"} if scale else {}
        ) as out:
            video = out.add_stream(codec, rate=30)
            video.height, video.width = images[0].shape[:2]
            video.pix_fmt = pix_fmt
            video.codec_context.time_base = time_base
            video.codec_context.sample_aspect_ratio = sar
            video.colorspace, video.color_primaries, video.color_trc, video.color_range = tags
            if rotation:
                video.set_display_rotation(rotation)
            sounds = [out.add_stream(name, rate=48000) for name in audio]
            for sound in sounds:
                _play(out, sound, seconds=float((pts[-1] + 1) * time_base))
            for when, image in zip(pts, images, strict=True):
                tagged = ColorTags(tags[0], tags[1], tags[2], tags[3] == 2)
                frame = from_rgb(image, "yuv444p" if image.shape[0] % 2 else "yuv420p", tagged)
                frame = frame.reformat(format=pix_fmt, src_color_range=tags[3], dst_color_range=tags[3])
                frame.pts, frame.time_base = when, time_base
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        return path

    return make


def _play(out: Any, sound: Any, *, seconds: float) -> None:
    """Encode a tone into an audio stream."""
    count = int(seconds * 48000)
    tone = (np.sin(np.arange(count) * 440 * 2 * np.pi / 48000) * 0.3).astype(np.float32)
    for start in range(0, count - 1024, 1024):
        part = np.stack([tone[start : start + 1024]] * 2)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


@pytest.fixture(scope="session")
def tiny_pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two drawn videos of 24 frames with sound: "src" and "dst"."""
    pair = write_pair(tmp_path_factory.mktemp("tiny_pair"), seconds=0.96, size=192)
    return {"src": pair.src, "dst": pair.dst}


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model folder whose `load_swap` gives an untrained swap function: src is red, dst is blue."""
    colours = {"src": (1.0, -1.0, -1.0), "dst": (-1.0, -1.0, 1.0)}
    monkeypatch.setattr(
        "faceswap_gan.training.checkpoint.load_swap",
        lambda model, *, face, checkpoint="last": FakeLoaded(FakeSwap(colours[face])),
    )
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def found_faces(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Numbers of the frames on which convert "finds" a face, to be changed; finding itself is tested elsewhere."""
    shown = set(range(1000))
    face = Face(np.float32([12, 4, 52, 44]), (template(40) + [12, 4]).astype(np.float32), 0.99)

    def scan(video, read, detector, **_):
        seen = [(f, (TrackedFace(face, 0),) if f.index in shown else ()) for f in read(0)]
        return FaceScan(tuple(SeenFrame(f.index, f.pts, f.seconds, 0, tracked) for f, tracked in seen))

    monkeypatch.setattr("faceswap_gan.conversion.passes.scan_video", scan)
    monkeypatch.setattr("faceswap_gan.faces.smoothing.smooth_scan", lambda scan, method: scan)
    for module in ("passes", "casting"):
        monkeypatch.setattr(f"faceswap_gan.conversion.{module}.FaceDetector", lambda: None)
    return shown
