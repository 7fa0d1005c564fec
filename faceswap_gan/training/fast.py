"""The step of the fast preset: reconstruct both people, and make the swap move as its footage moves."""

from __future__ import annotations

import keras
from keras import ops

from faceswap_gan.config import LossSettings
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.nn.generator import split_head
from faceswap_gan.nn.losses import neighbour_differences
from faceswap_gan.nn.motion import luma, motion_loss
from faceswap_gan.nn.perceptual import feature_loss
from faceswap_gan.nn.similarity import dssim_loss
from faceswap_gan.training.devices import sum_over_devices
from faceswap_gan.training.networks import Networks
from faceswap_gan.training.steps import Step, Tensors, Terms, to_mask, to_picture

_OUTSIDE = 0.05  # weight of pixels outside the face: hair and collar steady the code but are not painted
_MOUTH_LOOK = 0.1  # weight of the mouth's luma in the look: how open it is on average is the footage's affair
_ENOUGH, _ENOUGH_TAUGHT = 0.8, 0.95  # concordance of motion that is asked for, without a teacher and with one
_MEMORY = 0.95  # share of the mean swap that a step keeps


class FastStep(Step):
    """One update of the fast preset.

    Args:
        networks: encoder and the decoder of both people.
        weights: weights of the losses.
        features: `faces.mtcnn.build_onet_features`; None leaves the perceptual loss out.
    """

    def __init__(self, networks: Networks, weights: LossSettings, features: keras.Model | None = None) -> None:
        terms = ("reconstruction", "structure", "edge", "mask", "motion", "lesson" if weights.lesson else "look")
        more = () if features is None else ("perceptual",)
        super().__init__(networks, weights, (*terms, *more), ("mask_area",))
        self.features = features
        shape = (len(SIDES), *networks["encoder"].input_shape[1:])
        state = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.mean_swap = self.add_weight(name="mean_swap", shape=shape, **state)
        self.mean_swaps_seen = self.add_weight(name="mean_swaps_seen", shape=(len(SIDES),), **state)

    def terms(self, batch: Tensors) -> Terms:
        """Reconstruct both people from warped crops, and swap pairs of frames as they are.

        ``motion`` makes a swap change as its footage changes. ``lesson`` compares it with what a teacher shows. Where
        there is none, ``look`` keeps its mean over frames at the painted person's mean face: ``motion`` alone lets
        the footage's own face through.
        """
        warped, target, masks = (
            ops.concatenate([batch[f"{side}_{name}"] for side in SIDES]) for name in ("warped", "target", "masks")
        )
        pairs, painted = batch["pair_crops"], batch["pair_person"]
        count = batch["src_warped"].shape[0]
        person = ops.concatenate([ops.zeros(count, "int32"), ops.ones(count, "int32"), painted])
        code = self.networks["encoder"](to_picture(ops.concatenate([warped, pairs])), training=True)
        head = split_head(self.networks["decoder"]([code, person], training=True)["head"])
        self._watch(ops.stop_gradient(head.mask), person)
        pair_masks = to_mask(batch["pair_masks"])
        region = ops.concatenate([to_mask(masks[..., 2:3]), pair_masks[..., 2:3]])
        own, first, second = ops.split(head.rgb, [2 * count, 2 * count + pairs.shape[0] // 2])
        target, masks = to_picture(target), to_mask(masks)
        terms = self._reconstruct(target, own, masks)
        terms["mask"] = self.weights_of_losses.mask_shape * ops.mean(ops.binary_crossentropy(region, head.mask))
        taught = self.weights_of_losses.lesson > 0
        footage = to_picture(batch["pair_footage"] if taught else pairs)
        terms["motion"] = self.weights_of_losses.motion * _move(footage, (first, second), pair_masks, taught=taught)
        swaps = ops.concatenate([first, second])
        if taught:
            pictures, trust = to_picture(batch["pair_pictures"]), to_mask(batch["pair_trust"])
            lesson = self._reconstruct(pictures, swaps, pair_masks, trust)
            terms["lesson"] = self.weights_of_losses.lesson * sum(lesson.values())
            seen = pictures, swaps, trust
        else:
            looks = to_picture(batch["looks"])
            terms["look"] = self.weights_of_losses.look * self._look(swaps, painted, pair_masks, looks)
            seen = target, own, masks[..., 2:3]
        if self.features is not None:
            terms["perceptual"] = self.weights_of_losses.features * _compare_features(self.features, *seen)
        return terms

    def _watch(self, masks: keras.KerasTensor, person: keras.KerasTensor) -> None:
        """Count how much of the faces is painted, also of each person's."""
        self.mask_area.update_state(masks)
        areas, painted = ops.mean(masks, axis=(1, 2, 3)), ops.one_hot(person, len(SIDES), dtype="float32")
        for index, side in enumerate(SIDES):
            self.watched[f"mask_area_{side}"].update_state(areas, sample_weight=painted[:, index])

    def _look(
        self,
        rgb: keras.KerasTensor,
        person: keras.KerasTensor,
        masks: keras.KerasTensor,
        looks: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Compare the mean swap with the mean face, (mean swap - mean face)^2 / 2 in the face.

        The mean swap is a running one over steps, as the mean over one step's few frames would count their motion
        as an error; the gradient is that of the true mean, (mean swap - mean face) for each frame.
        """
        chosen = ops.one_hot(person, len(SIDES), dtype="float32")
        number = sum_over_devices(ops.sum(chosen, axis=0))
        total = sum_over_devices(ops.einsum("np,nhwc->phwc", chosen, ops.stop_gradient(rgb)))
        mean = total / _maps(ops.maximum(number, 1.0))
        seen = self.mean_swaps_seen
        keep = ops.where(number > 0, ops.where(seen > 0, _MEMORY, 0.0), 1.0)
        self.mean_swap.assign(_maps(keep) * self.mean_swap + (1.0 - _maps(keep)) * mean)
        seen.assign(seen + number)
        error = ops.stop_gradient(ops.take(self.mean_swap - looks, person, axis=0))
        error = error - (1.0 - _MOUTH_LOOK) * masks[..., 1:2] * luma(error)[..., None]
        pull = error * (rgb - ops.stop_gradient(rgb)) + 0.5 * ops.square(error)
        return ops.mean(ops.sum(masks[..., 2:3] * pull, axis=-1))

    def _reconstruct(
        self,
        target: keras.KerasTensor,
        rgb: keras.KerasTensor,
        masks: keras.KerasTensor,
        trust: keras.KerasTensor | None = None,
    ) -> Terms:
        """Compare colours, structure and edges inside the face, eyes and mouth most; summed over both people.

        Where targets are made up, ``trust`` (N, S, S, 1) in [0, 1] says how far each pixel counts; else hair and
        collar count a little, too.
        """
        weights = self.weights_of_losses
        eyes, mouth, face = (masks[..., index : index + 1] for index in range(3))
        parts = weights.eyes * eyes + weights.mouth * mouth
        region = _OUTSIDE + (1.0 - _OUTSIDE) * face + parts if trust is None else trust * (1.0 + parts)
        differences = zip(neighbour_differences(rgb), neighbour_differences(target), strict=True)
        edges = [ops.mean(ops.abs(a - b) * region[:, :-1, :-1]) for a, b in differences]
        halves = [_halve(image) for image in (target, rgb, region)]
        return {
            "reconstruction": 2.0 * weights.reconstruction * ops.mean(ops.abs(rgb - target) * region),
            "structure": 2.0 * weights.structure * dssim_loss(halves[0], halves[1], halves[2]),
            "edge": 2.0 * weights.edge * (edges[0] + edges[1]),
        }


def _compare_features(
    features: keras.Model, target: keras.KerasTensor, rgb: keras.KerasTensor, trust: keras.KerasTensor
) -> keras.KerasTensor:
    """Compare features of the crop's middle, where the face is; what is not trusted is taken from the target."""
    side = features.input_shape[1]
    beside = (target.shape[1] - side) // 2
    wanted, got, trust = (
        ops.slice(each, (0, beside, beside, 0), (each.shape[0], side, side, each.shape[3]))
        for each in (target, rgb, trust)
    )
    return feature_loss(features, wanted, wanted + trust * (got - wanted))


def _move(
    footage: keras.KerasTensor,
    swaps: tuple[keras.KerasTensor, keras.KerasTensor],
    masks: keras.KerasTensor,
    *,
    taught: bool,
) -> keras.KerasTensor:
    """Compare motion at the eyes and at the mouth with what was filmed; pair i is frames i and P + i.

    A teacher shows what the person looks like, so nearly all motion can be asked for, the finest too. Without one the
    last tenth of it would be bought with the footage's own features.
    """
    pairs = footage.shape[0] // 2
    before_after = (footage[:pairs], footage[pairs:]), swaps
    region = ops.maximum(masks[:pairs], masks[pairs:])
    if not taught:
        before_after, region = keras.tree.map_structure(_halve, (before_after, region))
    enough = _ENOUGH_TAUGHT if taught else _ENOUGH
    return sum(motion_loss(*before_after, region[..., i : i + 1], enough=enough) for i in (0, 1))


def _halve(pictures: keras.KerasTensor) -> keras.KerasTensor:
    return ops.average_pool(pictures, 2, 2, data_format="channels_last")


def _maps(values: keras.KerasTensor) -> keras.KerasTensor:
    """Reshape one value per person (P,) to multiply pictures (P, H, W, C)."""
    return ops.reshape(values, (-1, 1, 1, 1))
