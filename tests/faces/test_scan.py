"""Tests of the two passes: scan_faces, smooth_scan, choose_people and crops_of."""

from dataclasses import replace

import numpy as np
import pytest
from scripted import Scripted, face, frames

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.cutting import crops_of
from faceswap_gan.faces.people import choose_people, summarize_tracks
from faceswap_gan.faces.scan import FaceScan, scan_faces
from faceswap_gan.faces.smoothing import smooth_scan
from faceswap_gan.faces.tracker import TrackedFace


def scan_of(script, **settings):
    return scan_faces(frames(len(script), **settings), Scripted(script))


def where(scan, people):
    """Left edge of each place's face by frame, None where it is empty."""
    faces = [frame.faces_by_track for frame in scan.frames]
    return [
        [round(float(now[t].box[0])) if t in now else None for t in people[frame.index]]
        for now, frame in zip(faces, scan.frames, strict=True)
    ]


@pytest.mark.parametrize("count", [1, 7, 16, 40])
def test_every_frame_is_seen_once_and_in_order(count):
    scan = scan_of([[face(50)]] * count)
    assert [frame.index for frame in scan.frames] == list(range(count))
    assert all(len(frame.faces) == 1 for frame in scan.frames)
    assert scan.at(count) is None


def test_short_gaps_are_looked_at_again_or_filled_and_long_ones_are_not():
    def seen(i):
        return not (14 <= i < 18 or 30 <= i < 60)

    scan = scan_of([[face(50 + i)] if seen(i) else [] for i in range(80)])
    assert not any(scan.frames[i].faces for i in range(14, 18))
    smooth = smooth_scan(scan)
    assert all(bool(frame.faces) == (frame.index not in range(30, 60)) for frame in smooth.frames)
    (gap,) = smooth.frames[16].faces
    assert gap.face.score == 0
    assert gap.face.box[0] == pytest.approx(66, abs=1)


def test_what_the_detector_missed_is_found_where_it_must_have_been():
    script = [[face(50 + i)] for i in range(40)]
    detector = Scripted(script)
    shy = range(10, 22)
    whole = detector.detect
    detector.detect = lambda images, **_: [
        [] if detector._number(image) in shy else faces for image, faces in zip(images, whole(images), strict=True)
    ]
    scan = scan_faces(frames(40), detector)
    assert all(frame.faces[0].face.score > 0.9 for frame in scan.frames)


def test_who_is_hidden_does_not_get_the_face_of_who_stands_in_front():
    script = [[face(90)] + [face(50)] * (not 13 <= i < 18) for i in range(40)]
    scan = scan_of(script)
    assert [len(frame.faces) for frame in scan.frames] == [1 if 13 <= i < 18 else 2 for i in range(40)]
    hidden = scan.frames[20].faces_by_track
    (track,) = (number for number, one in hidden.items() if one.box[0] < 70)
    for frame in smooth_scan(scan).frames[13:18]:
        assert frame.faces_by_track[track].score == 0
        assert frame.faces_by_track[track].box[0] == pytest.approx(50, abs=1)


def test_scenes_are_told_apart():
    scan = scan_of([[face(50)] if i < 20 else [face(70)] for i in range(40)], scene=lambda i: i // 20)
    assert [frame.scene for frame in scan.frames] == [0] * 20 + [1] * 20
    people = choose_people(scan)
    assert where(smooth_scan(scan), people) == [[50]] * 20 + [[70]] * 20


def test_the_strongest_is_the_person_though_a_larger_one_passes():
    script = [[face(50 + i)] + [face(180, width=90)] * (20 <= i < 60) for i in range(80)]
    scan = scan_of(script)
    assert where(scan, choose_people(scan)) == [[50 + i] for i in range(80)]


def test_who_came_first_is_kept_until_the_stronger_one_comes():
    script = [[face(50)] * (i < 30) + [face(180)] * (i >= 20) for i in range(80)]
    scan = scan_of(script)
    assert where(scan, choose_people(scan)) == [[50]] * 20 + [[180]] * 60


def test_all_have_a_place_and_keep_it():
    script = [[face(50), face(200)][:: 1 if i % 2 else -1] + [face(125)] * (i > 20) for i in range(40)]
    scan = scan_of(script)
    rows = np.asarray(where(scan, choose_people(scan, who="all")), float)
    assert rows.shape == (40, 3)
    assert all(len(set(column[~np.isnan(column)])) == 1 for column in rows.T)
    assert len(choose_people(scan, who="all", max_faces=2)[30]) == 2


def test_tracks_are_taken_by_number():
    scan = scan_of([[face(50), face(200, width=90)]] * 20)
    weaker = summarize_tracks(scan)[1].track
    assert where(scan, choose_people(scan, track=weaker)) == [[50]] * 20
    assert len(choose_people(scan, track=(0, 1))[5]) == 2
    with pytest.raises(SettingsError, match="got 7"):
        choose_people(scan, track=7)
    with pytest.raises(SettingsError):
        choose_people(scan, max_faces=0)


def test_a_number_of_what_flickers_up_is_nobody_s():
    seen = list(scan_of([[face(50)]] * 30).frames)
    seen[9] = replace(seen[9], faces=(*seen[9].faces, TrackedFace(face(180), 7)))
    with pytest.raises(SettingsError, match="got 7; the tracks verb"):
        choose_people(FaceScan(tuple(seen)), track=7)


def test_what_flickers_up_is_nobody():
    scan = scan_of([[face(50)] + [face(180, width=120)] * (i == 9) for i in range(30)])
    assert [summary.frames for summary in summarize_tracks(scan)] == [30]


def test_crops_follow_the_people():
    count = 20
    scan = smooth_scan(scan_of([[face(50), face(200, width=90)]] * count))
    people = choose_people(scan, who="all")
    for frame in frames(count):
        crops = crops_of(frame, scan, people, size=64)
        assert [crop.index for crop in crops] == [0, 1]
        assert all(crop.image.shape == (64, 64, 3) for crop in crops)
    beyond = list(frames(count + 1))[-1]
    assert crops_of(beyond, scan, people) == ()
