"""The preview sheet: which face is where, painted by whom."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops
from tiny import SIDE

from faceswap_gan.media.images import read_image
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.preview import Previewer

_RED, _BLUE = np.float32([1, -1, -1]), np.float32([-1, -1, 1])


@pytest.fixture(scope="module")
def networks():
    """An encoder that does nothing, and decoders that paint a colour through a mask of one half."""
    crops = layers.Input((SIDE, SIDE, 3))
    networks = {"encoder": keras.Model(crops, layers.Identity()(crops))}
    for side, colour in zip(SIDES, (_RED, _BLUE), strict=True):
        code = layers.Input((SIDE, SIDE, 3))
        rgb = 0.0 * code + ops.convert_to_tensor(colour)
        head = ops.concatenate([0.0 * code[..., :1] + 0.5, rgb], axis=-1)
        networks[f"decoder_{side}"] = keras.Model(code, {"head": head})
    return networks


def test_rows(people, networks, tmp_path):
    path = Previewer(people, networks, tmp_path / "preview").write(250)
    assert path.name == "00000250.png"
    sheet = read_image(path).reshape(2, 5, SIDE, 8, SIDE, 3).swapaxes(2, 3)  # person, row, face
    for rows, side, own, other in zip(sheet, SIDES, (_RED, _BLUE), (_BLUE, _RED), strict=True):
        face, reconstruction, swap, unmasked, mask = rows
        assert np.array_equal(face[[0, -1]], people[side].crops[[0, -1]])
        assert len({each.tobytes() for each in face}) == 8
        _is_flat(reconstruction, own)
        _is_flat(unmasked, other)
        np.testing.assert_allclose(swap, 0.5 * face + 0.5 * 127.5 * (other + 1), atol=1)
        _is_flat(mask, np.zeros(3))


def _is_flat(pictures, colour):
    np.testing.assert_allclose(pictures, np.broadcast_to(127.5 * (colour + 1), pictures.shape), atol=1)


def test_the_latest_sheet_is_a_copy(people, networks, tmp_path):
    preview = Previewer(people, networks, tmp_path)
    for step in (1, 2):
        assert preview.write(step).read_bytes() == (tmp_path / "latest.png").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["00000001.png", "00000002.png", "latest.png"]
