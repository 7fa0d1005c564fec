"""The watermark: where painted only, always the same, hard to see, found after codecs and nowhere else."""

from __future__ import annotations

import hashlib

import av
import cv2
import numpy as np
import pytest
from clouds import clouds

from faceswap_gan.errors import MediaError
from faceswap_gan.marks.detection import MAX_CHANCE, Collector
from faceswap_gan.marks.watermark import CHROMA, LUMA, TILE, embed, make_tile

PATTERN = "b0c02acb180b98272bfe688abe3bf75f933fd3ce868ee947cf074556bd1c3069"


def _judge(*images):
    collector = Collector()
    for image in images:
        collector.add(image)
    return collector.judge()


def _through_codec(path, images, *, crf, size=None, codec="libx264"):
    """What is left of pictures after a codec, at another size if one is named."""
    width, height = size or images[0].shape[1::-1]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options={"crf": str(crf), "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        out.mux(stream.encode(None))
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_only_painted_pixels_change_and_only_a_little(picture, mask):
    marked = embed(picture, mask)
    assert marked.dtype == np.uint8
    assert (marked == picture)[mask == 0].all()
    change = (marked.astype(int) - picture)[mask == 255]
    assert 1 < np.sqrt((change[:, :2] ** 2).mean()) < 3.5
    assert np.abs(change.mean(axis=0)).max() < 0.2
    assert np.abs(change).max() <= 30


def test_it_is_the_same_every_time_and_everywhere(picture, mask):
    before = picture.copy()
    assert (embed(picture, mask) == embed(picture, mask)).all()
    assert (picture == before).all()
    # The pattern is for ever: a file marked by this version is found by all later ones.
    rounded = b"".join(np.rint(make_tile(band) * 20).astype(np.int8).tobytes() for band in (LUMA, CHROMA))
    assert hashlib.sha256(rounded).hexdigest() == PATTERN


def test_patterns_are_what_they_say():
    tiles = [make_tile(band) for band in (LUMA, CHROMA)]
    for tile in tiles:
        assert tile.shape == (TILE, TILE)
        assert abs(tile.mean()) < 1e-6
        assert tile.std() == pytest.approx(1, abs=1e-4)
    assert abs((tiles[0] * tiles[1]).mean()) < 0.1


def test_deep_pictures_are_marked_alike(picture, mask):
    deep = embed(picture.astype(np.uint16) * 257, mask)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - embed(picture, mask)).max() <= 1
    assert (deep == picture.astype(np.uint16) * 257)[mask == 0].all()
    assert len(np.unique(deep % 257)) > 100  # not rounded to 8 bits


def test_nothing_painted_nothing_changed(picture):
    assert (embed(picture, np.zeros(picture.shape[:2], np.uint8)) == picture).all()


def test_black_and_white_stay_in_range(mask):
    for level in (0, 255):
        flat = np.full((*mask.shape, 3), level, np.uint8)
        assert np.abs(embed(flat, mask).astype(int) - level).max() < 30


@pytest.mark.parametrize(
    ("image", "cover"),
    [
        (np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.uint8)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32)),
    ],
)
def test_wrong_arrays_are_clear_errors(image, cover):
    with pytest.raises(MediaError, match="expected a uint8"):
        embed(image, cover)


def test_found_in_one_picture(picture, mask):
    evidence = _judge(embed(picture, mask))
    assert evidence.found
    assert evidence.deviations > 8
    assert evidence.scale == 1


def test_not_found_where_it_is_not(picture):
    for seed in range(4):
        evidence = _judge(clouds(seed))
        assert not evidence.found
        assert evidence.chance > 1e-3
    for flat in (0, 128, 255):
        assert not _judge(np.full((96, 96, 3), flat, np.uint8)).found
    assert not Collector().judge().found


def test_chance_is_what_it_says():
    """Heights of the match without a mark are standard normal numbers: that is what the false alarm rate rests on."""
    from faceswap_gan.marks.detection import _add_up, _correlate, _detail, _transform

    channels = [_detail(clouds(9, size=(1024, 1024))[..., index]) for index in (0, 2)]
    heights = _correlate([_add_up(_transform(each), 2)[::4] for each in channels], shifted=True)
    assert heights.size > 100_000
    assert abs(heights.mean()) < 0.02
    assert heights.std() == pytest.approx(1, abs=0.03)
    assert (heights > 3).mean() == pytest.approx(0.00135, rel=0.5)
    assert heights.max() < 6


@pytest.mark.parametrize(
    ("scale", "crf", "codec"), [(1, 28, "libx264"), (0.75, 28, "libx264"), (1, 28, "libx265"), (0.6, 18, "libx264")]
)
def test_survives_codecs_and_scaling(tmp_path, scale, crf, codec):
    face = np.zeros((384, 384), np.uint8)
    cv2.ellipse(face, (192, 192), (120, 165), 0, 0, 360, 255, -1)
    base = clouds(3, size=(448, 448))
    frames = [embed(np.ascontiguousarray(base[i : 384 + i, i : 384 + i]), face) for i in range(48)]
    frames = _through_codec(tmp_path / "first.mp4", frames, crf=17)
    height, width = (round(side * scale / 2) * 2 for side in frames[0].shape[:2])
    evidence = _judge(*_through_codec(tmp_path / "second.mp4", frames, crf=crf, size=(width, height), codec=codec))
    assert evidence.found, evidence
    assert evidence.scale == pytest.approx(scale, rel=0.08)


def test_survives_cropping(picture, mask):
    evidence = _judge(embed(picture, mask)[37:, 51:])
    assert evidence.found


def test_grey_pictures_keep_enough(picture, mask):
    grey = cv2.cvtColor(cv2.cvtColor(embed(picture, mask), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert _judge(grey).found


def test_the_limit_is_strict():
    assert MAX_CHANCE <= 1e-6
