"""Faults of frames and sound are flagged; a faithful copy is not."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from faceswap_gan.errors import MediaError
from faceswap_gan.media.facts import read_facts
from faceswap_gan.media.video import VideoWriter, read_frames, read_info
from faceswap_gan.metrics.media_match import match_media


def write_again(source, path, *, skip=()):
    """Write a video's frames again, as convert does, without some of them."""
    with VideoWriter(path, like=read_info(source)) as writer:
        for frame in read_frames(source):
            if frame.index not in skip:
                writer.write(frame)
    return path


def encode_sound_again(source, path):
    """Copy the pictures and encode the sound anew."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        pictures, sound = old.streams.video[0], old.streams.audio[0]
        video = new.add_stream_from_template(pictures)
        audio = new.add_stream("aac", rate=sound.rate, bit_rate=32_000)
        for packet in old.demux(pictures, sound):
            if packet.stream is pictures and packet.dts is not None:
                packet.stream = video
                new.mux(packet)
            elif packet.stream is sound:
                for frame in packet.decode():
                    new.mux(audio.encode(frame))
        new.mux(audio.encode(None))
    return path


def test_what_convert_writes_is_faithful(tiny_pair, tmp_path):
    dst = tiny_pair["dst"]
    for name in ("again.mp4", "again.mkv"):
        match = match_media(read_facts(write_again(dst, tmp_path / name)), read_facts(dst))
        assert match.flags == ()
        assert (match.frames, match.missing, match.extra) == (24, 0, 0)
        assert match.same_sound
    assert match_media(read_facts(dst), read_facts(dst)).shift == 0


def test_dropped_frames_are_flagged(tiny_pair, tmp_path):
    dst = tiny_pair["dst"]
    match = match_media(read_facts(write_again(dst, tmp_path / "less.mp4", skip=(7, 8))), read_facts(dst))
    assert match.missing == 2
    assert match.flags[0] == "22 frames instead of 24"
    assert match.same_sound


def test_a_swap_that_ends_much_earlier_may_be_of_a_part(tiny_pair, tmp_path):
    dst = read_facts(tiny_pair["dst"])
    part = read_facts(write_again(tiny_pair["dst"], tmp_path / "part.mp4", skip=range(10, 24)))
    assert match_media(part, dst).flags[0].startswith("10 frames instead of 24; is it a part? then give the --start")
    assert match_media(part, dst, is_part=True).flags[0] == "10 frames instead of 24"
    cut_off = read_facts(write_again(tiny_pair["dst"], tmp_path / "cut_off.mp4", skip=range(20, 24)))
    assert match_media(cut_off, dst).flags[0] == "20 frames instead of 24"


def test_sound_encoded_again_is_flagged(tiny_pair, tmp_path):
    dst = tiny_pair["dst"]
    match = match_media(read_facts(encode_sound_again(dst, tmp_path / "loud.mp4")), read_facts(dst))
    assert not match.same_sound
    assert len(match.flags) == 1
    assert "encoded anew" in match.flags[0]


def test_lost_sound_and_another_size_are_flagged(make_video):
    plain = read_facts(make_video("plain.mp4"))
    match = match_media(plain, read_facts(make_video("loud.mp4", audio=["aac"], sar=Fraction(4, 3))))
    assert match.flags == ("64x48 px of shape 1 instead of 64x48 px of shape 4/3", "0 audio streams instead of 1")


def test_moved_times_are_flagged(make_video):
    late = make_video("late.mp4", pts=tuple(range(512, 13 * 512, 512)))
    match = match_media(read_facts(late), read_facts(make_video("dst.mp4")))
    assert match.shift == pytest.approx(1 / 30, abs=1e-6)
    assert match.flags == ("no frame at 1 of the footage's times, 1 frames at other times",)


def test_no_video_is_an_error(tmp_path):
    with pytest.raises(MediaError):
        read_facts(tmp_path / "none.mp4")
