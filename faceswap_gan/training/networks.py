"""The networks of a model by name, and the painter that conversion needs of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers, ops

from faceswap_gan.config import ModelSettings, Precision, Settings
from faceswap_gan.faces.mtcnn import build_onet_features
from faceswap_gan.nn.discriminator import build_discriminator
from faceswap_gan.nn.fast import SIDES, build_fast_decoder, build_fast_encoder
from faceswap_gan.nn.generator import build_decoder, build_encoder
from faceswap_gan.nn.perceptual import build_features

_MIDDLE = 0.75  # part of a crop's side that O-Net sees: there is the face

Networks = dict[str, keras.Model]


def build_networks(
    settings: ModelSettings, *, precision: Precision = "float32", rng: np.random.Generator | None = None
) -> Networks:
    """Build a model's networks with starting weights.

    Args:
        settings: shape of the networks.
        precision: arithmetic of their layers.
        rng: source of the starting weights.

    Returns:
        ``encoder`` and either ``decoder`` (fast) or ``decoder_src``, ``decoder_dst``, ``discriminator_src`` and
        ``discriminator_dst`` (classic).
    """
    rng = np.random.default_rng() if rng is None else rng
    with _policy(precision):
        return _build_fast(settings, rng) if settings.family == "fast" else _build_classic(settings, rng)


def outline_networks(settings: ModelSettings) -> Networks:
    """Build a model's networks without weights: their layers and shapes can be read, nothing can be run.

    Args:
        settings: shape of the networks.
    """
    with keras.StatelessScope(initialize_variables=False):
        return build_networks(settings)


def build_perceptual(settings: Settings) -> keras.Model | None:
    """Build the network of the perceptual loss with weights at random, in the arithmetic of the others.

    Args:
        settings: the model's settings.

    Returns:
        Extractor of `nn.perceptual.build_features`, or `faces.mtcnn.build_onet_features`; None where the settings ask
        for no such loss.
    """
    asked = settings.losses.perceptual
    if asked == "none":
        return None
    with _policy(settings.training.precision):
        if asked == "vggface":
            return build_features(before_activation=settings.losses.perceptual_before_activation)
        return build_onet_features(round(_MIDDLE * settings.model.size))


def build_painter(networks: Networks, side: str) -> keras.Model:
    """Join encoder and decoder: crops float (N, S, S, 3) in [-1, 1] to one person's head (N, S, S, 4).

    Args:
        networks: those of `build_networks`; weights are shared, not copied.
        side: ``src`` or ``dst``: whose face is painted.
    """
    crops = layers.Input(networks["encoder"].input_shape[1:], name="crops")
    return keras.Model(crops, paint(networks, crops, side)["head"], name=f"painter_{side}")


def paint(networks: Networks, crops: keras.KerasTensor, side: str) -> dict[str, keras.KerasTensor]:
    """Encode crops and paint them as one person; returns all that the decoder puts out."""
    code = networks["encoder"](crops, training=False)
    if "decoder" in networks:
        person = ops.zeros_like(code[:, 0], dtype="int32") + SIDES.index(side)
        outputs = networks["decoder"]([code, person], training=False)
    else:
        outputs = networks[f"decoder_{side}"](code, training=False)
    return dict(outputs)


def _build_fast(settings: ModelSettings, rng: np.random.Generator) -> Networks:
    size, width, latent = settings.size, settings.width, settings.latent
    return {
        "encoder": build_fast_encoder(size=size, width=width, latent=latent, rng=rng),
        "decoder": build_fast_decoder(
            size=size, width=width, latent=latent, finest_maps=settings.finest_maps, rng=rng
        ),
    }


def _build_classic(settings: ModelSettings, rng: np.random.Generator) -> Networks:
    size, attention, norm, width = settings.size, settings.attention, settings.norm, settings.width
    encoder = build_encoder(
        size=size, capacity=settings.capacity, attention=attention, norm=norm, width=width, rng=rng
    )
    networks = {"encoder": encoder}
    for side in SIDES:
        networks[f"decoder_{side}"] = build_decoder(
            encoder.output_shape[1:],
            size=size,
            capacity=settings.capacity,
            attention=attention,
            norm=norm,
            width=width,
            rng=rng,
            name=f"decoder_{side}",
        )
        networks[f"discriminator_{side}"] = build_discriminator(
            size=size, attention=attention, norm=norm, width=width, rng=rng, name=f"discriminator_{side}"
        )
    return networks


@contextmanager
def _policy(precision: Precision) -> Iterator[None]:
    """Build layers under a dtype policy and restore the one before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
