"""Masks for a compositor: each format holds the same picture in its own range."""

from __future__ import annotations

import numpy as np
import pytest
from exr_reader import read_exr

from faceswap_gan.conversion.mask_files import write_mask_file
from faceswap_gan.media.images import read_mask


@pytest.fixture
def mask():
    """Every level once."""
    return np.arange(256, dtype=np.uint8).reshape(8, 32)


def test_exr_holds_parts_of_one(tmp_path, mask):
    write_mask_file(tmp_path / "masks", 123, mask, "exr")
    _, back = read_exr((tmp_path / "masks" / "000123.exr").read_bytes())
    assert back.max() == 1
    np.testing.assert_array_equal(np.rint(back.astype(np.float32) * 255), mask)


def test_png_holds_levels(tmp_path, mask):
    write_mask_file(tmp_path, 123, mask, "png")
    np.testing.assert_array_equal(read_mask(tmp_path / "000123.png"), mask)
