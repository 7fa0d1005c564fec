from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.facts import read_facts
from faceswap_gan.media.video import read_frames, read_info
from faceswap_gan.synthetic.clips import build_pair, write_clip, write_pair


def test_a_pair_reads_back_with_sound_and_the_pixels_that_were_drawn(tmp_path: Path) -> None:
    pair = write_pair(tmp_path / "new", seconds=0.4, size=192)
    for path, clip in ((pair.src, pair.src_clip), (pair.dst, pair.dst_clip)):
        info = read_info(path)
        assert (info.width, info.height, info.frame_rate, len(read_facts(path).sound)) == (192, 192, 25, 1)
        frames = list(read_frames(path))
        assert [f.seconds for f in frames] == pytest.approx([i / 25 for i in range(10)])
        for frame, drawn in zip(frames, clip.frames(), strict=True):
            error = np.mean((frame.image.astype(float) - drawn.image) ** 2)
            assert 10 * np.log10(255**2 / error) > 33
        with av.open(str(path)) as container:
            sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
        assert len(sound) >= 0.4 * 48000
        assert 0.001 < np.abs(sound).max() < 1.0
    assert sorted(p.name for p in pair.src.parent.iterdir()) == ["dst.mp4", "src.mp4"]


def test_the_truth_is_the_src_person_where_the_dst_person_is(tmp_path: Path) -> None:
    pair = build_pair(tmp_path, seconds=1, seed=4)
    assert list(tmp_path.iterdir()) == []
    noise = []
    for truth, unswapped in islice(zip(pair.truth(), pair.dst_clip.frames(), strict=True), 0, None, 6):
        assert np.abs(truth.landmarks[:2] - unswapped.landmarks[:2]).max() < 4
        face = (truth.face_mask > 250) & (unswapped.face_mask > 250)
        noise.append(np.mean((truth.image[face].astype(float) - unswapped.image[face]) ** 2))
    assert 11 < 10 * np.log10(255**2 / np.mean(noise)) < 17


def test_the_same_seed_gives_the_same_pair(tmp_path: Path) -> None:
    first, again, other = (build_pair(tmp_path, seconds=0.2, seed=seed, size=64) for seed in (1, 1, 2))
    assert first.dst_clip.poses == again.dst_clip.poses
    np.testing.assert_array_equal(first.dst_clip.background, again.dst_clip.background)
    assert first.dst_clip.poses != other.dst_clip.poses
    assert first.src_clip.poses != first.dst_clip.poses


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="in seconds, got nan"):
        build_pair(tmp_path, seconds=float("nan"))
    with pytest.raises(SettingsError, match="even side"):
        build_pair(tmp_path, size=65)
    with pytest.raises(SettingsError, match="at least 1 frame"):
        build_pair(tmp_path, seconds=0)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(MediaError, match="Expected to write"):
        write_clip(blocked / "a.mp4", build_pair(tmp_path, seconds=0.1, size=64).src_clip)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        write_clip(tmp_path / "a.unknown", build_pair(tmp_path, seconds=0.1, size=64).src_clip)
    assert list(tmp_path.iterdir()) == []
