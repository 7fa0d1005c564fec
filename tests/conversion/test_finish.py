"""Finish settings: what is out of range is said at once."""

from __future__ import annotations

import pytest

from faceswap_gan.conversion.finish import FinishSettings
from faceswap_gan.errors import SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "adain"),
        ("blend", "poisson"),
        ("coverage", 0.0),
        ("coverage", 1.1),
        ("erode", 0.4),
        ("erode", float("nan")),
        ("feather", -0.1),
        ("deflicker", 0.2),
        ("sharpen", 3.0),
        ("detail", 1.5),
    ],
)
def test_what_is_out_of_range_is_a_clear_error(name, value):
    with pytest.raises(SettingsError, match=f"expected --{name}.*got"):
        FinishSettings(**{name: value})


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("coverage", (0.01, 1.0)),
        ("erode", (-0.3, 0.3)),
        ("feather", (0.0, 0.5)),
        ("deflicker", (0.0, 0.1)),
        ("sharpen", (0.0, 2.0)),
        ("detail", (0.0, 1.0)),
    ],
)
def test_both_ends_of_a_range_are_taken(name, ends):
    assert [getattr(FinishSettings(**{name: end}), name) for end in ends] == list(ends)
