"""What several test files share."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswap_gan.media.pixels import ColorTags, from_rgb
from faceswap_gan.nn.generator import Swap
from faceswap_gan.synthetic.clips import write_pair

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "facedata"


@pytest.fixture(scope="session")
def facedata() -> Path:
    """Folder of real videos and photos for internal tests; most machines have none."""
    folder = Path(os.environ.get("FACESWAP_TESTDATA", _BESIDE_THE_PROJECT))
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


def draw(count: int, *, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Soft moving colours, easy on codecs: RGB uint8 (height, width, 3) each."""
    y, x = np.mgrid[:height, :width]
    waves = [
        np.stack([np.sin(x / 9 + t / 5), np.cos(y / 7 - t / 6), np.sin((x + y) / 11)]) for t in range(count)
    ]
    return [np.moveaxis(96 + 80 * w, 0, -1).astype(np.uint8) for w in waves]


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
        scale = (
            {"video_track_timescale": str(time_base.denominator)} if path.suffix in (".mp4", ".mov") else {}
        )
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


class FakeSwap:
    """An untrained swap function: a constant colour, everywhere painted; counts its calls.

    Args:
        colour: RGB in [-1, 1].
        opacity: mask value in [0, 1].
    """

    def __init__(self, colour: tuple[float, float, float] = (1.0, -1.0, -1.0), opacity: float = 1.0) -> None:
        self.colour, self.opacity, self.shapes = colour, opacity, []

    def __call__(self, crops: NDArray[np.float32]) -> Swap:
        self.shapes.append(crops.shape)
        assert crops.dtype == np.float32
        assert np.abs(crops).max() <= 1
        rgb = np.broadcast_to(np.float32(self.colour), crops.shape)
        return Swap(rgb, np.full((*crops.shape[:3], 1), self.opacity, np.float32))


@dataclass(frozen=True)
class FakeLoaded:
    """What `load_swap` gives."""

    swap: Any
    size: int = 64
    align_size: int = 128


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model folder whose `load_swap` gives an untrained swap function."""
    module = types.ModuleType("faceswap_gan.training.checkpoint")
    module.load_swap = lambda model, *, face: FakeLoaded(FakeSwap())
    monkeypatch.setitem(sys.modules, "faceswap_gan.training.checkpoint", module)
    folder = tmp_path / "model"
    folder.mkdir()
    return folder
