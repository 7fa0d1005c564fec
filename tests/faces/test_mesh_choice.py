"""Choice of the source picture: near, and steady."""

from __future__ import annotations

import numpy as np
import pytest

from faceswap_gan.faces.mesh_choice import FADE, Fade, SourceChooser


def looks(*values):
    return np.asarray(values, np.float32)[:, None]


def follow(chooser, wanted, ahead=6):
    last, chosen = None, []
    for i in range(len(wanted)):
        last = chooser.choose(wanted[i : i + 1 + ahead], last)
        chosen.append(last)
    return chosen


def test_the_nearest_is_taken():
    chooser = SourceChooser(looks(0, 10, 20, 30))
    for want, picture in ((1, 0), (12, 1), (29, 3)):
        assert chooser.choose(looks(*[want] * 5), None) == picture


def test_small_differences_do_not_flicker():
    chooser = SourceChooser(looks(0, 9, 9, 9, 1.0))
    wanted = looks(*[0.5 + 0.3 * (-1) ** i for i in range(40)])
    assert len(set(follow(chooser, wanted))) == 1


def test_a_lasting_change_is_followed_and_a_glitch_is_not():
    chooser = SourceChooser(looks(0, 50, 50, 50, 5))
    chosen = follow(chooser, looks(*[0] * 10, 3, *[0] * 10, *[5] * 10))
    assert chosen == [0] * 21 + [4] * 10


def test_the_change_comes_when_the_look_changes():
    chooser = SourceChooser(looks(0, 50, 50, 50, 8))
    assert follow(chooser, looks(*[0] * 6, *[8] * 6)) == [0] * 6 + [4] * 6


def test_pictures_that_follow_each_other_play_on():
    chooser = SourceChooser(looks(*np.linspace(0, 10, 21)))
    chosen = follow(chooser, looks(*np.linspace(0, 10, 21)))
    assert np.abs(np.asarray(chosen) - np.arange(21)).max() <= 2
    assert all(chooser.flows(a, b) for a, b in zip(chosen, chosen[1:], strict=False))


def test_one_picture():
    chooser = SourceChooser(looks(3))
    assert chooser.choose(looks(100, 0), 0) == 0


def test_a_fade_takes_its_time_and_sums_to_one():
    fade = Fade(SourceChooser(looks(0, 50, 50, 50, 8)))
    assert fade.picture is None
    assert fade.update(0, 0.0)[0].weight == 1
    weights = []
    for i in range(1, 10):
        shares = fade.update(4, i * 0.04)
        assert sum(share.weight for share in shares) == pytest.approx(1)
        assert shares[0].picture == 4
        weights.append(shares[0].weight)
    assert weights[0] == pytest.approx(0.04 / FADE)
    assert max(np.diff(weights)) < 0.21
    assert weights[-1] == 1


def test_a_fade_that_turns_back_never_jumps():
    fade = Fade(SourceChooser(looks(0, 50, 50, 50, 8)))
    shown = []
    for i, picture in enumerate([0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0]):
        shown.append(sum(s.weight for s in fade.update(picture, i * 0.04) if s.picture == 4))
    assert np.abs(np.diff(shown)).max() < 0.45
    assert shown[-1] == 0


def test_neighbours_and_gaps_need_no_fade():
    fade = Fade(SourceChooser(looks(0, 0.5, 50, 50, 8)))
    fade.update(0, 0.0)
    assert len(fade.update(1, 0.04)) == 1
    assert len(fade.update(4, 2.0)) == 1
