"""The discriminator judges 8 x 8 patches at every size."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from faceswap_gan.nn.discriminator import build_discriminator


@pytest.mark.parametrize(("size", "maps"), [(64, 1), (128, 2), (256, 3)])
def test_logits(size, maps, rng):
    model = build_discriminator(size=size, width=8)
    pairs = rng.uniform(-1, 1, (2, size, size, 6)).astype("float32")
    logits = ops.convert_to_numpy(model(pairs))
    assert logits.shape == (2, 8, 8, 1)
    assert logits.std() > 0
    assert sum("attention" in layer.name for layer in model.layers) == maps


def test_last_layer_is_linear_without_bias_or_decay():
    layer = build_discriminator(size=64, width=8).get_layer("logits")
    assert not layer.use_bias
    assert layer.kernel_regularizer is None
    assert layer.activation(np.float32(-3)) == -3
