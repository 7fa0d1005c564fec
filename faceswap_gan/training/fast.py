"""The step of the fast preset: reconstruct both people, and make the swap move as its footage moves."""

from __future__ import annotations

import keras
from keras import ops

from faceswap_gan.config import LossSettings
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import split_head
from faceswap_gan.nn.losses import neighbour_differences
from faceswap_gan.nn.motion import motion_loss
from faceswap_gan.nn.similarity import dssim_loss
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.steps import Step, Tensors, Terms, to_mask, to_picture

_OUTSIDE = 0.15  # weight of pixels outside the face: hair and collar steady the code but are not painted


class FastStep(Step):
    """One update of the fast preset.

    Args:
        networks: encoder and the decoder of both people.
        weights: weights of the losses.
    """

    def __init__(self, networks: Networks, weights: LossSettings) -> None:
        super().__init__(networks, weights, ("reconstruction", "structure", "edge", "mask", "motion"))

    def terms(self, batch: Tensors) -> Terms:
        """Reconstruct both people from warped crops, and swap pairs of frames as they are."""
        warped, target, masks = (
            ops.concatenate([batch[f"{side}_{name}"] for side in SIDES])
            for name in ("warped", "target", "masks")
        )
        pairs, painted = batch["pair_crops"], batch["pair_person"]
        count = batch["src_warped"].shape[0]
        person = ops.concatenate([ops.zeros(count, "int32"), ops.ones(count, "int32"), painted])
        code = self.networks["encoder"](to_picture(ops.concatenate([warped, pairs])), training=True)
        head = split_head(self.networks["decoder"]([code, person], training=True)["head"])
        region = to_mask(ops.concatenate([masks, batch["pair_masks"]])[..., 2:3])
        terms = self._reconstruct(to_picture(target), head.rgb[: 2 * count], to_mask(masks))
        terms["mask"] = self.weights_of_losses.mask_shape * ops.mean(ops.abs(head.mask - region))
        terms["motion"] = self.weights_of_losses.motion * _move(
            to_picture(pairs), head.rgb[2 * count :], to_mask(batch["pair_masks"])
        )
        return terms

    def _reconstruct(
        self, target: keras.KerasTensor, rgb: keras.KerasTensor, masks: keras.KerasTensor
    ) -> Terms:
        """Compare colours, structure and edges inside the face, eyes and mouth most; summed over both people."""
        weights = self.weights_of_losses
        eyes, mouth, face = (masks[..., index : index + 1] for index in range(3))
        region = _OUTSIDE + (1.0 - _OUTSIDE) * face + weights.eyes * eyes + weights.mouth * mouth
        differences = zip(neighbour_differences(rgb), neighbour_differences(target), strict=True)
        edges = [ops.mean(ops.abs(a - b) * region[:, :-1, :-1]) for a, b in differences]
        halves = [
            ops.average_pool(image, 2, 2, data_format="channels_last") for image in (target, rgb, region)
        ]
        return {
            "reconstruction": 2.0 * weights.reconstruction * ops.mean(ops.abs(rgb - target) * region),
            "structure": 2.0 * weights.structure * dssim_loss(halves[0], halves[1], halves[2]),
            "edge": 2.0 * weights.edge * (edges[0] + edges[1]),
        }


def _move(footage: keras.KerasTensor, rgb: keras.KerasTensor, masks: keras.KerasTensor) -> keras.KerasTensor:
    """Compare motion at the eyes and at the mouth; pair i is frames i and P + i."""
    pairs = footage.shape[0] // 2
    region = ops.maximum(masks[:pairs], masks[pairs:])
    return sum(
        motion_loss((footage[:pairs], footage[pairs:]), (rgb[:pairs], rgb[pairs:]), region[..., i : i + 1])
        for i in (0, 1)
    )
