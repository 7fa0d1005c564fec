from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.errors import SettingsError
from faceswap_gan.synthetic.motion import performance


def _track(name: str, *, frames: int = 500, seed: int = 3) -> np.ndarray:
    return np.array([getattr(p, name) for p in performance(frames, rng=np.random.default_rng(seed))])


def test_same_seed_same_performance() -> None:
    first, second, other = (performance(50, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == second
    assert first != other


@pytest.mark.parametrize(
    ("name", "low", "high", "step"),
    [
        ("yaw", -24, 24, 4.0),
        ("pitch", -12, 15, 3.0),
        ("roll", -8, 8, 1.5),
        ("jaw", 0, 1, 0.6),
        ("smile", 0, 1, 0.2),
        ("brow", -0.4, 1, 0.3),
        ("gaze_x", -1, 1, 1.0),
        ("light_azimuth", -48, 48, 3.0),
    ],
)
def test_tracks_fill_their_range_smoothly(name: str, low: float, high: float, step: float) -> None:
    track = _track(name)
    assert low <= track.min()
    assert track.max() <= high
    assert np.ptp(track) > 0.5 * (high - low)
    assert np.abs(np.diff(track)).max() < step


def test_blinks_come_every_few_seconds_and_last_a_few_frames() -> None:
    closed = _track("blink_left") > 0.2
    edges = np.flatnonzero(np.diff(closed.astype(int)) == 1)
    assert 4 <= len(edges) <= 11
    assert np.diff(edges).min() >= 50
    assert np.diff(edges).max() <= 100
    lengths = np.diff(np.flatnonzero(np.diff(closed.astype(int))))[::2]
    assert set(lengths) <= {4, 5, 6}


def test_src_and_dst_share_the_range_of_poses() -> None:
    first, second = _track("yaw", seed=1), _track("yaw", seed=2)
    assert min(first.max(), second.max()) - max(first.min(), second.min()) > 25


def test_a_single_frame_is_enough_and_none_is_not() -> None:
    assert len(performance(1, rng=np.random.default_rng(0))) == 1
    with pytest.raises(SettingsError, match="at least 1 frame"):
        performance(0, rng=np.random.default_rng(0))
