"""Marks on a swap: pixels before, the file after."""

from __future__ import annotations

import numpy as np
import pytest
from clouds import SIZE, clouds

from faceswap_gan.conversion.marking import plan_marking
from faceswap_gan.errors import MarksError, SettingsError
from faceswap_gan.marks.findings import Verdict, verify
from faceswap_gan.media.images import write_image


@pytest.fixture
def footage(tmp_path, monkeypatch):
    monkeypatch.setenv("FACESWAP_CONFIG", str(tmp_path / "config"))
    write_image(tmp_path / "footage.png", clouds(0))
    return tmp_path / "footage.png"


def _plan(footage, **more):
    settings = {"consent": "Ann agreed", "digital_source_type": "compositeCapture", "settings": {"a": 1}}
    return plan_marking(footage, **{**settings, **more})


def test_pixels_and_file(footage, tmp_path):
    marking = _plan(footage, label="AI-generated", corner="top-left")
    mask = np.zeros(SIZE, np.uint8)
    mask[40:240, 60:260] = 255
    marked = marking.mark(clouds(0), mask)
    untouched = marked.touched == 0
    assert (marked.image[untouched] == clouds(0)[untouched]).all()
    assert marked.touched[0, 0] == 255
    assert marked.touched[100, 100] == 255
    assert marked.touched[-1, -1] == 0
    write_image(tmp_path / ".part.png", marked.image)
    marking.finish(tmp_path / ".part.png", final=tmp_path / "out.png")
    (tmp_path / ".part.png").rename(tmp_path / "out.png")
    found = verify(tmp_path / "out.png")
    assert (found.verdict, found.credentials.consent) == (Verdict.MARKED, "Ann agreed")
    assert found.watermark.found


def test_without_a_label_all_of_the_mask_is_marked_and_nothing_else(footage):
    mask = np.zeros(SIZE, np.uint8)
    mask[:, : SIZE[1] // 2] = 255
    marked = _plan(footage).mark(clouds(0), mask)
    assert np.array_equal(marked.touched, mask)
    changed = (marked.image != clouds(0)).any(axis=-1)
    assert not changed[mask == 0].any()
    assert changed[mask > 0].mean() > 0.7
    nothing = _plan(footage).mark(clouds(0), np.zeros_like(mask))
    assert np.array_equal(nothing.image, clouds(0))
    assert not nothing.touched.any()


def test_what_would_fail_at_the_end_fails_at_once(footage):
    with pytest.raises(SettingsError, match="--label"):
        _plan(footage, label="é")
    with pytest.raises(MarksError, match="together"):
        _plan(footage, certificate=footage)
