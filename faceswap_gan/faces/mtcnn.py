"""The three networks of MTCNN in Keras, with the weights that ship in the ``mtcnn`` package.

References:
    Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
    Networks", IEEE Signal Processing Letters 23 (2016), figure 2.
"""

from __future__ import annotations

import importlib.util
import io
import pickle
from pathlib import Path
from typing import IO, Any, cast

import keras
import lz4.frame  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
from keras import layers

from faceswap_gan.errors import ModelError

Weights = list[npt.NDArray[np.float32]]


class PReLU(layers.Layer):  # type: ignore[misc]
    """Leaky rectifier whose slope below zero is learnt per channel.

    The same function as `keras.layers.PReLU` with shared spatial axes, in fewer passes over the data.

    Attributes:
        gentle: whether no slope is above 1: then max(x, slope x) is the same, in half the passes.
    """

    gentle = False

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the slopes, float32 (channels,)."""
        self.slope = self.add_weight(name="slope", shape=(input_shape[-1],), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Rectify a tensor of shape (..., channels)."""
        if self.gentle:
            return keras.ops.maximum(x, self.slope * x)
        return keras.ops.maximum(x, 0) + self.slope * keras.ops.minimum(x, 0)


def _input(side: int | None) -> tuple[Any, Any]:
    pixels = keras.Input((side, side, 3), dtype="uint8", name="pixels")
    return pixels, layers.Rescaling(1 / 128, offset=-127.5 / 128, name="normalise")(pixels)


def _conv(x: Any, name: str, filters: int, kernel: int) -> Any:
    x = layers.Conv2D(filters, kernel, name=f"conv{name}")(x)
    return PReLU(name=f"prelu{name}")(x)


def _pool(x: Any, name: str, size: int, padding: str) -> Any:
    return layers.MaxPooling2D(size, strides=2, padding=padding, name=f"pool{name}")(x)


def _dense(x: Any, name: str, units: int) -> Any:
    # The published dense weights expect columns before rows.
    x = layers.Flatten(name="flatten")(layers.Permute((2, 1, 3), name="columns_first")(x))
    return PReLU(name=f"prelu{name}")(layers.Dense(units, name=f"dense{name}")(x))


def build_pnet() -> keras.Model:
    """Build P-Net, which looks for faces of 12 px in every second pixel of a picture.

    Returns:
        Model from RGB uint8 (N, H, W, 3) to [box offsets float32 (N, h, w, 4), face probability float32
        (N, h, w, 2) whose channel 1 means face]; cell (i, j) has seen the 12 px square at (2i, 2j).
    """
    pixels, x = _input(None)
    x = _pool(_conv(x, "1", 10, 3), "1", 2, "same")
    x = _conv(_conv(x, "2", 16, 3), "3", 32, 3)
    offsets = layers.Conv2D(4, 1, name="offsets")(x)
    face = layers.Conv2D(2, 1, activation="softmax", name="face")(x)
    return keras.Model(pixels, [offsets, face], name="pnet")


def build_rnet() -> keras.Model:
    """Build R-Net, which judges and moves a candidate box.

    Returns:
        Model from RGB uint8 (N, 24, 24, 3) to [box offsets float32 (N, 4), face probability float32 (N, 2)
        whose column 1 means face].
    """
    pixels, x = _input(24)
    x = _pool(_conv(x, "1", 28, 3), "1", 3, "same")
    x = _pool(_conv(x, "2", 48, 3), "2", 3, "valid")
    x = _dense(_conv(x, "3", 64, 2), "4", 128)
    offsets = layers.Dense(4, name="offsets")(x)
    face = layers.Dense(2, activation="softmax", name="face")(x)
    return keras.Model(pixels, [offsets, face], name="rnet")


def build_onet() -> keras.Model:
    """Build O-Net, which judges and moves a box and finds five points in it.

    Returns:
        Model from RGB uint8 (N, 48, 48, 3) to [box offsets float32 (N, 4), points float32 (N, 10) as five x
        then five y in parts of the side, face probability float32 (N, 2) whose column 1 means face].
    """
    pixels, x = _input(48)
    x = _pool(_conv(x, "1", 32, 3), "1", 3, "same")
    x = _pool(_conv(x, "2", 64, 3), "2", 3, "valid")
    x = _pool(_conv(x, "3", 64, 3), "3", 2, "same")
    x = _dense(_conv(x, "4", 128, 2), "5", 256)
    offsets = layers.Dense(4, name="offsets")(x)
    points = layers.Dense(10, name="points")(x)
    face = layers.Dense(2, activation="softmax", name="face")(x)
    return keras.Model(pixels, [offsets, points, face], name="onet")


def build_onet_features(side: int) -> keras.Model:
    """Build O-Net's first three convolutions, its weights at random, for larger pictures than its own.

    Args:
        side: of the pictures, px.

    Returns:
        Model, not trainable, from RGB float (N, side, side, 3) in [-1, 1] to what these see of edges, corners and
        parts of a face, before pooling: [(N, side - 2, side - 2, 32), (N, h, h, 64), (N, h', h', 64)].
        `set_onet_features` gives it the published weights.
    """
    pictures = keras.Input((side, side, 3), name="pictures")
    x = layers.Rescaling(127.5 / 128, name="normalise")(pictures)
    first = _conv(x, "1", 32, 3)
    second = _conv(_pool(first, "1", 3, "same"), "2", 64, 3)
    third = _conv(_pool(second, "2", 3, "valid"), "3", 64, 3)
    features = keras.Model(pictures, [first, second, third], name="onet_features")
    features.trainable = False
    return features


_BUILDERS = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}


def load_network(name: str) -> keras.Model:
    """Build one of the three networks and give it its published weights.

    Args:
        name: ``pnet``, ``rnet`` or ``onet``.

    Returns:
        The network; call it through `infer`.

    Raises:
        ModelError: the ``mtcnn`` package is missing or its weights are not what they should be.
    """
    model = _BUILDERS[name]()
    path = weights_folder() / f"{name}.lz4"
    arrays = read_weights(path)
    expected = [tuple(w.shape) for w in model.weights]
    # The package stores slopes as (1, 1, channels); here they are (channels,).
    if [int(np.prod(a.shape)) for a in arrays] != [int(np.prod(s)) for s in expected]:
        raise ModelError(
            f"{path} should hold arrays of shapes {expected}. Received: {[a.shape for a in arrays]}. "
            "Reinstall the package: pip install --force-reinstall 'mtcnn>=1.0'"
        )
    _set_weights(model, arrays)
    # XLA recompiles for every shape and is no faster on a CPU; JAX has nothing else.
    model.jit_compile = keras.config.backend() == "jax"
    return model


def set_onet_features(features: keras.Model) -> None:
    """Give `build_onet_features` its published weights.

    Raises:
        ModelError: the ``mtcnn`` package is missing or its weights are not what they should be.
    """
    _set_weights(features, read_weights(weights_folder() / "onet.lz4")[: len(features.weights)])


def _set_weights(model: keras.Model, arrays: Weights) -> None:
    model.set_weights([a.reshape(w.shape) for a, w in zip(arrays, model.weights, strict=True)])
    for layer in model.layers:
        if isinstance(layer, PReLU):
            layer.gentle = bool(keras.ops.convert_to_numpy(layer.slope).max() <= 1)


def infer(model: keras.Model, pixels: npt.NDArray[np.uint8]) -> Weights:
    """Run a network as one compiled call.

    Args:
        model: from `load_network`.
        pixels: RGB uint8 (N, H, W, 3).

    Returns:
        The network's outputs, float32.
    """
    return [np.asarray(output) for output in model.predict_on_batch(pixels)]


def weights_folder() -> Path:
    """Find the weights inside the installed ``mtcnn`` package without importing it (or TensorFlow).

    Raises:
        ModelError: the package is not installed.
    """
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The face detector needs the weights in the mtcnn package: pip install 'mtcnn>=1.0'")
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights"


def read_weights(path: Path) -> Weights:
    """Read a list of arrays that joblib wrote, without running anything the file may ask for.

    The format is a pickle of array headers, each followed by the array's bytes. Every name but those of the
    header, of ``numpy.ndarray`` and of ``numpy.dtype`` is refused.

    Args:
        path: an ``.lz4`` file of the ``mtcnn`` package.

    Returns:
        The arrays, float32, in the order of the network's layers.

    Raises:
        ModelError: the file is missing, damaged or holds anything but float32 arrays.
    """
    advice = "Reinstall the package: pip install --force-reinstall 'mtcnn>=1.0'"
    try:
        stream = io.BytesIO(lz4.frame.decompress(path.read_bytes()))
        headers = _ArrayUnpickler(stream).load()
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} should hold MTCNN weights; reading failed ({error}). {advice}") from error
    if not isinstance(headers, list) or not all(isinstance(h, _ArrayHeader) for h in headers):
        raise ModelError(f"{path} should hold a list of float32 arrays and holds something else. {advice}")
    return [header.array for header in headers]


class _ArrayHeader:
    """Stand-in for joblib's array wrapper: reads the bytes that follow it in the stream."""

    stream: IO[bytes]
    array: npt.NDArray[np.float32]

    def __setstate__(self, state: dict[str, Any]) -> None:
        shape, dtype = tuple(state["shape"]), state["dtype"]
        if dtype != np.dtype("<f4") or state["order"] != "C":
            raise pickle.UnpicklingError(f"expected float32 in C order, got {dtype} {state['order']}")
        if state.get("numpy_array_alignment_bytes") is not None:
            self.stream.read(self.stream.read(1)[0])  # length of the padding, then the padding
        data = self.stream.read(4 * int(np.prod(shape)))
        self.array = np.frombuffer(data, dtype).reshape(shape)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickler that knows array headers and nothing else."""

    def __init__(self, stream: io.BytesIO) -> None:
        # A BytesIO offers no peek(), so the unpickler never reads ahead into an array's bytes.
        super().__init__(stream)
        self._header = type("_StreamHeader", (_ArrayHeader,), {"stream": stream})

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): self._header,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not an array")
        return cast(Any, allowed[module, name])
