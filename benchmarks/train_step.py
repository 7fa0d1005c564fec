"""Time of a training step, per preset and precision, beside the machine's own matrix product and the 2018 step.

    python benchmarks/train_step.py --presets fast classic-64 --precisions float32 bfloat16 [--batch 4]

Prints JSON. For each preset and precision: median seconds a step, images a second (faces of both people, pairs
included), GFLOP/s, and their share of what one product of two 2048 x 2048 matrices reaches in the same precision.
VGGFace's perceptual loss, which the classic presets switch on late, is left out; O-Net's, in fast, is not.
Steps are waited for, so that a GPU's queue hides nothing; training itself does not wait.

The 2018 step is that of the v2.2 model, which runs on TensorFlow 1 alone. Here it is written anew, plainly, on the
same backend and with the same networks: two batches for each person, and four functions one after another, a
discriminator's and a generator's for each person, each a graph and an Adam of its own; the encoder is updated by both
generators. So it has today's Keras, kernels and compiler: the 2018 code itself was slower. Beside it: "two batches",
the same semantics with a person's two players in one function, and "one batch", the step that the package trains
with. All take turns, one step each.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tyro
from keras import ops

from faceswap_gan.config import PRESETS, Precision, Settings
from faceswap_gan.nn.cost import count_flops
from faceswap_gan.nn.fast import SIDES
from faceswap_gan.training.batches import BatchMaker
from faceswap_gan.training.classic import ClassicStep
from faceswap_gan.training.face_set import FEWEST, FaceSet
from faceswap_gan.training.lessons import footage_lessons
from faceswap_gan.training.networks import Networks, build_networks
from faceswap_gan.training.perceptual import read_features
from faceswap_gan.training.steps import build_step, to_picture

Batch = Mapping[str, Any]
Kind = Literal["discriminator", "generator", "both"]
_MATRIX = 2048


def main(
    presets: tuple[str, ...] = ("fast", "classic-64"),
    *,
    precisions: tuple[Precision, ...] = ("float32", "bfloat16"),
    batch: int | None = None,
    rounds: int = 10,
    ancestor: bool = True,
) -> None:
    """Measure and print.

    Args:
        presets: Which.
        precisions: Which.
        batch: Faces of each person in a step; each preset's own by default.
        rounds: Timed steps of each; two before them are not counted.
        ancestor: Also time the 2018 step, at classic-64.
    """
    result: dict[str, Any] = {
        "backend": keras.backend.backend(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "matmul_gflop_per_s": {precision: round(measure_matmul(precision)) for precision in precisions},
    }
    for preset in presets:
        for precision in precisions:
            speed = measure_step(choose(preset, precision, batch), rounds)
            speed["share_of_matmul"] = round(speed["gflop_per_s"] / result["matmul_gflop_per_s"][precision], 3)
            result[f"{preset} {precision}"] = speed
    if ancestor and keras.backend.backend() == "torch":
        result["2018"] = "not measured: torch does not compile, so each of its players would compute all losses"
    elif ancestor:
        result["2018"] = measure_ancestor(batch or 4, precisions, rounds)
    print(json.dumps(result, indent=2))


def choose(preset: str, precision: Precision, batch: int | None) -> Settings:
    """Return a preset with a precision and perhaps another batch."""
    settings = PRESETS[preset]
    training = replace(settings.training, precision=precision, batch=batch or settings.training.batch)
    losses = settings.losses if settings.losses.perceptual == "onet" else replace(settings.losses, perceptual="none")
    return replace(settings, training=training, losses=losses)


def measure_matmul(precision: Precision) -> float:
    """Return GFLOP/s of a large matrix product, the best of ten."""
    first, second = (ops.ones((_MATRIX, _MATRIX), dtype=precision) for _ in range(2))
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        float(ops.matmul(first, second)[0, 0])
        seconds.append(time.perf_counter() - start)
    return 2.0 * _MATRIX**3 / min(seconds[2:]) / 1e9


def measure_step(settings: Settings, rounds: int) -> dict[str, Any]:
    """Time the package's own step."""
    networks = build(settings)
    features = read_features(settings, None)
    step, batch = build_step(networks, settings, features=features), random_batch(settings, seed=0)
    (seconds,) = take_turns([lambda: wait(step, batch)], rounds)
    faces = 2 * (settings.training.batch + settings.training.pairs)
    flops = step_flops(networks, faces)
    if features is not None:  # of targets and of what is painted, whose gradient goes back to the pictures alone
        flops += 3 * 2 * settings.training.pairs * count_flops(features)
    return {
        "batch": settings.training.batch,
        "s_per_step": round(seconds, 4),
        "images_per_s": round(faces / seconds, 1),
        "gflop_per_step": round(flops / 1e9, 1),
        "gflop_per_s": round(flops / seconds / 1e9, 1),
    }


def step_flops(networks: Networks, faces: int) -> int:
    """Count a step's operations: forward once, backward twice as much.

    A discriminator judges two pictures of each face for either player: live for its own, and for the generator's
    without gradients of its weights, which saves a third.
    """
    flops = {name: count_flops(network) for name, network in networks.items()}
    generator = flops["encoder"] + flops.get("decoder", flops.get("decoder_src", 0))
    return faces * (3 * generator + 2 * (3 + 2) * flops.get("discriminator_src", 0))


def measure_ancestor(batch: int, precisions: Sequence[Precision], rounds: int) -> dict[str, Any]:
    """Let the 2018 step, the same in fewer functions, and the package's step take turns at classic-64."""
    settings = choose("classic-64", "float32", batch)
    first, second = (random_batch(settings, seed=seed) for seed in (0, 1))
    networks = build(settings)
    judges = {side: build_player(networks, settings, side, "discriminator") for side in SIDES}
    painters = {side: build_player(networks, settings, side, "generator") for side in SIDES}
    both = {side: build_player(networks, settings, side, "both") for side in SIDES}

    def in_2018() -> None:
        for side in SIDES:
            wait(judges[side], first)
        for side in SIDES:
            wait(painters[side], second)

    def two_batches() -> None:
        for side in SIDES:
            wait(both[side], {**second, **{f"judged_{name}": value for name, value in first.items()}})

    turns: dict[str, Callable[[], None]] = {"the 2018 step, float32": in_2018, "two batches, float32": two_batches}
    for precision in precisions:
        chosen = choose("classic-64", precision, batch)
        step = build_step(build(chosen), chosen)
        turns[f"one batch, {precision}"] = lambda step=step: wait(step, first)  # type: ignore[misc]
    seconds = dict(zip(turns, take_turns(list(turns.values()), rounds), strict=True))
    base = seconds["the 2018 step, float32"]
    return {
        "batch": batch,
        "s_per_iteration": {name: round(each, 3) for name, each in seconds.items()},
        "times_as_fast": {name: round(base / each, 2) for name, each in seconds.items()},
    }


class Player(ClassicStep):  # type: ignore[misc]
    """One person's discriminator, generator or both, each with its own batch: a function of the 2018 step.

    Args:
        networks: of both people.
        settings: of both.
        side: whose.
        player: ``discriminator``, ``generator`` or ``both``.
    """

    def __init__(self, networks: Networks, settings: Settings, side: str, player: str) -> None:
        super().__init__(networks, settings.losses)
        self._person, self._player = side, player
        judge, painter = (f"discriminator_{side}",), ("encoder", f"decoder_{side}")
        names = {"discriminator": judge, "generator": painter, "both": (*painter, *judge)}[player]
        self._own = tuple(id(v) for name in names for v in networks[name].trainable_variables)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The player's own."""
        return [v for v in super().trainable_variables if id(v) in self._own]

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """The player's own."""
        return self.trainable_variables

    @property
    def non_trainable_variables(self) -> list[keras.Variable]:
        """All others."""
        others = [v for v in super().trainable_variables if id(v) not in self._own]
        return [*super().non_trainable_variables, *others]

    def terms(self, batch: Batch) -> dict[str, Any]:
        """Return the player's terms; compiled, what the others need is never computed, as nothing asks for it."""
        found: dict[str, Any] = {}
        if self._player != "generator":
            judged = {name.removeprefix("judged_"): batch[name] for name in batch if name.startswith("judged_")}
            found["discriminator"] = self._act(judged or batch)["discriminator"]
        if self._player != "discriminator":
            terms = self._act(batch)
            found |= {name: value for name, value in terms.items() if name != "discriminator"}
        return found

    def _act(self, batch: Batch) -> dict[str, Any]:
        code = self.networks["encoder"](to_picture(batch[f"{self._person}_warped"]), training=True)
        terms: dict[str, Any] = self._side(self._person, self._see(batch, self._person, code), batch["ratio"][0])
        return terms


def build_player(networks: Networks, settings: Settings, side: str, player: Kind) -> Player:
    """Compile a player with an Adam of its own."""
    step = Player(networks, settings, side, player)
    rates = settings.training
    rate = rates.discriminator_rate if player == "discriminator" else rates.generator_rate
    optimizer = keras.optimizers.Adam(rate, beta_1=rates.beta_1, beta_2=rates.beta_2)
    step.build()
    optimizer.build(step.trainable_variables)
    step.compile(optimizer=optimizer)
    return step


def build(settings: Settings) -> Networks:
    """Build a preset's networks."""
    return build_networks(
        settings.model, precision=settings.training.precision, rng=np.random.default_rng(settings.training.seed)
    )


def random_batch(settings: Settings, *, seed: int) -> Batch:
    """Make a batch of random pictures in the form that the step takes."""
    side = settings.model.size
    pictures = np.random.default_rng(seed).integers(0, 256, (FEWEST, side, side, 3), dtype=np.uint8)
    faces = FaceSet(faces=pictures, masks=pictures, crops=pictures, crop_masks=pictures)
    lessons = {name: footage_lessons(faces) for name in SIDES} if settings.losses.lesson else None
    return BatchMaker({name: faces for name in SIDES}, settings, lessons).make(seed)


def wait(step: keras.Model, batch: Batch) -> None:
    """Make a step and wait for its end."""
    step.train_on_batch(batch)
    float(step.optimizer.iterations.value)


def take_turns(steps: Sequence[Callable[[], None]], rounds: int) -> list[float]:
    """Return median seconds of steps that take turns; two rounds before are not counted."""
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds + 2):
        for each, step in zip(seconds, steps, strict=True):
            start = time.perf_counter()
            step()
            each.append(time.perf_counter() - start)
    return [statistics.median(each[2:]) for each in seconds]


if __name__ == "__main__":
    tyro.cli(main)
