"""The step of the v2.2 model: two decoders with masks against two discriminators, one batch for both players."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from faceswap_gan.config import LossSettings
from faceswap_gan.nn import adversarial, losses
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import Swap, split_outputs
from faceswap_gan.nn.perceptual import perceptual_loss
from faceswap_gan.training.adam import PlayersAdam, exchange_values
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.schedule import Phase
from faceswap_gan.training.steps import Step, Tensors, Terms, reconstruction_terms, to_mask, to_picture

_TERMS = ("adversarial", "reconstruction", "edge", "mask", "cyclic", "perceptual", "discriminator")
_WATCHED = ("mask_area", "discriminator")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Painted:
    """One person's faces of a batch, painted."""

    head: Swap
    sides: list[keras.KerasTensor]
    """Side outputs, from small to large."""
    judged: adversarial.Judged
    """What the discriminator is shown."""
    eyes: keras.KerasTensor
    """Masks of the eyes (N, S, S, 1)."""


class ClassicStep(Step):
    """One update of the v2.2 model.

    What a phase changes are variables of the step, so that no phase needs another compiled function.

    Args:
        networks: encoder, two decoders, two discriminators.
        weights: weights of the losses.
        features: extractor of `nn.perceptual.build_features`; None leaves the perceptual loss out.
    """

    def __init__(self, networks: Networks, weights: LossSettings, features: keras.Model | None = None) -> None:
        optional = {"cyclic": weights.cyclic > 0.0, "perceptual": features is not None}
        super().__init__(networks, weights, tuple(term for term in _TERMS if optional.get(term, True)), _WATCHED)
        self.features = features
        self.mask_floor = self._number("mask_floor", weights.mask_floor)
        self.perceptual = self._number("perceptual", 1.0)
        self.swapped = self._number("swapped", 0.0)

    def begin(self, phase: Phase) -> None:
        """Take on a phase's values; the first phase that asks for it swaps the decoders, which happens once."""
        self.mask_floor.assign(phase.mask_floor)
        self.perceptual.assign(float(phase.perceptual))
        if phase.swapped and not float(ops.convert_to_numpy(self.swapped.value)):
            self._swap_decoders()
            self.swapped.assign(1.0)
            log.info("the decoders change places at %.0f %% of the run", 100.0 * phase.start)

    def terms(self, batch: Tensors) -> Terms:
        """Sum the weighted losses over both people; ``discriminator`` is the other player's."""
        codes = self._encode({side: to_picture(batch[f"{side}_warped"]) for side in SIDES})
        people = {side: self._see(batch, side, codes[side]) for side in SIDES}
        sums: Terms = {}
        for side, painted in people.items():
            for name, value in self._side(side, painted, batch["ratio"][0]).items():
                sums[name] = sums[name] + value if name in sums else value
        if self.features is not None:
            sums["perceptual"] = self._compare_features(list(people.values()), batch["blend"][0])
        return sums

    def _number(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            name=name, shape=(), initializer=keras.initializers.Constant(value), trainable=False, dtype="float32"
        )

    def _see(self, batch: Tensors, side: str, code: keras.KerasTensor) -> _Painted:
        """Paint a person's warped crops, whose code is given, as that person."""
        warped, target = (to_picture(batch[f"{side}_{name}"]) for name in ("warped", "target"))
        head, sides = split_outputs(self.networks[f"decoder_{side}"](code, training=True))
        for mean in (self.mask_area, self.watched[f"mask_area_{side}"]):
            mean.update_state(ops.stop_gradient(head.mask))
        judged = adversarial.Judged(target=target, warped=warped, masked=head.over(warped), rgb=head.rgb)
        return _Painted(head, sides, judged, to_mask(batch[f"{side}_masks"][..., 0:1]))

    def _encode(self, crops: dict[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
        """Encode both people at once, as weights take most of the time; apart where a batch shares statistics."""
        encoder = self.networks["encoder"]
        if any(isinstance(layer, keras.layers.BatchNormalization) for layer in encoder.layers):
            return {side: encoder(crops[side], training=True) for side in SIDES}
        codes = encoder(ops.concatenate([crops[side] for side in SIDES]), training=True)
        return dict(zip(SIDES, ops.split(codes, len(SIDES)), strict=True))

    def _side(self, side: str, painted: _Painted, ratio: keras.KerasTensor) -> Terms:
        weights, head, target = self.weights_of_losses, painted.head, painted.judged.target
        generator, discriminator = self._play(side, painted.judged, ratio)
        terms = reconstruction_terms(weights, target, head.rgb, painted.eyes)
        terms["reconstruction"] += weights.reconstruction * losses.sides_loss(target, painted.sides)
        terms["adversarial"] = weights.adversarial * generator
        terms["mask"] = self._mask(head)
        if weights.cyclic:
            terms["cyclic"] = weights.cyclic * self._cycle(target, side)
        terms["discriminator"] = discriminator
        self.watched[f"discriminator_{side}"].update_state(ops.stop_gradient(discriminator))
        return terms

    def _compare_features(self, people: list[_Painted], blend: keras.KerasTensor) -> keras.KerasTensor:
        """Sum the perceptual losses of both people in one pass; outside its phases it is not even computed.

        One blend of the colours with and without the mask is compared instead of each of them, as in v2.2.
        """
        seen = [each.judged for each in people]
        target = ops.concatenate([each.target for each in seen])
        painted = ops.concatenate([blend * each.rgb + (1.0 - blend) * each.masked for each in seen])
        wanted = self.perceptual > 0.5
        if keras.backend.backend() == "torch" and self.phase is not None:
            wanted = self.phase.perceptual  # nothing is compiled: a plain truth need not wait for the device
        return ops.cond(
            wanted,
            lambda: len(seen) * perceptual_loss(self.features, target, painted),
            lambda: ops.zeros((), "float32"),
        )

    def _swap_decoders(self) -> None:
        src, dst = (self.networks[f"decoder_{side}"] for side in SIDES)
        exchange_values(src.variables, dst.variables)
        if self.average is not None:
            with self.average.applied():
                exchange_values(src.variables, dst.variables)
        optimizer: Any = self.optimizer
        adam: PlayersAdam = getattr(optimizer, "inner_optimizer", optimizer)  # the loss scale's inner one
        adam.exchange(src.trainable_variables, dst.trainable_variables)

    def _paint(self, crops: keras.KerasTensor, side: str) -> Tensors:
        code = self.networks["encoder"](crops, training=True)
        outputs: Tensors = self.networks[f"decoder_{side}"](code, training=True)
        return outputs

    def _play(
        self, side: str, judged: adversarial.Judged, ratio: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the generator's and the discriminator's loss; neither's gradient reaches the other player."""
        network = self.networks[f"discriminator_{side}"]
        still = adversarial.Judged(
            target=judged.target,
            warped=judged.warped,
            masked=ops.stop_gradient(judged.masked),
            rgb=ops.stop_gradient(judged.rgb),
        )

        def live(pairs: keras.KerasTensor) -> keras.KerasTensor:
            return network(pairs, training=True)

        frozen = freeze(network)
        if self.weights_of_losses.gan == "relativistic":
            return (
                adversarial.relativistic_generator_loss(frozen, judged),
                adversarial.relativistic_discriminator_loss(live, still),
            )
        return (
            adversarial.mixup_generator_loss(frozen, judged),
            adversarial.mixup_discriminator_loss(live, still, ratio),
        )

    def _mask(self, head: Swap) -> keras.KerasTensor:
        weights = self.weights_of_losses
        size = ops.where(
            self.mask_floor > 0.0,
            weights.mask_hinge * losses.mask_hinge_loss(head.mask, self.mask_floor),
            weights.mask_l1 * losses.mask_l1_loss(head.mask),
        )
        return size + weights.mask_variation * losses.mask_variation_loss(head.mask)

    def _cycle(self, target: keras.KerasTensor, side: str) -> keras.KerasTensor:
        other = next(name for name in SIDES if name != side)
        there, _ = split_outputs(self._paint(target, other))
        back, _ = split_outputs(self._paint(there.rgb, side))
        return losses.cyclic_loss(target, back.rgb, first_mask=there.mask, second_mask=back.mask)


def freeze(network: keras.Model) -> Callable[[keras.KerasTensor], keras.KerasTensor]:
    """Give a network as a function whose gradient reaches its input but not its weights."""

    def call(inputs: keras.KerasTensor) -> keras.KerasTensor:
        trained = [ops.stop_gradient(ops.convert_to_tensor(v)) for v in network.trainable_variables]
        kept = [ops.convert_to_tensor(v) for v in network.non_trainable_variables]
        outputs, _ = network.stateless_call(trained, kept, inputs, training=True)
        return outputs

    return call
