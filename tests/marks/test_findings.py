"""verify: what a file bears, told in lines and an exit code."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from clouds import clouds

from faceswap_gan import __main__ as cli
from faceswap_gan.errors import MediaError
from faceswap_gan.marks.credentials import sign_file
from faceswap_gan.marks.findings import Verdict, verify
from faceswap_gan.marks.watermark import embed
from faceswap_gan.media.images import encode_image, read_image, write_image
from faceswap_gan.media.xmp import add_xmp, read_xmp

TAGS = {
    "comment": "AI-generated: face swapped by faceswap_gan 0 <&>",
    "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
}


@pytest.fixture
def marked_video(make_video, picture, mask, facts):
    """A short video with watermark and credentials, as `convert` leaves it."""
    images = [embed(np.roll(picture, i, axis=1), mask) for i in range(12)]
    path = make_video("marked.mp4", images=images)
    sign_file(path, facts=facts)
    return path


def _copy_streams(source, target, tags=()):
    """Remux as `ffmpeg -c copy -map_metadata -1` does: packets alone pass."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        new.metadata.update(tags)
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


def test_a_marked_video_is_marked(marked_video, capsys):
    assert cli.main(["verify", str(marked_video)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "credentials", "consent", "metadata", "xmp", "watermark", "verdict",
    ]  # fmt: skip
    assert "valid" in lines[0]
    assert lines[1] == "consent: Ann agreed"
    assert "found" in lines[4]
    assert lines[5] == "verdict: marked"


def test_one_flipped_byte_is_tampering(marked_video, capsys):
    whole = bytearray(marked_video.read_bytes())
    whole[whole.index(b"mdat") + 2000] ^= 0x10
    marked_video.write_bytes(whole)
    assert cli.main(["verify", str(marked_video)]) == 3
    assert "BROKEN" in capsys.readouterr().out


def test_a_file_broken_beyond_decoding_is_tampered_too(marked_video):
    whole = bytearray(marked_video.read_bytes())
    start = whole.index(b"mdat") + 4
    whole[start : start + 3000] = bytes(3000)
    marked_video.write_bytes(whole)
    assert verify(marked_video).verdict is Verdict.TAMPERED


def test_after_a_remux_the_watermark_is_still_found(marked_video, tmp_path):
    found = verify(_copy_streams(marked_video, tmp_path / "copy.mp4"))
    assert found.credentials.state == "absent"
    assert not found.tags.get("comment")
    assert found.watermark.found
    assert found.verdict is Verdict.MARKED


def test_an_unmarked_video_is_unmarked(make_video, capsys):
    path = make_video(images=[clouds(i) for i in range(12)])
    assert cli.main(["verify", str(path)]) == 1
    assert "verdict: unmarked" in capsys.readouterr().out


def test_tags_alone_count(make_video, tmp_path):
    said = {"comment": "Synthetic: face swapped by faceswap_gan 0", "consent": "Ann agreed"}
    found = verify(_copy_streams(make_video(), tmp_path / "tagged.mkv", tags=said))
    assert found.verdict is Verdict.MARKED
    assert "consent: Ann agreed" in found.lines()


def test_a_tag_writes_no_line_and_steers_no_terminal(make_video, tmp_path):
    said = {
        "consent": "x\r\nverdict:\u2028 marked\x1b[2J\x9b1A\u202e",
        "comment": "AI-generated: face swapped\n verdict: marked",
    }
    found = verify(_copy_streams(make_video(), tmp_path / "tagged.mkv", tags=said))
    assert len(found.lines()) == 6
    assert found.lines()[1] == r"consent: x verdict: marked\x1b[2J\x9b1A\u202e"
    assert found.lines()[2] == "metadata: AI-generated: face swapped verdict: marked"
    assert found.lines()[5] == "verdict: marked"
    found = replace(found, tags={"consent": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"})
    assert found.lines()[1] == f"consent: {found.tags['consent']}", "no letter is lost"


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_pictures_carry_all_marks(tmp_path, picture, mask, facts, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_bytes(add_xmp(encode_image(embed(picture, mask), suffix), TAGS))
    sign_file(path, facts=facts)
    found = verify(path)
    assert (found.verdict, found.credentials.state) == (Verdict.MARKED, "valid")
    assert found.xmp == TAGS
    assert found.watermark.found
    assert np.abs(read_image(path).astype(int) - embed(picture, mask)).mean() < 3


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
@pytest.mark.parametrize("size", [(31, 45), (32, 32)])
def test_xmp_leaves_pixels_alone(picture, suffix, size):
    plain = encode_image(np.ascontiguousarray(picture[: size[0], : size[1]]), suffix)
    tagged = add_xmp(plain, TAGS)
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (plain, tagged)]
    assert (decoded[0] == decoded[1]).all()
    assert read_xmp(tagged) == TAGS
    assert read_xmp(plain) == {}
    assert add_xmp(plain, {}) == plain


def test_a_lossy_webp_takes_xmp(picture):
    done, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 60])
    assert done
    tagged = add_xmp(data.tobytes(), TAGS)
    again = add_xmp(tagged, TAGS)  # already an extended file
    for each in (tagged, again):
        assert cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR).shape == picture.shape
        assert read_xmp(each) == TAGS


def test_a_bitmap_takes_none(picture):
    data = encode_image(picture, ".bmp")
    assert add_xmp(data, TAGS) == data


def test_a_folder_is_as_good_as_its_worst_picture(tmp_path, picture, mask, facts):
    folder = tmp_path / "frames"
    for index in range(3):
        write_image(folder / f"{index}.png", embed(picture, mask))
    sign_file(folder, facts=facts)
    assert verify(folder).verdict is Verdict.MARKED
    assert verify(folder).watermark.frames == 3
    assert "pictures: 3 of 3 are marked" in verify(folder).lines()
    write_image(folder / "1.png", picture)
    found = verify(folder)
    assert (found.credentials.state, found.verdict) == ("absent", Verdict.UNMARKED)
    assert found.watermark.found, "in all of them together"
    assert "pictures: 2 of 3 are marked, 1.png is the first that is not" in found.lines()
    with pytest.raises(MediaError, match="expected pictures"):
        verify(tmp_path / "frames" / "..")


def test_pictures_of_a_folder_are_marked_each_in_its_own_way(tmp_path, picture, mask, facts, capsys):
    folder = tmp_path / "frames"
    write_image(folder / "0.png", picture)
    sign_file(folder, facts=facts)
    (folder / "1.png").write_bytes(add_xmp(encode_image(picture, ".png"), TAGS))
    write_image(folder / "2.png", embed(picture, mask))
    write_image(folder / "3.png", embed(picture, mask)[40:, 24:])  # cut
    assert cli.main(["verify", str(folder)]) == 0
    assert "pictures: 4 of 4 are marked\nverdict: marked\n" in capsys.readouterr().out
    write_image(folder / "4.png", picture)
    assert cli.main(["verify", str(folder)]) == 1
    assert "pictures: 4 of 5 are marked, 4.png is the first" in capsys.readouterr().out
    signed = bytearray((folder / "0.png").read_bytes())
    signed[signed.rindex(b"IDAT") + 100] ^= 0x10
    (folder / "0.png").write_bytes(signed)
    assert cli.main(["verify", str(folder)]) == 3


def test_credentials_that_name_no_synthesis_do_not_mark(tmp_path, picture, facts, monkeypatch):
    path = tmp_path / "camera.png"
    write_image(path, picture)
    monkeypatch.setattr("faceswap_gan.marks.credentials.ASSERTION", "somebody.else")
    sign_file(path, facts=replace(facts, digital_source_type="digitalCapture"))
    found = verify(path)
    assert (found.credentials.state, found.verdict) == ("valid", Verdict.UNMARKED)


def test_what_is_no_media_is_a_clear_error(tmp_path, capsys):
    with pytest.raises(MediaError, match="got nothing"):
        verify(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    assert cli.main(["verify", str(tmp_path / "text.mp4")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such file name")
def test_a_console_without_the_letters_of_a_name_is_told_all_the_same(tmp_path, picture, facts, monkeypatch):
    path = tmp_path / "out.png"
    write_image(path, picture)
    sign_file(path, facts=replace(facts, consent="\u0410\u043d\u043d\u0430 agreed"))
    path = path.rename(tmp_path / os.fsdecode(b"out\xff.png"))
    for encoding in ("cp1252", "utf-8"):
        console = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
        monkeypatch.setattr("sys.stdout", console)
        assert cli.main(["verify", str(path)]) == 0
        console.flush()
        told = console.buffer.getvalue().decode(encoding)
        assert "in out\\udcff.png" in told
        assert ("\u0410\u043d\u043d\u0430" if encoding == "utf-8" else "\\u0410\\u043d") in told
        assert told.endswith("verdict: marked" + os.linesep)
