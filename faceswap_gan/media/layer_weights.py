"""Weights by layer from an HDF5 file in the layout of Keras 1 and 2, which Keras 3 reads no more by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from faceswap_gan.errors import WeightsError

LayerWeights = dict[str, list[NDArray[np.float32]]]
"""Arrays of each layer that has any, by the layer's name, in the layer's order."""


def read_layer_weights(file: Path) -> LayerWeights:
    """Read the weights of every layer.

    The file's attribute ``layer_names`` lists its groups, one a layer, and each group's attribute ``weight_names``
    lists its data sets; the names may hold slashes.

    Args:
        file: written by ``Model.save_weights`` or ``Model.save`` of Keras 1 or 2.

    Raises:
        WeightsError: the file cannot be read, or it is no such file.
    """
    if not file.is_file():
        raise WeightsError(f"expected a file of weights, got {file}, which is none; check the path.")
    try:
        with h5py.File(file, "r") as root:
            model = root if "layer_names" in root.attrs else root["model_weights"]
            layers = {name: _read_layer(model[name]) for name in _names(model, "layer_names")}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"expected weights in Keras's HDF5 layout (layer_names, weight_names), got {file} "
            f"({str(error).splitlines()[0]}); get the file anew."
        ) from error
    return {name: arrays for name, arrays in layers.items() if arrays}


def _read_layer(group: Any) -> list[NDArray[np.float32]]:
    return [np.asarray(group[name], dtype=np.float32) for name in _names(group, "weight_names")]


def _names(group: Any, attribute: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]
