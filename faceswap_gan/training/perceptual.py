"""Network of the perceptual loss: its weights' file found, read, and put into it."""

from __future__ import annotations

import logging
from pathlib import Path

import keras

from faceswap_gan.config import Settings
from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.mtcnn import set_onet_features
from faceswap_gan.media.layer_weights import read_layer_weights
from faceswap_gan.media.weights import find_weights
from faceswap_gan.nn.vggface import set_layer_weights
from faceswap_gan.training.networks import build_perceptual

_NETWORKS = {"classic": "vggface", "fast": "onet"}  # by the model's family

log = logging.getLogger(__name__)


def find_vggface(settings: Settings, given: Path | None) -> Path | None:
    """Find the weights that the perceptual loss needs, and log which.

    Args:
        settings: the model's settings.
        given: the file, where the user names one.

    Returns:
        The file; None where there is no such loss, or its network's weights are installed.

    Raises:
        SettingsError: the model's family knows no such network, or a file is named that nothing reads.
        WeightsError: the file is nowhere and cannot be downloaded.
    """
    asked = settings.losses.perceptual
    choices = ("none", _NETWORKS[settings.model.family])
    if asked not in choices:
        raise SettingsError(
            f"expected --perceptual {' or '.join(choices)} with the preset {settings.preset}, got {asked}; "
            "leave it out."
        )
    if asked != "vggface":
        if given is not None:
            raise SettingsError(f"expected no --vggface-weights with --perceptual {asked}; leave it out.")
        log.info("no perceptual loss" if asked == "none" else "perceptual loss by MTCNN's O-Net")
        return None
    path = given if given is not None else find_weights("vggface")
    log.info("perceptual loss by VGGFace, weights %s", path)
    return path


def check_vggface(settings: Settings, given: Path | None) -> None:
    """Refuse before any work what `find_vggface` and the reading of its file would refuse.

    Raises:
        SettingsError: as `find_vggface`.
        WeightsError: the file is nowhere, or no file of weights.
    """
    file = find_vggface(settings, given)
    if file is not None:
        read_layer_weights(file)


def read_features(settings: Settings, file: Path | None) -> keras.Model | None:
    """Build the network of the perceptual loss with the weights of a file.

    Args:
        settings: the model's settings.
        file: as `find_vggface` found it.

    Returns:
        That of `training.networks.build_perceptual`; None where the settings ask for no such loss.

    Raises:
        WeightsError: the file cannot be read, or it is another network's.
    """
    features = build_perceptual(settings)
    if settings.losses.perceptual == "onet":
        set_onet_features(features)
    elif features is not None and file is not None:
        set_layer_weights(features, read_layer_weights(file))
    return features
