"""The preview sheet: which face is where, painted by whom."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops
from tiny import SIDE

from faceswap_gan.media.images import read_image, write_image
from faceswap_gan.media.video import read_frames
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.networks import build_painter
from faceswap_gan.training.preview import DRAWN, FIXED, Previewer

_RED, _BLUE = np.float32([1, -1, -1]), np.float32([-1, -1, 1])


@pytest.fixture(scope="module")
def painters():
    """An encoder that does nothing, and decoders that paint a colour through a mask of one half."""
    crops = layers.Input((SIDE, SIDE, 3))
    networks = {"encoder": keras.Model(crops, layers.Identity()(crops))}
    for side, colour in zip(SIDES, (_RED, _BLUE), strict=True):
        code = layers.Input((SIDE, SIDE, 3))
        rgb = 0.0 * code + ops.convert_to_tensor(colour)
        head = ops.concatenate([0.0 * code[..., :1] + 0.5, rgb], axis=-1)
        networks[f"decoder_{side}"] = keras.Model(code, {"head": head})
    return {side: build_painter(networks, side) for side in SIDES}


def test_rows(people, painters, tmp_path):
    path = Previewer(people, painters, tmp_path / "preview").write(250)
    assert path.name == "00000250.png"
    sheet = read_image(path).reshape(2, 5, SIDE, FIXED + DRAWN, SIDE, 3).swapaxes(2, 3)  # person, row, face
    for rows, side, own, other in zip(sheet, SIDES, (_RED, _BLUE), (_BLUE, _RED), strict=True):
        face, reconstruction, swap, unmasked, mask = rows
        assert np.array_equal(face[[0, FIXED - 1]], people[side].crops[[0, -1]])
        assert len({each.tobytes() for each in face[:FIXED]}) == FIXED
        assert {each.tobytes() for each in face} <= {each.tobytes() for each in people[side].crops}
        _is_flat(reconstruction, own)
        _is_flat(unmasked, other)
        np.testing.assert_allclose(swap, 0.5 * face + 0.5 * 127.5 * (other + 1), atol=1)
        _is_flat(mask, np.zeros(3))


def _is_flat(pictures, colour):
    np.testing.assert_allclose(pictures, np.broadcast_to(127.5 * (colour + 1), pictures.shape), atol=1)


def test_the_latest_sheet_is_a_copy(people, painters, tmp_path):
    preview = Previewer(people, painters, tmp_path)
    for step in (1, 2):
        assert preview.write(step).read_bytes() == (tmp_path / "latest.png").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["00000001.png", "00000002.png", "latest.png"]


def _sheet(tmp_path, step):
    return read_image(tmp_path / f"{step:08d}.png")


def test_fixed_faces_stay_and_drawn_ones_change(people, painters, tmp_path):
    for step in (1, 2):
        Previewer(people, painters, tmp_path).write(step)
    one, two = (_sheet(tmp_path, step) for step in (1, 2))
    assert np.array_equal(one[:, : FIXED * SIDE], two[:, : FIXED * SIDE])
    assert not np.array_equal(one[:, FIXED * SIDE :], two[:, FIXED * SIDE :])
    Previewer(people, painters, tmp_path).write(1)
    assert np.array_equal(_sheet(tmp_path, 1), one), "the same step draws the same faces"


def test_the_time_lapse_shows_the_fixed_faces_of_all_sheets(people, painters, tmp_path):
    for step in (5, 20, 100):
        path = Previewer(people, painters, tmp_path).write(step)
        image = read_image(path)
        image[:SIDE, :SIDE] = step
        write_image(path, image)
    write_image(tmp_path / "00000070.png", np.zeros((20, 24, 3), np.uint8))
    movie = Previewer(people, painters, tmp_path).write_time_lapse()
    frames = list(read_frames(movie))
    assert [round(frame.seconds, 3) for frame in frames] == [0.0, 0.1, 0.3]
    for frame, step in zip(frames, (5, 20, 100), strict=True):
        assert frame.image.shape == (10 * SIDE, FIXED * SIDE, 3)
        assert frame.image[8 : SIDE - 8, 8 : SIDE - 8].mean() == pytest.approx(step, abs=4)


def test_a_users_copy_of_a_sheet_is_left_alone(people, painters, tmp_path):
    previewer = Previewer(people, painters, tmp_path)
    copy = previewer.write(3).rename(tmp_path / "00000003 copy.png")
    previewer.write(5)
    previewer.cut(-1)
    assert [path.name for path in tmp_path.glob("0*.png")] == [copy.name]


def test_sheets_of_lost_steps_go(people, painters, tmp_path):
    preview = Previewer(people, painters, tmp_path)
    for step in (5, 20, 100):
        preview.write(step)
    preview.cut(20)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["00000005.png", "00000020.png", "latest.png"]
