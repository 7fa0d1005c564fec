"""verify: which frames are looked at, and what counts where they cannot be read."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from clouds import clouds

from faceswap_gan import __main__ as cli
from faceswap_gan.errors import MediaError
from faceswap_gan.marks.credentials import sign_file
from faceswap_gan.marks.detection import Collector
from faceswap_gan.marks.findings import Verdict, find_watermark, verify
from faceswap_gan.marks.watermark import embed
from faceswap_gan.media.images import encode_image, write_image
from faceswap_gan.media.video import read_info
from faceswap_gan.media.xmp import add_xmp

TAGS = {
    "comment": "AI-generated: face swapped by faceswap_gan 0 <&>",
    "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
}


def _change_size(path, images, tags=()):
    """Make a video whose pictures are half as large from the middle on."""
    data = b""
    for part in (images, [np.ascontiguousarray(each[::2, ::2]) for each in images]):
        with av.open(str(path.with_suffix(".h264")), "w") as out:
            stream = out.add_stream("libx264", rate=25)
            stream.height, stream.width = part[0].shape[:2]
            stream.pix_fmt, stream.options = "yuv420p", {"bf": "0"}
            for each in part:
                out.mux(stream.encode(av.VideoFrame.from_ndarray(each, format="rgb24")))
            out.mux(stream.encode(None))
        data += path.with_suffix(".h264").read_bytes()
    path.with_suffix(".h264").write_bytes(data)
    with av.open(str(path.with_suffix(".h264"))) as old, av.open(str(path), "w") as new:
        new.metadata.update(tags)
        stream = new.add_stream_from_template(old.streams.video[0])
        for index, packet in enumerate(packet for packet in old.demux(video=0) if packet.size):
            packet.pts = packet.dts = index * 40
            packet.time_base, packet.stream = Fraction(1, 1000), stream
            new.mux(packet)
    return path


def test_tags_count_where_the_pictures_cannot_be_read(tmp_path, capsys):
    path = _change_size(tmp_path / "tagged.mkv", [clouds(i) for i in range(3)], TAGS)
    assert cli.main(["verify", str(path)]) == 0
    told = capsys.readouterr().out
    assert f"metadata: {TAGS['comment']}" in told
    assert "watermark: the pictures cannot be read: expected every frame of" in told
    path = _change_size(tmp_path / "bare.mkv", [clouds(i) for i in range(3)], {"comment": "AI-made, not by us"})
    with pytest.raises(MediaError, match="expected every frame"):
        verify(path)


def test_tags_are_told_beside_credentials_where_the_pictures_cannot_be_read(tmp_path, facts):
    path = _change_size(tmp_path / "signed.mkv", [clouds(i) for i in range(3)], {"consent": "Bea agreed"})
    sign_file(path, facts=facts)
    found = verify(path)
    assert (found.verdict, found.tags["consent"]) == (Verdict.MARKED, "Bea agreed")


def test_the_watermark_before_a_frame_that_cannot_be_read_counts(tmp_path, picture, mask):
    images = [embed(np.roll(picture, i, axis=1), mask) for i in range(12)]
    found = verify(_change_size(tmp_path / "marked.mkv", images))
    assert found.verdict is Verdict.MARKED
    assert found.watermark.frames == 12, "though its times tell of more"


def test_a_picture_that_cannot_be_decoded_is_what_it_says(tmp_path, picture):
    folder = tmp_path / "frames"
    for name in ("0.png", "1.png"):
        write_image(folder / name, picture)
        (folder / name).write_bytes(add_xmp(encode_image(picture, ".png"), TAGS))
    whole = bytearray((folder / "1.png").read_bytes())
    whole[whole.index(b"IHDR") + 12] = 77  # a depth that does not exist
    (folder / "1.png").write_bytes(whole)
    for path in (folder / "1.png", folder):
        found = verify(path)
        assert (found.verdict, found.xmp, found.watermark) == (Verdict.MARKED, TAGS, None)
    write_image(folder / "2.png", picture)
    with pytest.raises(MediaError):
        verify(folder)


@pytest.mark.parametrize(("name", "known"), [("video.mp4", 12), ("video.h264", 0)])
def test_frames_are_spread_over_a_video_of_unknown_length(make_video, monkeypatch, name, known):
    monkeypatch.setattr("faceswap_gan.marks.findings._MOST_FRAMES", 4)
    path = make_video(name, images=[clouds(i) for i in range(12)])
    assert read_info(path).frames == known
    assert find_watermark([path]).frames == 4


def test_a_video_is_judged_no_more_often_than_its_bound_allows(make_video, monkeypatch):
    for name, value in {"_CHUNK": 2, "_TRIES": 3}.items():
        monkeypatch.setattr(f"faceswap_gan.marks.findings.{name}", value)
    judged, judge = [], Collector.judge
    monkeypatch.setattr(Collector, "judge", lambda self, **how: judged.append(how["tries"]) or judge(self, **how))
    assert find_watermark([make_video(images=[clouds(i) for i in range(12)])]).frames == 12
    assert judged == [3, 3, 3, 2]
