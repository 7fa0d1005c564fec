"""The perceptual loss and its network, against the same graph written in NumPy."""

from __future__ import annotations

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from faceswap_gan.errors import WeightsError
from faceswap_gan.media.layer_weights import read_layer_weights
from faceswap_gan.nn.perceptual import build_features, feature_loss, perceptual_loss, to_vggface
from faceswap_gan.nn.vggface import build_vggface, set_layer_weights

PARTS = {"conv": ("kernel",), "bn": ("gamma", "beta", "moving_mean", "moving_variance")}
STAGES = {2: (3, 64), 3: (4, 128), 4: (6, 256), 5: (3, 512)}
COUNT = 23_561_152  # of the published file
SHAPES = [(112, 112, 64), (55, 55, 256), (28, 28, 512), (7, 7, 2048)]


def _convolutions():
    """Name, kernel size, channels in and out of every convolution, in the names of the published file."""
    yield "conv1/7x7_s2", 7, 3, 64
    incoming = 64
    for stage, (blocks, width) in STAGES.items():
        for block in range(1, blocks + 1):
            name = f"conv{stage}_{block}"
            yield f"{name}_1x1_reduce", 1, incoming, width
            yield f"{name}_3x3", 3, width, width
            yield f"{name}_1x1_increase", 1, width, 4 * width
            if block == 1:
                yield f"{name}_1x1_proj", 1, incoming, 4 * width
            incoming = 4 * width


@pytest.fixture(scope="module")
def arrays():
    """Random weights by layer: the deviations of features stay near 1 through the network."""
    rng = np.random.default_rng(4)
    found = {}
    for name, size, incoming, width in _convolutions():
        spread = np.float32((2.0 / (size * size * incoming)) ** 0.5)
        found[name] = [rng.standard_normal((size, size, incoming, width), np.float32) * spread]
        low = 0.2 if name.endswith("increase") else 0.7
        gamma, beta, mean = rng.uniform(low, 2 * low, width), *rng.normal(0.0, 0.2, (2, width))
        variance = rng.uniform(0.5, 1.5, width) * (5000.0 if name.startswith("conv1/") else 1.0)
        found[f"{name}/bn"] = [each.astype(np.float32) for each in (gamma, beta, mean, variance)]
    return found


@pytest.fixture(scope="module")
def file(arrays, tmp_path_factory):
    """A weights file in the layout of the published one: groups by layer, names in attributes, empty layers too."""
    path = tmp_path_factory.mktemp("vggface") / "weights.h5"
    with h5py.File(path, "w") as root:
        names = ["input_1", *arrays, "activation_1", "avg_pool"]
        root.attrs["layer_names"] = np.array([name.encode() for name in names], dtype="S60")
        root.attrs["backend"] = b"tensorflow"
        for name in names:
            group = root.require_group(name)
            parts = PARTS["bn" if name.endswith("/bn") else "conv"] if name in arrays else ()
            words = [f"{name}/{part}:0" for part in parts]
            group.attrs["weight_names"] = np.array([word.encode() for word in words], dtype="S60")
            for word, values in zip(words, arrays.get(name, ()), strict=True):
                group[word] = values
    return path


def _convolve(x, kernel, strides):
    """Convolution with TensorFlow's "same" padding: what is odd goes to the end."""
    size, width = kernel.shape[0], -(-x.shape[1] // strides)
    total = max((width - 1) * strides + size - x.shape[1], 0)
    pads = (total // 2, total - total // 2)
    x = np.pad(x, ((0, 0), pads, pads, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::strides, ::strides]
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel, optimize=True)


def _expect(arrays, x):
    """The four features after and before the activations, in NumPy."""

    def convolve(x, name, strides=1):
        gamma, beta, mean, variance = arrays[f"{name}/bn"]
        y = _convolve(x, arrays[name][0], strides)
        return y, (y - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def relu(x):
        return np.maximum(x, 0.0)

    raw, x = convolve(x, "conv1/7x7_s2", 2)
    after, before = [raw], []
    x = np.lib.stride_tricks.sliding_window_view(relu(x), (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(-2, -1))
    for stage, (blocks, _) in STAGES.items():
        for block in range(1, blocks + 1):
            name, strides = f"conv{stage}_{block}", 2 if block == 1 and stage > 2 else 1
            y = relu(convolve(x, f"{name}_1x1_reduce", strides)[1])
            y = convolve(relu(convolve(y, f"{name}_3x3")[1]), f"{name}_1x1_increase")[1]
            y = y + (convolve(x, f"{name}_1x1_proj", strides)[1] if block == 1 else x)
            x = relu(y)
            if name in ("conv2_1", "conv2_3", "conv3_4", "conv5_3"):
                before.append(y)
            if name in ("conv2_3", "conv3_4", "conv5_3"):
                after.append(x)
    return after, before


@pytest.fixture(scope="module")
def pictures():
    """A target and a painted face, RGB in [-1, 1]."""
    return np.random.default_rng(5).uniform(-1.0, 1.0, (2, 224, 224, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def expected(arrays, pictures):
    bgr = (pictures[..., ::-1] + 1.0) / 2.0 * 255.0 - [91.4953, 103.8827, 131.0912]
    return _expect(arrays, bgr.astype(np.float32))


@pytest.fixture(scope="module")
def networks(file):
    models = [build_features(before_activation=before) for before in (False, True)]
    for model in models:
        set_layer_weights(model, read_layer_weights(file))
    return models


@pytest.mark.parametrize("before", [False, True])
def test_features_are_those_of_an_independent_implementation(networks, pictures, expected, before):
    got = networks[before](to_vggface(pictures), training=True)
    assert [tuple(each.shape[1:]) for each in got] == ([SHAPES[1], *SHAPES[1:]] if before else SHAPES)
    for wanted, feature in zip(expected[before], got, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(feature), wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
        assert np.abs(wanted).max() < 1e3


def test_the_loss_is_that_of_its_formula(networks, pictures, expected):
    def standard(x):
        return (x - x.mean(axis=(1, 2, 3), keepdims=True)) / (x.std(axis=(1, 2, 3), keepdims=True) + 1e-3)

    errors = [np.mean((standard(x[:1]) - standard(x[1:])) ** 2) for x in expected[0]]
    wanted = 0.1 * errors[0] + 0.3 * errors[1] + 0.1 * errors[2] + 0.01 * errors[3]
    assert float(perceptual_loss(networks[0], pictures[:1], pictures[1:])) == pytest.approx(wanted, rel=1e-3)
    assert float(perceptual_loss(networks[0], pictures, pictures)) == 0.0


def test_nothing_of_it_is_trained(networks):
    assert not networks[0].trainable_variables
    assert networks[0].count_params() == COUNT


def test_small_pictures_are_enlarged_and_turned_to_bgr():
    picture = np.tile(np.array([1.0, 0.0, -1.0], np.float32), (1, 64, 64, 1))
    got = ops.convert_to_numpy(to_vggface(picture))
    assert got.shape == (1, 224, 224, 3)
    np.testing.assert_allclose(got[0, 100, 100], [0 - 91.4953, 127.5 - 103.8827, 255 - 131.0912], atol=1e-4)


@pytest.mark.parametrize("fault", ["missing", "misshapen", "short"])
def test_a_wrong_layer_is_named(arrays, fault):
    name = "conv3_2_3x3/bn" if fault == "short" else "conv3_2_3x3"
    wrong = {"missing": [], "misshapen": [np.zeros((3, 3, 128, 127))], "short": arrays[name][:-1]}[fault]
    with pytest.raises(
        WeightsError, match=rf"layer {name.replace('/', '_')} has the shapes .* got .*resnet50\.h5\.$"
    ):
        set_layer_weights(build_vggface(), {**arrays, name: wrong})


def test_layers_are_read_by_name_with_slashes_and_all(file, arrays):
    layers = read_layer_weights(file)
    assert list(layers) == list(arrays), "layers without weights are left out"
    for name, expected in arrays.items():
        assert all(np.array_equal(*pair) for pair in zip(layers[name], expected, strict=True))


def test_a_model_saved_whole_is_read_too(tmp_path):
    with h5py.File(tmp_path / "whole.h5", "w") as root:
        model = root.require_group("model_weights")
        model.attrs["layer_names"] = ["a/b"]  # text, as newer versions write it
        model.require_group("a/b").attrs["weight_names"] = ["a/b/kernel:0"]
        model["a/b/a/b/kernel:0"] = np.arange(3.0)
    assert read_layer_weights(tmp_path / "whole.h5")["a/b"][0].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("fault", ["no file", "no HDF5", "no layers", "cut off"])
def test_what_is_no_file_of_weights(file, tmp_path, fault):
    path = tmp_path / "weights.h5"
    if fault == "no layers":
        h5py.File(path, "w").close()
    elif fault != "no file":
        path.write_bytes(b"no HDF5" if fault == "no HDF5" else file.read_bytes()[:5_000_000])
    with pytest.raises(WeightsError, match=r"weights\.h5") as error:
        read_layer_weights(path)
    assert "\n" not in str(error.value)


def _two_features():
    """The picture itself, three times as strong, and its halves' means."""
    pictures = keras.Input((8, 8, 3))
    return keras.Model(pictures, [3.0 * pictures, keras.layers.AveragePooling2D(4)(pictures)])


def test_feature_errors_are_relative():
    rng = np.random.default_rng(3)
    target, painted = rng.uniform(-1.0, 1.0, (2, 5, 8, 8, 3)).astype(np.float32)
    features = _two_features()
    expected = []
    for wanted, got in zip(features.predict_on_batch(target), features.predict_on_batch(painted), strict=True):
        usual = np.abs(wanted - wanted.mean(axis=(1, 2), keepdims=True)).mean(axis=(1, 2, 3))
        expected.append((np.abs(got - wanted).mean(axis=(1, 2, 3)) / (usual + 1e-3)).mean())
    assert float(feature_loss(features, target, painted)) == pytest.approx(np.mean(expected), rel=1e-5)
    assert float(feature_loss(features, target, target)) == 0.0
    halved = float(feature_loss(features, target / 2, painted / 2))
    assert halved == pytest.approx(np.mean(expected), rel=0.02), "faces in little light count alike"
    mean = np.broadcast_to(target.mean(axis=(1, 2), keepdims=True), target.shape)
    assert float(feature_loss(features, target, mean)) == pytest.approx(1.0, abs=0.02)


def test_a_batch_s_feature_error_is_the_mean_of_its_pictures():
    rng = np.random.default_rng(5)
    target, painted = rng.uniform(-1.0, 1.0, (2, 4, 8, 8, 3)).astype(np.float32)
    target[1] *= 0.1
    features = _two_features()
    each = [float(feature_loss(features, target[i : i + 1], painted[i : i + 1])) for i in range(4)]
    assert float(feature_loss(features, target, painted)) == pytest.approx(np.mean(each), rel=1e-5)
