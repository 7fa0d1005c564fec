"""Parts of videos, as convert cuts them."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.media.video import VideoWriter, read_frames, read_info
from faceswap_gan.metrics.clip import open_clips, pair_clips
from faceswap_gan.metrics.media_match import match_media


def write_part(source, path, **part):
    """Write a part of a video, as convert does."""
    with VideoWriter(path, like=read_info(source), **part) as writer:
        for frame in read_frames(source, **part):
            writer.write(frame)
    return path


@pytest.mark.parametrize("name", ["part.mp4", "part.mkv"])
@pytest.mark.parametrize("part", [{"start": 0.4, "end": 0.8}, {"start": 0.41}, {"end": 0.5}], ids=str)
def test_what_convert_writes_of_a_part_is_faithful_to_it(tiny_pair, tmp_path, name, part):
    swapped = write_part(tiny_pair["dst"], tmp_path / name, **part)
    clips = open_clips({"swapped": swapped, "dst": tiny_pair["dst"]}, **part)
    match = match_media(clips["swapped"].facts, clips["dst"].facts, is_part=True)
    assert match.flags == ()
    assert clips["dst"].facts.sound[0].packets > 5
    whole = open_clips({"swapped": swapped, "dst": tiny_pair["dst"]})
    assert match_media(whole["swapped"].facts, whole["dst"].facts).flags


def test_a_part_may_be_longer_than_what_was_swapped(tiny_pair, tmp_path):
    swapped = write_part(tiny_pair["dst"], tmp_path / "part.mkv", start=0.4, end=0.8)
    clips = open_clips({"swapped": swapped, "dst": tiny_pair["dst"]}, start=0.4)
    assert [pair.image is None for pair in pair_clips(clips["dst"], clips["swapped"])] == [False] * 10 + [True] * 4
    flags = match_media(clips["swapped"].facts, clips["dst"].facts, is_part=clips["dst"].is_part).flags
    assert flags[0] == "10 frames instead of 14"


def test_the_sound_of_another_part_is_flagged(tiny_pair, tmp_path):
    swapped = write_part(tiny_pair["dst"], tmp_path / "part.mp4", start=0.4, end=0.8)
    clips = open_clips({"swapped": swapped, "dst": tiny_pair["dst"]}, start=0.2, end=0.6)
    flags = match_media(clips["swapped"].facts, clips["dst"].facts, is_part=True).flags
    assert len(flags) == 1
    assert "audio stream 0 is not the footage's" in flags[0]


def test_times_and_numbers_count_from_the_first_frame(make_video):
    source = make_video(pts=tuple(range(300, 300 + 12 * 512, 512)))
    clips = open_clips({"dst": source}, start=0.1, end=0.3)
    frames, whole = list(clips["dst"].read()), list(read_frames(source))
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.seconds for frame in frames] == pytest.approx(list(clips["dst"].facts.seconds))
    assert frames[0].seconds == 0
    assert np.array_equal(frames[0].image, whole[3].image)
    until = open_clips({"dst": source}, end=0.3)["dst"]
    assert [frame.seconds for frame in until.read()] == [frame.seconds for frame in whole[:9]]
    assert until.facts.seconds == open_clips({"dst": source})["dst"].facts.seconds[:9]


def test_a_truth_of_rounded_times_is_cut_at_the_same_frame(make_video, tmp_path):
    dst = make_video(pts=tuple(range(0, 40 * 512, 512)))
    truth = write_part(dst, tmp_path / "truth.mkv")
    start = 4 / 30  # 0.1333 s, which Matroska stores as 0.133
    clips = open_clips({"dst": dst, "truth": truth}, start=start, end=1.0)
    pairs = list(pair_clips(clips["dst"], clips["truth"]))
    assert len(pairs) == len(clips["truth"].facts.seconds) == 26
    images = [frame.image for frame in read_frames(truth)]
    assert all(np.array_equal(pair.image, image) for pair, image in zip(pairs, images[4:30], strict=True))


def test_a_truth_of_the_part_alone_is_not_cut(make_video, tmp_path):
    dst = make_video(pts=tuple(range(0, 40 * 512, 512)))
    truth = write_part(dst, tmp_path / "truth.mp4", start=0.2, end=0.9)
    clips = open_clips({"dst": dst, "truth": truth}, start=0.2, end=0.9)
    assert not clips["truth"].is_part
    assert len(clips["truth"].facts.seconds) == len(clips["dst"].facts.seconds) == 21
