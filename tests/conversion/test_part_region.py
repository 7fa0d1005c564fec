"""Parts of a face: every combination, on drawn and on real frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, islice
from typing import get_args

import cv2
import numpy as np
import pytest
from fakes import FakeSwap

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.conversion.parts import Part, PartRegion, check_parts, union_mask
from faceswap_gan.conversion.swapper import swap_frames
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.alignment import align, template
from faceswap_gan.faces.detector import Face, FaceDetector
from faceswap_gan.faces.finder import FoundFrame, find_faces
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.hulls import part_mask
from faceswap_gan.faces.landmarks import Landmarks, MtcnnLandmarks, open_landmarks
from faceswap_gan.media.video import Frame, read_frames

PLAIN = FinishSettings(color="none", detail=0.0)
PARTS = get_args(Part)
COMBINATIONS = [chosen for count in range(1, 5) for chosen in combinations(PARTS, count)]


class FakeLandmarks:
    """Gives 68 points that lie on the five, with a score of choice."""

    name = "mesh"

    def __init__(self, score):
        self.score = score

    def find(self, image, face):
        points = np.repeat(face.landmarks.mean(axis=0, keepdims=True), 68, axis=0)
        return Landmarks(points.astype(np.float32), None, None, self.score)


@pytest.fixture(scope="module")
def drawn():
    """A frame of noise with a face said to be in it."""
    image = np.random.default_rng(0).integers(0, 256, (200, 240, 3), np.uint8)
    points = (template(160) + [40, 20]).astype(np.float32)
    face = Face(np.float32([60, 40, 180, 180]), points, 0.99)
    crop = FaceCrop(image, 0, face=face, alignment=align(points))
    return FoundFrame(Frame(0, 0, Fraction(1, 25), image), (crop,))


@pytest.fixture(scope="module")
def real(facedata):
    """A frame of a video with the face found in it."""
    frames = islice(read_frames(facedata / "videos" / "p2_man_sar15x16.mp4"), 3)
    return list(find_faces(frames, FaceDetector()))[1]


def _swap(found, provider, parts):
    region = PartRegion(parts, provider)
    (swapped,) = swap_frames([found], FakeSwap(), size=128, finish=PLAIN, batch=1, region=region)
    return swapped


def _reach(found, provider, part):
    """Where a part's mask lies in the frame, drawn anew at the frame's own scale and widened by 3 px."""
    image, face = found.frame.image, found.faces[0].face
    mask = part_mask(part, provider.find(image, face), max(image.shape[:2]))
    return cv2.dilate(mask, np.ones((7, 7), np.uint8))[: image.shape[0], : image.shape[1]] > 0


def _check_combinations(found, provider):
    before = found.frame.image
    swaps = {chosen: _swap(found, provider, chosen) for chosen in COMBINATIONS}
    reach = {part: _reach(found, provider, part) for part in PARTS}
    assert len(swaps) == len({swapped.image.tobytes() for swapped in swaps.values()}) == 15
    for chosen, swapped in swaps.items():
        changed = (swapped.image != before).any(axis=2)
        assert not changed[swapped.mask == 0].any(), chosen
        assert not changed[~np.any([reach[part] for part in chosen], axis=0)].any(), chosen
        for part in chosen:
            single = swaps[(part,)]
            # Warps count in 1/32 px from their own corner: two of unlike extent differ by that much.
            assert (swapped.mask.astype(int) >= single.mask.astype(int) - 3).all(), chosen
            alone = reach[part] & ~np.any([reach[p] for p in chosen if p != part] or [~reach[part]], axis=0)
            apart = np.abs(swapped.image[alone].astype(int) - single.image[alone])
            assert apart.max() <= 2, chosen  # where no other part reaches, the part is as it is alone
            middle = swapped.image[single.mask >= 254].astype(int)
            assert middle.size, part
            assert np.abs(middle - [255, 0, 0]).max() <= 3, chosen  # what the network paints and nothing else


def test_all_combinations_of_a_drawn_face(drawn):
    _check_combinations(drawn, MtcnnLandmarks())


def test_all_combinations_of_a_real_frame(real):
    _check_combinations(real, MtcnnLandmarks())


def test_all_combinations_of_a_real_frame_by_the_mesh(real, facedata):
    pytest.importorskip("ai_edge_litert")
    _check_combinations(real, open_landmarks("mesh", weights=facedata / "weights"))


def test_the_network_has_its_say_within_a_part(drawn):
    region = PartRegion(["mouth"], MtcnnLandmarks())
    (half,) = swap_frames([drawn], FakeSwap(opacity=0.5), size=128, finish=PLAIN, batch=1, region=region)
    assert 126 <= half.mask.max() <= 129


def test_without_a_region_the_whole_face_is_painted(drawn):
    (whole,) = swap_frames([drawn], FakeSwap(), size=128, finish=PLAIN, batch=1)
    parts = _swap(drawn, MtcnnLandmarks(), PARTS)
    assert (whole.mask > 0).sum() > 1.5 * (parts.mask > 0).sum()


def test_union_is_the_larger_of_two():
    landmarks = Landmarks(template(96).astype(np.float32), None, None, 1.0)
    both = union_mask(("eyes", "nose"), landmarks, 96)
    singles = [part_mask(part, landmarks, 96) for part in ("eyes", "nose")]
    np.testing.assert_array_equal(both, np.maximum(*singles))


def test_landmarks_not_found_are_counted_and_the_five_points_used(drawn):
    region = PartRegion(["eyes"], FakeLandmarks(score=0.1))
    mask = region(drawn.frame.image, drawn.faces[0])
    assert region.missed == 1
    np.testing.assert_array_equal(mask, PartRegion(["eyes"], MtcnnLandmarks())(drawn.frame.image, drawn.faces[0]))
    sure = PartRegion(["eyes"], FakeLandmarks(score=0.9))
    sure(drawn.frame.image, drawn.faces[0])
    assert sure.missed == 0


@pytest.mark.parametrize("parts", [(), ("ears",), ("eyes", "chin")])
def test_parts_must_be_known(parts):
    with pytest.raises(SettingsError, match="--parts"):
        check_parts(parts)


def test_parts_are_taken_once_and_in_order():
    assert check_parts(["mouth", "eyes", "mouth"]) == ("eyes", "mouth")


def test_a_crop_without_a_face_is_an_error(drawn):
    with pytest.raises(SettingsError, match="without alignment"):
        PartRegion(["eyes"], MtcnnLandmarks())(drawn.frame.image, FaceCrop(drawn.faces[0].image, 0))
