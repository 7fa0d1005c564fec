"""A mesh swap from frames to frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from heads import draw_topology, head, picture
from mesh_fakes import FakeProvider, film, finder_of, still

from faceswap_gan.conversion import mesh_tracks
from faceswap_gan.conversion.layout import lay_out
from faceswap_gan.conversion.mesh_source import MeshSource, SourcePicture
from faceswap_gan.conversion.mesh_swapper import mesh_swap_frames
from faceswap_gan.errors import SettingsError
from faceswap_gan.media.video import Frame

TOPOLOGY = draw_topology()
RED = (220, 60, 50)


def source(*meshes, skin=RED):
    return MeshSource(tuple(SourcePicture(picture(m, skin=skin), m) for m in meshes or (head(),)), TOPOLOGY)


def swap(monkeypatch, look, count, src, **settings):
    monkeypatch.setattr(mesh_tracks, "find_faces", finder_of(look))
    provider = FakeProvider(look)
    return list(mesh_swap_frames(film(look, count), src, provider, detector=object(), **settings))


@pytest.mark.parametrize("blend", ["feather", "seamless"])
def test_the_face_is_painted_and_the_rest_is_untouched(monkeypatch, blend):
    done = swap(monkeypatch, still, 20, source(), blend=blend, color="none")
    assert [entry.frame.index for entry in done] == list(range(20))
    for entry in done:
        untouched = entry.mask == 0
        assert np.array_equal(entry.image[untouched], entry.frame.image[untouched])
        assert entry.faces == 1
        assert entry.mask[64, 64] == 255
        assert entry.mask.dtype == entry.image.dtype == np.uint8
    red = done[10].image[75, 64].astype(int)
    if blend == "feather":
        assert np.abs(red - RED).max() < 3
    else:  # flat skin takes on the colour around it
        assert np.abs(red - done[10].frame.image[75, 64]).max() < 12


def test_colours_come_from_the_footage(monkeypatch):
    done = swap(monkeypatch, still, 8, source())
    assert np.abs(done[4].image[75, 64].astype(int) - done[4].frame.image[75, 64]).max() < 25


def test_the_same_picture_changes_nothing(monkeypatch):
    skin = (200, 150, 120)
    for method, most in (("none", 3), ("mean_std", 6), ("histogram", 30)):
        done = swap(monkeypatch, still, 3, source(skin=skin), color=method)
        assert np.percentile(np.abs(done[1].image.astype(int) - done[1].frame.image), 99.9) <= most


def test_no_holes(monkeypatch):
    for mouth in (0.0, 0.3):
        done = swap(monkeypatch, lambda i, m=mouth: head(mouth=m), 2, source(head(mouth=mouth)), color="none")
        assert (done[0].mask[45:95, 50:78] > 250).all()


def test_frames_without_a_face_stay(monkeypatch):
    done = swap(monkeypatch, lambda i: None if 5 <= i < 20 else head(), 24, source())
    for entry in done:
        is_gone = 5 <= entry.frame.index < 20
        assert entry.faces == (not is_gone)
        assert (entry.image is entry.frame.image) == is_gone
        assert entry.mask.any() != is_gone


@pytest.mark.parametrize("blend", ["feather", "seamless"])
@pytest.mark.parametrize("centre", [(0, 64), (127, 64), (64, 0), (64, 127), (0, 0), (-34, 64), (-90, 64), (64, 400)])
def test_at_and_over_the_border(monkeypatch, blend, centre):
    def look(index):
        return head((float(centre[0]), float(centre[1])))

    entry = swap(monkeypatch, look, 2, source(), blend=blend)[1]
    untouched = entry.mask == 0
    assert np.array_equal(entry.image[untouched], entry.frame.image[untouched])
    is_near = -30 <= centre[0] <= 128 and centre[1] <= 128
    assert entry.mask.any() == (is_near or centre == (-34, 64))
    if centre == (0, 64):
        assert entry.mask[64, 0] == 255, "no seam along the frame's border"


def test_a_tiny_face_does_not_crash(monkeypatch):
    for blend in ("feather", "seamless"):
        entry = swap(monkeypatch, lambda i: head(scale=3.0), 2, source(), blend=blend)[0]
        assert entry.faces == 1


def test_the_picture_is_chosen_by_the_look(monkeypatch):
    pictures = source(head(mouth=0.0), *[head(yaw=60)] * 3, head(mouth=0.35))
    blue = SourcePicture(picture(head(mouth=0.35), skin=(40, 60, 220)), head(mouth=0.35))
    pictures = MeshSource((*pictures.pictures[:-1], blue), TOPOLOGY)
    done = swap(monkeypatch, lambda i: head(mouth=0.35 if i >= 12 else 0.0), 30, pictures, color="none")
    shown = [int(entry.image[60, 64, 2]) - int(entry.image[60, 64, 0]) for entry in done]
    assert max(shown[:12]) < -100
    assert min(shown[18:]) > 100
    assert np.abs(np.diff(shown)).max() < 120, "it fades"


def test_steady_where_nothing_moves(monkeypatch):
    done = swap(monkeypatch, still, 12, source(head(), head(mouth=0.02), head(yaw=4)))
    images = np.stack([entry.image for entry in done]).astype(int)
    assert np.abs(np.diff(images, axis=0)).max() <= 1


def test_two_pictures_without_depth(monkeypatch):
    from dataclasses import replace

    flat = replace(head(), depth=None)
    assert swap(monkeypatch, lambda i: flat, 2, source(flat))[0].faces == 1


@dataclass(frozen=True)
class _Deep(Frame):
    @property
    def deep(self):
        return np.minimum(self.image.astype(int) * 257 + 100, 65535).astype(np.uint16)


@pytest.mark.parametrize("blend", ["feather", "seamless"])
def test_a_deep_video_is_painted_at_its_depth(monkeypatch, blend):
    def look(index):
        return head() if index < 3 else None

    def deepen(frames):
        return [_Deep(f.index, f.pts, f.time_base, f.image) for f in frames]

    monkeypatch.setattr(mesh_tracks, "find_faces", finder_of(look))
    frames = deepen(film(look, 4))
    done = list(mesh_swap_frames(frames, source(), FakeProvider(look), detector=object(), blend=blend, color="none"))
    shallow = swap(monkeypatch, look, 4, source(), blend=blend, color="none")
    for entry, other in zip(done, shallow, strict=True):
        assert entry.image.dtype == np.uint16
        assert np.array_equal(entry.mask, other.mask)
        assert np.array_equal(entry.image[entry.mask == 0], entry.frame.deep[entry.mask == 0])
        assert np.abs(entry.image / 257 - other.image).max() < 1.5
        swapped = lay_out(entry, "triple")[:, 128:256]
        assert np.array_equal(swapped, entry.image)


def test_unknown_settings(monkeypatch):
    with pytest.raises(SettingsError, match="--blend"):
        swap(monkeypatch, still, 1, source(), blend="paste")
    with pytest.raises(SettingsError, match="--color"):
        swap(monkeypatch, still, 1, source(), color="sepia")
