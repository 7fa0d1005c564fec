"""The step of the v2.2 model: two decoders with masks against two discriminators, one batch for both players."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

from faceswap_gan.config import LossSettings
from faceswap_gan.nn import adversarial, losses
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import Swap, split_outputs
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.steps import Step, Tensors, Terms, reconstruction_terms, to_mask, to_picture

_TERMS = ("adversarial", "reconstruction", "edge", "mask", "cyclic", "discriminator")


class ClassicStep(Step):
    """One update of the v2.2 model.

    Args:
        networks: encoder, two decoders, two discriminators.
        weights: weights of the losses.
    """

    def __init__(self, networks: Networks, weights: LossSettings) -> None:
        terms = tuple(term for term in _TERMS if term != "cyclic" or weights.cyclic)
        super().__init__(networks, weights, terms)

    def terms(self, batch: Tensors) -> Terms:
        """Sum the weighted losses over both people; ``discriminator`` is the other player's."""
        sums: Terms = {}
        for side in SIDES:
            for name, value in self._side(batch, side).items():
                sums[name] = sums[name] + value if name in sums else value
        return sums

    def _side(self, batch: Tensors, side: str) -> Terms:
        weights = self.weights_of_losses
        warped, target = (to_picture(batch[f"{side}_{name}"]) for name in ("warped", "target"))
        eyes = to_mask(batch[f"{side}_masks"][..., 0:1])
        head, sides = split_outputs(self._paint(warped, side))
        self.mask_area.update_state(ops.stop_gradient(head.mask))
        judged = adversarial.Judged(target=target, warped=warped, masked=head.over(warped), rgb=head.rgb)
        generator, discriminator = self._play(side, judged, batch["ratio"][0])
        terms = reconstruction_terms(weights, target, head.rgb, eyes)
        terms["reconstruction"] += weights.reconstruction * losses.sides_loss(target, sides)
        terms["adversarial"] = weights.adversarial * generator
        terms["mask"] = self._mask(head)
        if weights.cyclic:
            terms["cyclic"] = weights.cyclic * self._cycle(target, side)
        terms["discriminator"] = discriminator
        return terms

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
        size = (
            weights.mask_hinge * losses.mask_hinge_loss(head.mask, weights.mask_floor)
            if weights.mask_hinge
            else weights.mask_l1 * losses.mask_l1_loss(head.mask)
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
