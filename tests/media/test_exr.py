"""OpenEXR as written, read by a reader of the published layout, and by the format's own library where it is."""

from __future__ import annotations

import numpy as np
import pytest
from exr_reader import read_exr

from faceswap_gan.media.exr import encode_exr


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (48, 64)])
@pytest.mark.parametrize("smooth", [True, False])
def test_every_value_comes_back(shape, smooth):
    random = np.random.default_rng(0).random(shape)
    picture = np.linspace(0, 1, random.size).reshape(shape) if smooth else random
    attributes, back = read_exr(encode_exr(picture))
    np.testing.assert_array_equal(back, picture.astype(np.float16))
    assert attributes["channels"].startswith(b"Y\0")


def test_the_format_s_own_library_reads_it(tmp_path):
    library = pytest.importorskip("OpenEXR")
    picture = np.linspace(0, 1, 30 * 40).reshape(30, 40)
    (tmp_path / "mask.exr").write_bytes(encode_exr(picture))
    found = library.File(str(tmp_path / "mask.exr")).channels()["Y"].pixels
    np.testing.assert_array_equal(found, picture.astype(np.float16))
