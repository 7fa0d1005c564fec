"""What of a bent face shows: edge, unseen skin, open mouths and eyes."""

from __future__ import annotations

import numpy as np
import pytest
from heads import draw_topology, head, picture

from faceswap_gan.faces import topology as tp
from faceswap_gan.faces.mesh_mask import FEATHER, face_width, paint_mask, soft_edge, source_edge, visibility
from faceswap_gan.faces.mesh_warp import rasterise

TRIANGLES = draw_topology().triangles


def mask_of(dst, src):
    """Alpha over a frame of 128 x 128."""
    raster = rasterise(
        dst.points[: tp.MESH_POINTS], TRIANGLES, (128, 128), depth=dst.depth[: tp.MESH_POINTS], margin=9
    )
    alpha = paint_mask(raster, np.ones(raster.triangles.shape, np.float32), dst, src, TRIANGLES)
    frame = np.zeros((128, 128), np.float32)
    place, part = raster.overlap(frame.shape)
    frame[place] = alpha[part]
    return frame


def at(frame, mesh, indices):
    x, y = np.rint(mesh.points[list(indices)].mean(axis=0)).astype(int)
    return frame[y, x]


def test_soft_at_the_rim_whole_inside_nothing_outside():
    mesh = head()
    mask = mask_of(mesh, mesh)
    assert mask.min() == 0
    assert mask.max() == 1
    assert mask[64, 64] == 1
    row = mask[64, :64]
    assert (np.diff(row) > -1e-3).all()
    rising = (row > 0.02) & (row < 0.98)
    assert 0.7 < rising.sum() / (FEATHER * face_width(mesh.points)) < 1.3


@pytest.mark.parametrize("scale", [18, 36])
def test_the_edge_grows_with_the_face(scale):
    mesh = head(scale=scale)
    row = mask_of(mesh, mesh)[64]
    assert ((row > 0.02) & (row < 0.98)).sum() == pytest.approx(2 * 0.12 * 2.3 * scale, rel=0.35)


@pytest.mark.parametrize(("part", "look"), [(tp.LIPS_INNER, {"mouth": 0.4}), (tp.LEFT_EYE, {"lids": 0.16})])
def test_what_is_open_in_dst_and_closed_in_src_stays_dst(part, look):
    closed = {name: 0.0 for name in look}
    is_open, is_closed = head(**look), head(**closed)
    assert at(mask_of(is_open, is_closed), is_open, part) < 0.1
    assert at(mask_of(is_open, is_open), is_open, part) > 0.95
    assert at(mask_of(is_closed, is_open), is_closed, part) > 0.95
    assert at(mask_of(is_closed, is_closed), is_closed, part) > 0.95


def test_skin_that_src_does_not_see_stays_dst():
    # Half the radius out to either side, on the eyes' height and below.
    frontal, turned = head(), head(yaw=65)
    mask = mask_of(frontal, turned)
    sides = mask[70, 64 - 22], mask[70, 64 + 22]
    assert min(sides) < 0.1
    assert max(sides) > 0.9
    same = mask_of(turned, turned)
    assert same.sum() > 0.5 * (same > 0).sum()
    inner = np.abs(frontal.points[TRIANGLES].mean(axis=1)[:, 0] - 64) < 20
    assert visibility(frontal, frontal, TRIANGLES)[inner].mean() > 0.98


def test_landmarks_without_depth_count_as_seen():
    mesh = head()
    flat = type(mesh)(mesh.points, None, None, 1.0)
    assert visibility(flat, mesh, TRIANGLES).min() == 1


def test_the_sources_own_edge_in_its_picture():
    mesh = head()
    edge = source_edge(picture(mesh), mesh, TRIANGLES)
    assert edge.dtype == np.uint8
    assert edge[64, 64] == 255
    assert edge[0, 0] == 0
    over = head((0.0, 64.0))
    assert source_edge(picture(over), over, TRIANGLES)[64, 0] == 255


def test_an_edge_that_leaves_the_array_goes_on():
    covered = np.zeros((20, 20), np.uint8)
    covered[:, 5:] = 1
    edge = soft_edge(covered, 6)
    assert (edge[:, -1] == 1).all()
    assert (edge[:, 0] == 0).all()
    assert soft_edge(np.ones((4, 4), np.uint8), 6).min() == 1
