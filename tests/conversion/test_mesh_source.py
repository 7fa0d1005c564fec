"""Pictures of a person, and what their looks say."""

from __future__ import annotations

import numpy as np
import pytest
from heads import draw_topology, head
from mesh_fakes import FakeProvider, film, finder_of, frame_of, still

from faceswap_gan.conversion import mesh_source, mesh_tracks
from faceswap_gan.conversion.mesh_source import MeshSource, SourcePicture, read_source
from faceswap_gan.errors import NoFaceError

TOPOLOGY = draw_topology()


def read(monkeypatch, look, count, **settings):
    monkeypatch.setattr(mesh_tracks, "find_faces", finder_of(look))
    return read_source(film(look, count), FakeProvider(look), None, TOPOLOGY, **settings)


def test_pictures_hold_the_face_and_its_mesh(monkeypatch):
    (picture,) = read(monkeypatch, still, 1).pictures
    full = next(film(still, 1)).image
    x, y = np.rint(head().points[0] - picture.mesh.points[0]).astype(int)
    height, width = picture.image.shape[:2]
    assert np.array_equal(picture.image, full[y : y + height, x : x + width])
    assert np.ptp(picture.mesh.points[:, 0]) < width < 1.4 * np.ptp(picture.mesh.points[:, 0])


def test_a_long_video_is_thinned_evenly(monkeypatch):
    source = read(monkeypatch, still, 50, most=12)
    frames = [picture.frame for picture in source.pictures]
    assert 6 <= len(frames) <= 12
    assert len(set(np.diff(frames))) == 1
    assert frames[-1] > 40


def test_no_face_is_an_error(monkeypatch):
    with pytest.raises(NoFaceError, match="source"):
        read(monkeypatch, lambda i: None, 3)


def test_a_face_at_the_border_is_cut_there(monkeypatch):
    (picture,) = read(monkeypatch, lambda i: head((0.0, 64.0)), 1).pictures
    assert picture.mesh.points[:, 0].min() < -20
    assert picture.image.size


def test_a_huge_face_is_brought_down_with_its_mesh():
    big = head((1000.0, 1000.0), scale=600.0)
    image = np.zeros((2000, 2000, 3), np.uint8)
    x, y = np.rint(big.points[0]).astype(int)
    image[y - 8 : y + 9, x - 8 : x + 9] = 255
    picture = mesh_source._cut(frame_of(5, image), big)
    assert max(picture.image.shape) == 768
    spot = np.argwhere(picture.image[..., 0] > 128).mean(axis=0)[::-1]
    assert np.abs(spot - picture.mesh.points[0]).max() < 1
    assert picture.frame == 5
    assert np.ptp(picture.mesh.depth) / np.ptp(big.depth) == pytest.approx(
        np.ptp(picture.mesh.points[:, 0]) / np.ptp(big.points[:, 0]), rel=1e-3
    )


def test_looks_of_all_pictures():
    pictures = tuple(SourcePicture(np.zeros((9, 9, 3), np.uint8), head(mouth=m)) for m in (0, 0.2))
    assert MeshSource(pictures, TOPOLOGY).looks().shape[0] == 2
