"""Tests of faceswap_gan.faces.landmarks and of its 68-point provider."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.faces.alignment import align, template
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.fan import FanLandmarks
from faceswap_gan.faces.landmarks import LEAST_SCORES, Landmarks, MtcnnLandmarks, TrustedLandmarks, open_landmarks
from faceswap_gan.faces.topology import LEFT_EYE, RIGHT_EYE

FACE = Face(np.asarray([10, 20, 110, 150], np.float32), template(128).astype(np.float32), 0.75)
IMAGE = np.zeros((160, 160, 3), np.uint8)


def test_mtcnn_costs_nothing():
    found = open_landmarks("mtcnn").find(IMAGE, FACE)
    np.testing.assert_array_equal(found.points, FACE.landmarks)
    np.testing.assert_array_equal(found.five, FACE.landmarks)
    assert (found.depth, found.blendshapes, found.score) == (None, None, 0.75)


@pytest.mark.parametrize("name", LEAST_SCORES)
@pytest.mark.parametrize("change", [0, -0.01])
def test_doubtful_points_are_counted_and_the_five_stand_in(name, change):
    found = Landmarks(np.zeros((68, 2), np.float32), None, None, LEAST_SCORES[name] + change)
    trusted = TrustedLandmarks(SimpleNamespace(name=name, find=lambda image, face: found))
    if change:
        assert trusted.find(IMAGE, FACE) is None
        np.testing.assert_array_equal(trusted.find_or_five(IMAGE, FACE).points, FACE.landmarks)
    else:
        assert trusted.find(IMAGE, FACE) is trusted.find_or_five(IMAGE, FACE) is found
    assert trusted.missed == (2 if change else 0)


def test_five_points_of_68_and_478():
    dense = np.zeros((68, 2), np.float32)
    dense[36:42], dense[42:48], dense[30], dense[48], dense[54] = template(100)
    np.testing.assert_allclose(Landmarks(dense, None, None, 1.0).five, template(100), rtol=1e-6)
    mesh = np.zeros((478, 2), np.float32)
    mesh[list(LEFT_EYE)], mesh[list(RIGHT_EYE)], mesh[4], mesh[61], mesh[291] = template(100)
    np.testing.assert_allclose(Landmarks(mesh, None, None, 1.0).five, template(100), rtol=1e-6)
    with pytest.raises(SettingsError, match="Received: 7"):
        _ = Landmarks(np.zeros((7, 2), np.float32), None, None, 1.0).five


def test_unit_is_the_distance_of_the_eyes_and_survives_a_turned_head():
    points = template(200).astype(np.float32)
    unit = Landmarks(points, None, None, 1.0).unit
    assert unit == pytest.approx(np.linalg.norm(points[1] - points[0]), rel=0.1)
    middle = points[:, 0].mean()
    turned = np.stack([middle + (points[:, 0] - middle) * 0.3, points[:, 1]], axis=1)
    assert Landmarks(turned, None, None, 1.0).unit > 0.8 * unit


def test_moved_into_a_crop():
    alignment = align(FACE.landmarks, size=64)
    depth = np.arange(5, dtype=np.float32)
    shapes = np.full(52, 0.5, np.float32)
    moved = Landmarks(FACE.landmarks, depth, shapes, 0.9).moved(alignment)
    np.testing.assert_allclose(moved.points, template(64), atol=1e-3)
    np.testing.assert_allclose(moved.depth, depth * alignment.scale, rtol=1e-6)
    assert moved.blendshapes is shapes
    assert moved.score == 0.9
    assert moved.points.dtype == np.float32


def test_unknown_names_and_missing_weights(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match=r"mtcnn, mesh, fan.*'dlib'"):
        open_landmarks("dlib")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("urllib.request.urlopen", _offline)
    for name, file in (("mesh", "face_landmarker.task"), ("fan", "checkpoints/2DFAN4-11f355bf06.pth.tar")):
        with pytest.raises(WeightsError, match=file):
            open_landmarks(name, weights=tmp_path)


def _offline(*args, **kwargs):
    raise OSError("no network")


class _Network:
    """Stands in for the package's FaceAlignment, whose weights this machine does not have."""

    def __init__(self, kind, *, device, flip_input, face_detector, compile):
        assert (kind, device, flip_input, face_detector, compile) == (1, "cpu", False, "folder", False)
        self.hub = sys.modules["torch.hub"].get_dir()

    def get_landmarks_from_image(self, image, detected_faces=None, *, return_landmark_score=False):
        assert return_landmark_score
        (box,) = detected_faces
        steps = np.linspace(0, 1, 68)[:, None]
        return [box[:2] + steps * (box[2:] - box[:2])], [np.linspace(0.6, 1.2, 68)], None


@pytest.fixture
def package(monkeypatch):
    """The face-alignment package and torch's hub, as far as they are used: neither is installed for tests."""
    torch, hub, module = ModuleType("torch"), ModuleType("torch.hub"), ModuleType("face_alignment")
    state = SimpleNamespace(dir="before")
    hub.get_dir = lambda: state.dir
    hub.set_dir = lambda folder: setattr(state, "dir", folder)
    torch.hub = hub
    module.FaceAlignment, module.LandmarksType = _Network, SimpleNamespace(TWO_D=1)
    for name, stand_in in (("torch", torch), ("torch.hub", hub), ("face_alignment", module)):
        monkeypatch.setitem(sys.modules, name, stand_in)
    return state


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "checkpoints" / "2DFAN4-11f355bf06.pth.tar"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


def test_fan_reads_its_weights_from_the_folder_and_takes_our_box(package, weights, tmp_path):
    provider = open_landmarks("fan", weights=weights)
    assert provider.name == "fan"
    assert provider._network.hub == str(tmp_path)
    assert package.dir == "before"
    found = provider.find(IMAGE, FACE)
    assert found.points.shape == (68, 2)
    assert found.points.dtype == np.float32
    np.testing.assert_allclose(found.points[[0, -1]].ravel(), FACE.box)
    assert found.score == pytest.approx(0.9, abs=0.01)
    assert found.blendshapes is None


def test_fan_says_what_is_missing(package, weights, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="checkpoints"):
        FanLandmarks(tmp_path / "2DFAN4.pth")
    monkeypatch.setattr(_Network, "__init__", _no_weights)
    with pytest.raises(WeightsError, match="holds no weights"):
        FanLandmarks(weights)
    assert package.dir == "before"
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(SettingsError, match=r"faceswap-gan\[fan\]"):
        FanLandmarks(weights)
    monkeypatch.setitem(sys.modules, "torch.hub", None)
    with pytest.raises(SettingsError, match=r"faceswap-gan\[fan\]"):
        FanLandmarks(weights)


def _no_weights(self, *args, **kwargs):
    raise RuntimeError("size mismatch")


def test_providers_are_values_in_values_out():
    assert MtcnnLandmarks.name == "mtcnn"
    assert FanLandmarks.name == "fan"
