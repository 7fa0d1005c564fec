"""Tests of faceswap_gan.faces.mtcnn and pyramid."""

import io
import pickle

import joblib
import keras
import lz4.frame
import numpy as np
import pytest

from faceswap_gan.errors import ModelError
from faceswap_gan.faces import mtcnn
from faceswap_gan.faces.pyramid import CELL, plan_pyramid


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_weights_are_the_package_s(name):
    path = mtcnn.weights_folder() / f"{name}.lz4"
    ours, theirs = mtcnn.read_weights(path), joblib.load(path)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


class Harmful:
    def __reduce__(self):
        return (print, ("this ran",))


@pytest.mark.parametrize(
    "content", [pickle.dumps([Harmful()]), pickle.dumps([1]), pickle.dumps([])[:-1], b"", pickle.dumps({})]
)
def test_anything_but_arrays_is_refused(tmp_path, content, capsys):
    path = tmp_path / "pnet.lz4"
    path.write_bytes(lz4.frame.compress(content))
    with pytest.raises(ModelError, match="Reinstall"):
        mtcnn.read_weights(path)
    assert "this ran" not in capsys.readouterr().out


def test_wrong_precision_and_missing_file_are_refused(tmp_path):
    path = tmp_path / "w.lz4"
    stream = io.BytesIO()
    joblib.dump([np.zeros((2, 2))], stream)
    path.write_bytes(lz4.frame.compress(stream.getvalue()))
    with pytest.raises(ModelError, match="float32"):
        mtcnn.read_weights(path)
    with pytest.raises(ModelError):
        mtcnn.read_weights(tmp_path / "none.lz4")


def test_networks_give_the_promised_shapes():
    rng = np.random.default_rng(0)
    for name, side, widths in (("rnet", 24, (4, 2)), ("onet", 48, (4, 10, 2))):
        outputs = mtcnn.infer(mtcnn.load_network(name), rng.integers(0, 255, (3, side, side, 3), np.uint8))
        assert [o.shape for o in outputs] == [(3, w) for w in widths]
        np.testing.assert_allclose(outputs[-1].sum(axis=1), 1, rtol=1e-5)


def test_features_are_those_that_o_net_itself_sees():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), np.uint8)
    onet, features = mtcnn.load_network("onet"), mtcnn.build_onet_features(48)
    mtcnn.set_onet_features(features)
    inside = keras.Model(onet.input, [onet.get_layer(f"prelu{index}").output for index in (1, 2, 3)])
    seen = features.predict_on_batch(pixels.astype(np.float32) / 127.5 - 1)
    for got, wanted in zip(seen, inside.predict_on_batch(pixels), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert not features.trainable_variables
    assert mtcnn.build_onet_features(96).output_shape[2] == (None, 20, 20, 64)


def test_one_canvas_equals_a_call_for_every_size():
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 255, (24, 32, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    pyramid = plan_pyramid(256, 192, min_size=24)
    pnet = mtcnn.load_network("pnet")
    canvas = pyramid.draw(image)
    _, whole = mtcnn.infer(pnet, canvas[None])
    assert len(pyramid.levels) > 4
    for level in pyramid.levels:
        rows = slice(level.y // 2, level.y // 2 + (level.height - CELL) // 2 + 1)
        columns = slice(level.x // 2, level.x // 2 + (level.width - CELL) // 2 + 1)
        part = canvas[level.y : level.y + level.height, level.x : level.x + level.width]
        _, alone = mtcnn.infer(pnet, part[None])
        cells = whole[0, rows, columns]
        np.testing.assert_allclose(cells, alone[0, : cells.shape[0], : cells.shape[1]], atol=1e-5)


def test_levels_neither_overlap_nor_leave_the_canvas():
    pyramid = plan_pyramid(1919, 1081, min_size=33)
    taken = np.zeros((pyramid.height, pyramid.width), int)
    for level in pyramid.levels:
        assert level.x % 2 == level.y % 2 == 0
        assert min(level.width, level.height) >= CELL
        taken[level.y : level.y + level.height, level.x : level.x + level.width] += 1
        assert level.x + level.width <= pyramid.width
        assert level.y + level.height <= pyramid.height
    assert taken.max() == 1
    assert taken.mean() > 0.7


def test_a_frame_smaller_than_a_face_has_no_levels():
    assert plan_pyramid(20, 100, min_size=40).levels == ()
