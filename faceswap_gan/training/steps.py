"""One update of both players: what a step sees, what it paints, and the loss that its gradient comes from.

A step is a stock `keras.Model` that overrides `compute_loss` alone, so that one code path trains on every backend.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
from keras import ops

from faceswap_gan.config import LossSettings, Settings
from faceswap_gan.errors import SettingsError
from faceswap_gan.nn import losses
from faceswap_gan.nn.fast import OUTPUT, SIDES
from faceswap_gan.training.adam import PlayersAdam
from faceswap_gan.training.average import WeightAverage
from faceswap_gan.training.devices import count_parts, split_batch, spread_batch
from faceswap_gan.training.muon import Muon
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.schedule import Phase

Tensors = Mapping[str, keras.KerasTensor]
Terms = dict[str, keras.KerasTensor]


class Step(keras.Model):  # type: ignore[misc]
    """Base of both families' steps.

    Args:
        networks: those of `training.networks.build_networks`.
        weights: weights of the losses.
        terms: names of the loss terms, in the order of the log.
        watched: of what else is told of each person, for the guard: ``mask_area``, ``discriminator``.
    """

    def __init__(
        self, networks: Networks, weights: LossSettings, terms: tuple[str, ...], watched: tuple[str, ...]
    ) -> None:
        super().__init__(name="step")
        self.networks = networks
        self.distribution = keras.distribution.distribution()
        self.weights_of_losses = weights
        self.phase: Phase | None = None
        self.means = {name: keras.metrics.Mean(name=name) for name in terms}
        self.mask_area = keras.metrics.Mean(name="mask_area")
        names = [f"{name}_{side}" for name in watched for side in SIDES]
        self.watched = {name: keras.metrics.Mean(name=name) for name in names}
        self.average: WeightAverage | None = None

    @property
    def state_variables(self) -> list[keras.Variable]:
        """What a checkpoint needs beside the networks' weights: variables of optimizer, step and running means."""
        return [*self.optimizer.variables, *self._non_trainable_variables, *self.metrics_variables]

    @property
    def watched_variables(self) -> list[keras.Variable]:
        """The last of these, as Keras keeps metrics in order; checkpoints of before them lack them."""
        return [variable for mean in self.watched.values() for variable in mean.variables]

    def reset_metrics(self) -> None:
        """Nothing: Keras asks for it before each step, but a report tells means over many; see `restart_means`."""

    def restart_means(self) -> None:
        """Begin the means of the loss terms anew."""
        super().reset_metrics()

    def read_means(self) -> dict[str, float]:
        """Fetch means since `restart_means`: of the loss, of each term and of the mask; waits for the device."""
        return {metric.name: float(metric.result()) for metric in self.metrics}

    def averaged(self) -> AbstractContextManager[None]:
        """Let the networks hold the moving average of their weights for a while, where there is one.

        Checkpoints are written and read so: the networks' files hold what paints, the step's what is trained.
        """
        return nullcontext() if self.average is None else self.average.applied()

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, float]:
        """Nothing: what this returns Keras fetches after each step, waiting for the device; see `read_means`."""
        return {}

    def enter(self, phase: Phase) -> None:
        """Take on a phase's values, if it is another than before."""
        if phase != self.phase:
            self.phase = phase
            self.begin(phase)

    def begin(self, phase: Phase) -> None:
        """Take on a phase's values: nothing where a family knows none."""

    def build(self, input_shape: Any = None) -> None:
        """Nothing: the networks come built."""
        self.built = True

    def call(self, x: Tensors, training: bool = False) -> keras.KerasTensor:
        """Give a placeholder: `compute_loss` runs the networks, as only it may see their targets."""
        return ops.zeros((1,))

    def train_on_batch(self, x: Any, *args: Any, **more: Any) -> Any:
        """Make a step with a batch of `training.batches`, on all devices that the step was built on."""
        return super().train_on_batch(split_batch(self, x), *args, **more)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Sum the weighted losses of a batch and remember each term's mean.

        Args:
            x: batch of `training.batches`; pictures and masks uint8.
            y: not used.
            y_pred: not used.
            sample_weight: not used.
            training: always True.

        Returns:
            Scalar float32.
        """
        if self.average is not None:
            self.average.update()
        batch = {name: ops.convert_to_tensor(value) for name, value in x.items()}
        terms = self.terms(spread_batch(self.distribution, batch))
        for name, value in terms.items():
            self.means[name].update_state(ops.stop_gradient(value))
        # TensorFlow adds up what each device's part of the batch gives
        return sum(terms.values(), start=sum(self.losses, start=ops.zeros(()))) / count_parts()

    @abstractmethod
    def terms(self, batch: Tensors) -> Terms:
        """Return the weighted loss terms of a batch, by name, and count its masks, and each person's in `watched`."""


def build_step(networks: Networks, settings: Settings, *, features: keras.Model | None = None) -> Step:
    """Make the step of a model's family, compiled with its optimizer.

    Args:
        networks: the model's networks.
        settings: the model's settings.
        features: of `training.networks.build_perceptual`, where the settings ask for a perceptual loss.

    Raises:
        SettingsError: the settings ask for a perceptual loss and there are no features, or the other way round.
    """
    from faceswap_gan.training.classic import ClassicStep
    from faceswap_gan.training.fast import FastStep

    if (settings.losses.perceptual == "none") != (features is None):
        got = "none" if features is None else "some"
        raise SettingsError(f"perceptual is {settings.losses.perceptual}, got {got} features; give both or neither.")
    if settings.model.family == "fast":
        step: Step = FastStep(networks, settings.losses, features)
    else:
        step = ClassicStep(networks, settings.losses, features)
    rates = settings.training
    optimizer = _make_optimizer(networks, settings)
    if rates.precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if rates.ema:
        painting = [v for name in networks if "discriminator" not in name for v in networks[name].weights]
        step.average = WeightAverage(step, [v for v in painting if v.dtype == "float32"], rates.ema)
    step.build()
    optimizer.build(step.trainable_variables)
    step.compile(optimizer=optimizer)
    return step


def _make_optimizer(networks: Networks, settings: Settings) -> keras.optimizers.Optimizer:
    """Make Adam for both players, with Muon for the painting networks' kernels where the settings ask for it."""
    rates = settings.training
    players: dict[str, Any] = {
        "other": [v for name in networks if "discriminator" in name for v in networks[name].trainable_variables],
        "ratio": rates.discriminator_rate / rates.generator_rate,
        "clip_norm": rates.clip_norm,
        "beta_1": rates.beta_1,
        "beta_2": rates.beta_2,
    }
    if not rates.muon:
        return PlayersAdam(rates.generator_rate, **players)
    inner = [v for network in networks.values() for v in network.trainable_variables if not v.path.startswith(OUTPUT)]
    return Muon(rates.generator_rate, kernels=inner, boost=rates.muon, **players)


def to_picture(bytes_: keras.KerasTensor) -> keras.KerasTensor:
    """Turn uint8 pictures into float32 in [-1, 1]."""
    return ops.cast(bytes_, "float32") / 127.5 - 1.0


def to_mask(bytes_: keras.KerasTensor) -> keras.KerasTensor:
    """Turn uint8 masks into float32 in [0, 1]."""
    return ops.cast(bytes_, "float32") / 255.0


def reconstruction_terms(
    weights: LossSettings, target: keras.KerasTensor, rgb: keras.KerasTensor, eyes: keras.KerasTensor
) -> Terms:
    """Compare a painted face with its target as v2.2 does: colours, and edges, both also at the eyes."""
    return {
        "reconstruction": weights.reconstruction * losses.reconstruction_loss(target, rgb)
        + weights.eyes * losses.eyes_loss(target, rgb, eyes),
        "edge": weights.edge * losses.edge_loss(target, rgb)
        + weights.eyes * losses.edge_eyes_loss(target, rgb, eyes),
    }
