"""Tests of faceswap_gan.faces.sorting and contact_sheet."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan.faces.contact_sheet import SIDE, choose_faces, cut_faces, draw_sheet, list_tracks
from faceswap_gan.faces.cutting import cut
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.people import choose_people
from faceswap_gan.faces.scan import scan_faces
from faceswap_gan.faces.selection import Selection
from faceswap_gan.faces.sorting import BlurFinder, Limits, count_reasons, list_others, write_rejects


def crop(one, index=0, image=None):
    frame = next(iter(frames(1)))
    if image is not None:
        frame.image[:] = image
    return cut(frame, one, index, 7, size=64)


def turned(share):
    """A face whose nose lies off the middle by a part of the eyes' distance."""
    whole = face(50)
    points = whole.landmarks.copy()
    points[2, 0] += share * (points[1, 0] - points[0, 0])
    return Face(whole.box, points, whole.score)


@pytest.mark.parametrize(
    ("one", "limits", "reason"),
    [
        (face(50), Limits(), None),
        (face(50, score=0.0), Limits(), "unseen"),
        (face(50, width=30), Limits(min_width=40), "size"),
        (face(50, width=50), Limits(min_width=40), None),
        (turned(0.6), Limits(), None),
        (turned(0.6), Limits(max_yaw=30), "pose"),
        (turned(0.1), Limits(max_yaw=30), None),
    ],
)
def test_limits(one, limits, reason):
    found = limits.judge(crop(one))
    assert (found and found.reason) == reason
    if found:
        assert (found.frame, found.track) == (0, 7)


def test_blurred_faces_are_found_beside_the_persons_own():
    rng = np.random.default_rng(0)
    blur = BlurFinder()
    for i in range(9):
        image = rng.integers(0, 255, (160, 320, 3)).astype(np.uint8)
        if i == 4:
            image = cv2.GaussianBlur(image, (0, 0), 3)
        blur.look(replace(crop(face(50), image=image), frame=i))
    (found,) = blur.find(0.5).values()
    assert (found.frame, found.reason) == (4, "blur")
    assert found.value < 0.5
    assert blur.find(0.0) == {}


def test_a_soft_face_is_not_blurred_beside_somebody_elses_in_the_same_place():
    rng = np.random.default_rng(0)
    blur = BlurFinder()
    for i in range(16):
        image = rng.integers(0, 255, (160, 320, 3)).astype(np.uint8)
        if i >= 11:  # who comes later has little hair, or stands in softer light
            image = cv2.GaussianBlur(image, (0, 0), 3)
        blur.look(replace(crop(face(50), image=image), frame=i, track=int(i >= 11)))
    assert blur.find(0.5) == {}


def test_the_list_names_everybody_left_out(tmp_path):
    script = [[face(50), face(200, width=90)] + [face(125, y=0, width=40)] * (i == 9) for i in range(20)]
    scan = scan_faces(frames(20), Scripted(script))
    rejects = list_others(scan, Selection(choose_people(scan), "place"))
    assert count_reasons(rejects).startswith("20 place")
    file = tmp_path / "rejected.csv"
    write_rejects(file, rejects)
    lines = file.read_text().splitlines()
    assert lines[0] == "frame,track,reason,value"
    assert len(lines) == 1 + len(rejects)
    assert len(list_others(scan, Selection(choose_people(scan), "place"), every=5)) == 4
    write_rejects(file, [])
    assert not file.exists()


def test_a_sheet_has_a_row_a_track_with_its_best_faces():
    script = [[face(50, score=0.8 + 0.19 * (i % 5 == 3))] + [face(200)] * (i > 12) for i in range(40)]
    scan = scan_faces(frames(40), Scripted(script))
    tracks = list_tracks(scan, 10)
    assert [summary.first for summary in tracks] == [0, tracks[1].first]
    chosen = choose_faces(scan, tracks)
    best = {i for i in range(40) if i % 5 == 3}
    assert set(chosen[tracks[0].track]) <= best
    crops = cut_faces(frames(40), scan, chosen)
    assert all(len(crops[track]) == len(indices) for track, indices in chosen.items())
    sheet = draw_sheet(tracks, crops)
    assert len(sheet) > 2 * SIDE
    assert len(draw_sheet(list_tracks(scan, 1), crops)) < 2 * SIDE
