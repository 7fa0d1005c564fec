"""What counts as a collapse, and for how long it must last."""

from __future__ import annotations

import pytest
from tiny import tiny_settings

from faceswap_gan.errors import DivergedError
from faceswap_gan.training.guard import WINDOW, Guard

GOOD = {
    "loss": 1.0,
    **{f"mask_area{person}": 0.4 for person in ("", "_src", "_dst")},
    **{f"discriminator{person}": 0.5 for person in ("", "_src", "_dst")},
}


def _guard(**losses):
    return Guard(tiny_settings("classic", **losses).losses)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_finite_number_is_told_at_once(value):
    with pytest.raises(DivergedError, match="at step 25 edge, mask is no finite number"):
        _guard().check(25, {**GOOD, "edge": value, "mask": value})


@pytest.mark.parametrize(
    ("means", "words"),
    [
        ({"mask_area": 0.004}, "all black"),
        ({"mask_area": 0.996}, "all white"),
        ({"discriminator": 0.007}, "discriminators told"),
        ({"mask_area_src": 0.004}, "mask of src was all black"),
        ({"mask_area_dst": 0.996}, "mask of dst was all white"),
        ({"discriminator_src": 0.0035}, "discriminator of src told"),
    ],
)
def test_a_collapse_must_last(means, words):
    guard, bad = _guard(), GOOD | means
    guard.check(1000, GOOD)
    for start in (2000, 5000):
        for step in range(start, start + WINDOW, 25):
            guard.check(step, bad)
            assert not guard.is_calm
        guard.check(start + WINDOW, GOOD)
        assert guard.is_calm
    guard.check(9000, bad)
    with pytest.raises(DivergedError, match=f"from step 9000 to {9000 + WINDOW} .*{words}"):
        guard.check(9000 + WINDOW, bad)


def test_a_mask_with_a_shape_lives_from_the_start():
    """fast died at step 900 once, all white, and trained on for nothing."""
    guard = Guard(tiny_settings("fast").losses)
    guard.check(100, GOOD)
    guard.check(900, GOOD | {"mask_area": 0.9999})
    assert not guard.is_calm
    with pytest.raises(DivergedError, match="all white"):
        guard.check(900 + WINDOW, GOOD | {"mask_area": 0.9999})


@pytest.mark.parametrize(
    ("preset", "step", "is_seen"), [("fast", 400, True), ("fast", 50, False), ("classic", 4000, False)]
)
def test_a_mask_that_comes_dead_from_a_checkpoint(preset, step, is_seen):
    """It may have died in the steps before training was killed; one without a shape may live only later."""
    guard = Guard(tiny_settings(preset).losses, step)
    guard.check(step + 25, GOOD | {"mask_area": 0.001})
    assert guard.is_calm is not is_seen


@pytest.mark.parametrize(
    ("means", "losses"),
    [
        ({"mask_area": 0.006}, {}),
        ({"mask_area": 0.994}, {}),
        ({"discriminator": 0.008}, {}),
        ({"discriminator_dst": 0.004}, {}),
        ({"discriminator": 0.0}, {"adversarial": 0.0}),
    ],
)
def test_what_is_no_collapse(means, losses):
    guard = _guard(**losses)
    guard.check(1000, GOOD)
    guard.check(1025, GOOD | means)
    assert guard.is_calm


@pytest.mark.parametrize("area", [0.001, 0.999])
def test_a_mask_that_has_not_lived_is_left_alone(area):
    guard = _guard()
    guard.check(25, GOOD)
    for step in range(50, 5000, 25):
        guard.check(step, GOOD | {"mask_area": area})
        assert guard.is_calm


def test_losses_without_masks_and_discriminators():
    guard = Guard(tiny_settings("fast").losses)
    guard.check(0, {"loss": 1.0})
    assert guard.is_calm
