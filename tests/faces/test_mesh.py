"""Tests of faceswap_gan.faces.mesh, on real faces."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.faces import mesh
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.landmarks import Landmarks, open_landmarks
from faceswap_gan.faces.mesh import BLENDSHAPES, MeshLandmarker
from faceswap_gan.faces.mesh_detector import MeshDetector
from faceswap_gan.media.images import read_image
from faceswap_gan.media.video import read_frames


@pytest.fixture(scope="module")
def landmarker(bundle):
    return MeshLandmarker(bundle)


@pytest.fixture(scope="module")
def photo(facedata, bundle):
    """A photo and its face."""
    image = read_image(facedata / "images" / "obama-720p.jpg")
    return image, MeshDetector(bundle).detect(image)[0]


def _clip(facedata, name, count):
    return [frame.image for frame in islice(read_frames(facedata / "videos" / name), count)]


def _shape(found, *names):
    return [float(found.blendshapes[BLENDSHAPES.index(name)]) for name in names]


def _small(image, side=800):
    k = min(side / max(image.shape[:2]), 1)
    return cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)


def _distances(landmarker, photos):
    """Mesh against MTCNN on photos of one face: float (n, 5), in inter-ocular distances."""
    detector, rows = FaceDetector(), []
    for path in photos:
        image = _small(read_image(path))
        faces = detector.detect([image])[0]
        if faces:
            face = max(faces, key=lambda found: found.width)
            found = landmarker.find(image, face)
            assert found.score > 0.9, path
            rows.append(np.linalg.norm(found.five - face.landmarks, axis=1) / found.unit)
    return np.stack(rows)


def _people(facedata):
    return sorted(path for path in (facedata / "identities").iterdir() if path.is_dir())


def test_agrees_with_mtcnn_on_some_identity_photos(facedata, landmarker):
    # of one size, so that MTCNN is compiled once
    people = [person for person in _people(facedata) if person.name.startswith("lfw_")]
    photos = [path for person in people for path in sorted(person.iterdir())[:3]]
    distances = _distances(landmarker, photos)
    assert len(distances) >= 14
    assert np.median(distances) < 0.06
    assert distances.mean(axis=1).max() < 0.12


@pytest.mark.slow
def test_agrees_with_mtcnn_on_every_identity_photo(facedata, landmarker):
    photos = [path for person in _people(facedata) for path in sorted(person.iterdir())]
    distances = _distances(landmarker, photos)
    assert len(distances) >= 88
    assert np.all(np.median(distances, axis=0) < 0.07)
    assert np.quantile(distances.mean(axis=1), 0.95) < 0.08
    assert distances.mean(axis=1).max() < 0.12


def test_points_move_with_the_picture(landmarker, photo):
    image, face = photo
    found = landmarker.find(image, face)
    assert found.points.shape == (478, 2)
    assert found.points.dtype == np.float32
    assert found.depth.shape == (478,)
    assert found.blendshapes.shape == (52,)
    assert 0 <= found.blendshapes.min() <= found.blendshapes.max() <= 1
    # turned by 25 degrees and halved about the face
    centre = (face.box[:2] + face.box[2:]) / 2
    matrix = cv2.getRotationMatrix2D([float(v) for v in centre], 25, 0.5)
    turned = cv2.warpAffine(image, matrix, image.shape[1::-1])
    corners = cv2.transform(np.stack([face.box[:2], face.box[2:]])[None], matrix)[0]
    box = np.concatenate([corners.mean(axis=0) - 60, corners.mean(axis=0) + 60]).astype(np.float32)
    points = cv2.transform(face.landmarks[None], matrix)[0].astype(np.float32)
    moved = landmarker.find(turned, Face(box, points, 1.0))
    expected = cv2.transform(found.points[None], matrix)[0]
    assert np.linalg.norm(moved.points - expected, axis=1).mean() < 0.03 * moved.unit
    np.testing.assert_allclose(moved.depth.std(), found.depth.std() / 2, rtol=0.1)
    np.testing.assert_allclose(moved.blendshapes, found.blendshapes, atol=0.25)


def test_a_badly_placed_box_is_mended(landmarker, photo):
    image, face = photo
    good = landmarker.find(image, face)
    off = np.asarray([-40, -30, 30, 50], np.float32)
    found = landmarker.find(image, Face(face.box + off, face.landmarks, 1.0))
    assert np.linalg.norm(found.points - good.points, axis=1).mean() < 0.03 * good.unit


def test_smiles_open_mouths_and_blinks_show_in_the_blendshapes(facedata, bundle, landmarker):
    detector = MeshDetector(bundle)

    def look(image):
        return landmarker.find(image, detector.detect(image)[0])

    woman = _clip(facedata, "p3_woman_expressive.mp4", 101)
    rest, smile, gape = (look(woman[i]) for i in (0, 40, 100))
    assert min(_shape(smile, "mouthSmileLeft", "mouthSmileRight")) > 0.6
    assert max(_shape(rest, "mouthSmileLeft", "mouthSmileRight")) < 0.4
    assert _shape(gape, "jawOpen")[0] > 0.7
    assert max(_shape(smile, "jawOpen") + _shape(rest, "jawOpen")) < 0.2
    man = _clip(facedata, "p2_man_sar15x16.mp4", 41)
    opened, closed = look(man[30]), look(man[40])
    assert min(_shape(closed, "eyeBlinkLeft", "eyeBlinkRight")) > 0.6
    assert max(_shape(opened, "eyeBlinkLeft", "eyeBlinkRight")) < 0.25


def test_follow_is_steadier_than_find_and_knows_when_the_face_is_gone(facedata, bundle, landmarker):
    frames = _clip(facedata, "p2_man_sar15x16.mp4", 13)
    found = landmarker.find(frames[0], MeshDetector(bundle).detect(frames[0])[0])
    for image in frames[1:]:
        found = landmarker.follow(image, found, blendshapes=False)
        assert found.score > 0.9
        assert found.blendshapes is None
    direct = landmarker.find(frames[-1], MeshDetector(bundle).detect(frames[-1])[0])
    assert np.linalg.norm(direct.points - found.points, axis=1).mean() < 0.03 * direct.unit
    assert landmarker.follow(np.zeros_like(frames[0]), found).score < 0.5
    with pytest.raises(SettingsError, match="478"):
        landmarker.follow(frames[0], Landmarks(np.zeros((5, 2), np.float32), None, None, 1.0))


def test_a_face_over_the_edge_is_guessed_on(landmarker, photo):
    image, face = photo
    whole = landmarker.find(image, face)
    cut = int((face.landmarks[0, 0] + face.landmarks[1, 0]) / 2)
    shift = np.asarray([cut, 0], np.float32)
    part = landmarker.find(
        np.ascontiguousarray(image[:, cut:]), Face(face.box - np.tile(shift, 2), face.landmarks - shift, 1.0)
    )
    assert np.isfinite(part.points).all()
    right = whole.points[:, 0] > cut + 0.3 * whole.unit
    assert np.linalg.norm(part.points + shift - whole.points, axis=1)[right].mean() < 0.15 * whole.unit
    tiny = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.0)
    assert np.isfinite(landmarker.find(image[:8, :8], tiny).points).all()


def test_478_points_take_less_than_25_ms_on_one_core(landmarker, photo):
    image, face = photo
    landmarker.find(image, face)
    took = []
    for _ in range(10):
        start = time.process_time()
        landmarker.find(image, face)
        took.append(time.process_time() - start)
    assert np.median(took) < 0.025


def test_the_mesh_opens_no_connection(monkeypatch, bundle, photo):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    image, face = photo
    before = _open_sockets()
    assert open_landmarks("mesh", weights=bundle.parent).find(image, face).score > 0.9
    assert MeshDetector(bundle).detect(image)
    assert mesh.read_topology(bundle).triangles.shape == (898, 3)
    assert _open_sockets() == before


def _open_sockets():
    """Sockets of this process, native code's too; none where the system does not tell."""
    folder = Path("/proc/self/fd")
    links = [entry.readlink() for entry in folder.iterdir() if entry.is_symlink()] if folder.is_dir() else []
    return sorted(str(link) for link in links if str(link).startswith("socket:"))


def test_the_runtime_keeps_quiet(bundle, capfd):
    MeshLandmarker(bundle)
    assert capfd.readouterr() == ("", "")


def test_names_and_points_of_the_blendshapes():
    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 52
    assert BLENDSHAPES[25] == "jawOpen"
    assert len(mesh._SEEN) == 146
    assert np.all(np.diff(mesh._SEEN) > 0)
    assert mesh._SEEN[-1] == 477


def test_bad_bundles_and_settings_are_one_line(bundle, tmp_path):
    with pytest.raises(SettingsError, match="at least 1"):
        MeshLandmarker(bundle, threads=0)
    with pytest.raises(WeightsError, match="face_landmarker.task"):
        MeshLandmarker(tmp_path / "none.task")
    (tmp_path / "bad.task").write_bytes(b"no zip at all")
    with pytest.raises(WeightsError, match="face_landmarker.task"):
        MeshLandmarker(tmp_path / "bad.task")


def test_two_threads_find_what_one_finds(landmarker, photo):
    image, face = photo
    expected = landmarker.find(image, face).points
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: landmarker.find(image, face).points, range(60)))
    assert all(np.array_equal(points, expected) for points in found)
