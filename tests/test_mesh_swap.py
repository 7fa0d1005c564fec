"""The mesh-swap verb: from two files to a finished, marked one."""

from __future__ import annotations

import logging
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from heads import draw_topology, head, picture
from mesh_fakes import FakeProvider, finder_of

import faceswap_gan.conversion.mesh_tracks as tracks
from faceswap_gan.errors import MediaError, NoFaceError, SettingsError, WeightsError
from faceswap_gan.media.facts import read_facts
from faceswap_gan.media.images import write_image
from faceswap_gan.media.video import read_frames, read_info
from faceswap_gan.mesh_swap import run

RED = (220, 60, 50)


@pytest.fixture
def shown(monkeypatch):
    """Numbers of the frames that show a face; everything that needs weights is replaced."""
    frames = set(range(1000))

    def look(index):
        return head() if index in frames else None

    monkeypatch.setattr(tracks, "find_faces", finder_of(look))
    monkeypatch.setattr(tracks.FaceDetector, "__init__", lambda self, **_: None)
    monkeypatch.setattr("faceswap_gan.media.weights.find_weights", lambda name, *, folder=None: Path(name))
    monkeypatch.setattr("faceswap_gan.faces.mesh.MeshLandmarker", lambda bundle: FakeProvider(look))
    monkeypatch.setattr("faceswap_gan.faces.mesh.read_topology", lambda bundle: draw_topology())
    return frames


@pytest.fixture
def src(tmp_path):
    path = tmp_path / "src.png"
    write_image(path, picture(head(), skin=RED))
    return path


@pytest.fixture
def dst(make_video):
    images = [picture(head()) for _ in range(4)]
    return make_video(images=images, pts=[7, 600, 1100, 2500], audio=["aac"], sar=Fraction(15, 16))


def is_red(image):
    return image[75, 64, 0] - image[75, 64, 1].astype(int) > 120


def metadata(path):
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


def test_every_frame_keeps_its_time_and_gets_the_face(shown, src, dst, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        run(src, dst, tmp_path / "out.mp4", color="none", consent=" Ann\nagreed ")
    old, new = list(read_frames(dst)), list(read_frames(tmp_path / "out.mp4"))
    assert [f.pts for f in new] == [f.pts for f in old]
    info = read_info(tmp_path / "out.mp4")
    assert info.sample_aspect_ratio == Fraction(15, 16)
    assert len(read_facts(tmp_path / "out.mp4").sound) == 1
    assert all(is_red(f.image) for f in new)
    assert "4 frames, 4 swapped" in caplog.text
    tags = metadata(tmp_path / "out.mp4")
    assert tags["digital_source_type"] == "compositeCapture"
    assert tags["comment"].startswith("Synthetic: face swapped by faceswap_gan ")
    assert tags["consent"] == "Ann agreed"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".mp4"])
def test_a_picture_becomes_one(shown, src, tmp_path, suffix):
    write_image(tmp_path / "dst.png", picture(head()))
    run(src, tmp_path / "dst.png", tmp_path / f"out{suffix}", color="none", output_layout="side-by-side", consent="x")
    (frame,) = read_frames(tmp_path / f"out{suffix}")
    assert frame.image.shape == (128, 256, 3)
    assert is_red(frame.image[:, 128:])
    assert not is_red(frame.image)


@pytest.mark.parametrize(("layout", "panes"), [("swap", 1), ("side-by-side", 2), ("triple", 3)])
def test_ten_bits_stay_ten_in_every_pane(shown, src, make_video, tmp_path, layout, panes):
    images = [picture(head()) for _ in range(2)]
    dst = make_video(images=images, pts=[0, 512], pix_fmt="yuv420p10le")
    run(src, dst, tmp_path / "out.mp4", color="none", output_layout=layout, consent="x")
    assert read_info(tmp_path / "out.mp4").planar.depth == 10
    for frame in read_frames(tmp_path / "out.mp4"):
        assert frame.image.shape == (128, 128 * panes, 3)
        at = 128 if panes > 1 else 0
        assert is_red(frame.image[:, at:])
        assert np.abs(frame.image[4, at + 4].astype(int) - images[0][4, 4]).max() < 12


def test_a_video_is_a_source_too(shown, dst, tmp_path):
    write_image(tmp_path / "to.png", picture(head(), skin=RED))
    run(dst, tmp_path / "to.png", tmp_path / "out.png", color="none", consent="x")
    assert not is_red(next(read_frames(tmp_path / "out.png")).image)


def test_frames_without_a_face_stay(shown, src, dst, tmp_path, caplog):
    shown.clear()
    shown.update({0, 3})
    with caplog.at_level(logging.INFO):
        run(src, dst, tmp_path / "out.mp4", color="none", consent="x")
    assert [is_red(f.image) for f in read_frames(tmp_path / "out.mp4")] == [True, False, False, True]
    assert "2 without a face" in caplog.text


def test_of_an_earlier_longer_result_nothing_is_left(shown, src, dst, make_video, tmp_path):
    output = tmp_path / "out"
    run(src, dst, output, consent="x")
    assert len(list(output.iterdir())) == 4
    run(src, make_video("short.mp4", images=[picture(head())], pts=[0]), output, consent="x")
    assert [path.name for path in output.iterdir()] == ["000000.png"]


def test_failures_leave_no_file(shown, src, dst, tmp_path, monkeypatch):
    out = tmp_path / "out.mp4"
    for bad in ((tmp_path / "none.png", dst), (src, tmp_path / "none.mp4")):
        with pytest.raises(MediaError):
            run(*bad, out)
    with pytest.raises(SettingsError, match="rename"):
        run(src, dst, dst)
    with pytest.raises(SettingsError, match="rename"):
        run(src, dst, src)
    with pytest.raises(SettingsError, match=r"name of its own, got '\.'"):
        run(src, dst, Path())
    with pytest.raises(MediaError, match="ending in"):
        run(src, dst, tmp_path / "out.txt")
    with pytest.raises(SettingsError, match="--max-faces"):
        run(src, dst, out, max_faces=0)
    with pytest.raises(SettingsError, match="--consent"):
        run(src, dst, out)
    shown.clear()
    with pytest.raises(NoFaceError, match="source"):
        run(src, dst, out, consent="x")

    def missing(name, *, folder=None):
        raise WeightsError("put face_landmarker.task there")

    monkeypatch.setattr("faceswap_gan.media.weights.find_weights", missing)
    with pytest.raises(WeightsError):
        run(src, dst, out, weights_dir=tmp_path)
    assert not list(tmp_path.glob("*out*"))


def test_a_real_picture_onto_a_real_video(facedata, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="the mesh extra is not installed")
    from faceswap_gan.conversion.mesh_source import read_source
    from faceswap_gan.conversion.mesh_swapper import mesh_swap_frames
    from faceswap_gan.faces import topology as tp
    from faceswap_gan.faces.mesh import MeshLandmarker, read_topology

    bundle = facedata / "weights" / "face_landmarker.task"
    provider, topology = MeshLandmarker(bundle), read_topology(bundle)
    detector = tracks.SparseDetector()
    still = read_frames(facedata / "hard" / "drv_single_frame.png")
    source = read_source(still, provider, detector, topology)
    frames = list(islice(read_frames(facedata / "videos" / "p2_man_sar15x16.mp4"), 12))
    done = list(mesh_swap_frames(frames, source, provider))
    assert [entry.faces for entry in done] == [1] * 12
    for before, entry in zip(frames, done, strict=True):
        assert np.array_equal(entry.image[entry.mask == 0], before.image[entry.mask == 0])
        assert 0.05 < (entry.mask > 127).mean() < 0.4
    (mesh,) = next(iter(tracks.follow_meshes(frames[:1], provider, tracks.FaceDetector()))).meshes.values()
    for part in (tp.LEFT_EYE, tp.RIGHT_EYE, tp.LIPS_OUTER):
        x, y = np.rint(mesh.points[list(part)].mean(axis=0)).astype(int)
        assert done[0].mask[y, x] > 200
