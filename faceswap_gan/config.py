"""Frozen settings of a model and its training, and presets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from faceswap_gan.errors import SettingsError

Precision = Literal["float32", "bfloat16", "float16"]
Sampling = Literal["pictures", "yaw", "expression"]

Perceptual = Literal["none", "vggface", "onet"]

TeacherChoice = Literal["none", "mesh"]
Teacher = Literal["none", "mesh", "footage"]


@dataclass(frozen=True)
class ModelSettings:
    """Shape of the networks."""

    family: Literal["classic", "fast"] = "classic"
    """classic: the v2.2 networks with discriminators; fast: one small decoder that both people share."""
    size: int = 64
    """Side of the crops that the network sees and paints, px."""
    capacity: Literal["standard", "lite"] = "standard"
    """classic: full or half width."""
    attention: bool = True
    """classic: self-attention on or off."""
    norm: Literal["instancenorm", "batchnorm", "layernorm", "groupnorm", "none", "hybrid"] = "instancenorm"
    """classic: normalisation of the blocks."""
    width: int = 64
    """Channels of the first block (classic), of the finest decoder stage (fast)."""
    latent: int = 256
    """fast: length of the code."""
    finest_maps: int = 32
    """fast: side of the finest maps by which a person scales and shifts features, px; size: the picture, too."""


@dataclass(frozen=True)
class LossSettings:
    """Weights of the losses; what a family does not use it ignores."""

    adversarial: float = 0.1
    """Discriminators' verdict on the generator."""
    gan: Literal["mixup", "relativistic"] = "mixup"
    """Kind of adversarial loss."""
    reconstruction: float = 1.0
    """Mean absolute error."""
    eyes: float = 30.0
    """Weight of the eye mask."""
    mouth: float = 0.0
    """Weight of the mouth mask (fast)."""
    edge: float = 0.1
    """Edges."""
    structure: float = 0.0
    """Structural dissimilarity (fast)."""
    motion: float = 0.0
    """Changes of the swap against changes of the footage (fast)."""
    look: float = 0.0
    """Mean swap against the painted person's mean face (fast)."""
    lesson: float = 0.0
    """Swaps against what a teacher shows (fast)."""
    mask_l1: float = 0.01
    """Size of the mask."""
    mask_hinge: float = 0.1
    """Shortfall of the mask below mask_floor; replaces mask_l1 where the floor is above 0."""
    mask_floor: float = 0.0
    """Value of the mask from which the hinge costs nothing; the classic schedules set it themselves."""
    mask_variation: float = 0.1
    """Roughness of the mask."""
    mask_shape: float = 0.0
    """Cross-entropy of the mask with the face's region (fast)."""
    cyclic: float = 0.0
    """Swap and swap back; v2.2 has 10 where it is on."""
    perceptual: Perceptual = "none"
    """Network whose features of the painted face and its target are compared: vggface (classic) or MTCNN's O-Net
    (fast)."""
    features: float = 0.0
    """Features of swaps and their lessons, without a teacher of people's own faces, by that network (fast)."""
    perceptual_before_activation: bool = False
    """Take those features before the activations."""


@dataclass(frozen=True)
class Augmentation:
    """How much samples vary.

    The defaults are the v2.2 model's, but for a zoom by another 11 %: it took a part of random size out of each crop,
    which is taken whole here, as conversion does. It also took half of the colours from the same person's faces.
    """

    rotation: float = 10.0
    """Largest turn to either side, degrees."""
    zoom: float = 0.1
    """Largest change of scale: it is drawn between 1 - zoom and 1 + zoom."""
    shift: float = 0.05
    """Largest shift along each axis, in sides of the crop."""
    flip: float = 0.5
    """Probability that a sample is mirrored."""
    warp: float = 1.0
    """Strength of the warp that the network must undo; at 1 a node of the 5 x 5 grid is displaced along each
    axis by a normal deviate of 5 to 6.2 px on a crop of 256 px."""
    color_match: float = 0.5
    """Probability that a sample takes on the colours of another face, in part."""
    motion_blur: float = 0.0
    """Probability that both pictures of a sample are blurred along one random direction; v2.2's is 0.25 when it
    is switched on."""


@dataclass(frozen=True)
class TrainSettings:
    """How the networks are fitted."""

    batch: int = 8
    """Faces of each person in a step."""
    pairs: int = 0
    """fast: pairs of frames a step, on which a swap is compared with its footage's motion and with its lessons."""
    teacher: Teacher = "none"
    """fast: what shows swaps as they should be: mesh, the other person's pictures bent by a face mesh; footage, the
    picture itself, as pretraining has the same people twice."""
    generator_rate: float = 1e-4
    """Adam's rate of the generator."""
    discriminator_rate: float = 2e-4
    """Adam's rate of the discriminators."""
    beta_1: float = 0.5
    """Adam's decay of the mean gradient."""
    beta_2: float = 0.999
    """Adam's decay of the mean squared gradient."""
    muon: float = 0.0
    """fast: rate of Muon, which updates the kernels of convolutions, in parts of generator_rate; 0: Adam does."""
    schedule: Literal["constant", "cosine", "classic", "classic-lite"] = "constant"
    """Course of the rates: as they are; a warm-up and half a cosine down to 4 %; or v2.2's phases, those of its own
    notebook or of its Colab notebook, which set the mask's loss and the perceptual loss, too."""
    swap_decoders: bool = False
    """classic schedules: let the people's decoders change places once, late in the run, as v2.2 does."""
    clip_norm: float = 0.0
    """Largest norm of each player's whole gradient; 0: any."""
    precision: Precision = "float32"
    """Arithmetic of the layers; weights and losses are float32 always. float16 scales the loss."""
    ema: float = 0.0
    """Decay of the moving average of the generator's weights, which preview and conversion use; 0: none."""
    held_out: float = 0.05
    """Share of each person's faces, the last ones, that are never trained on but measured; none below 200 faces."""
    balance: float = 0.0
    """Share of faces drawn evenly over kinds of face (pose, expression) rather than over frames."""
    sampling: Sampling = "pictures"
    """What makes a kind of face: all of the picture, the head's turn, or what eyes and mouth look like."""
    clean: bool = False
    """Draw no blurred face and no near-duplicate of another; pairs of frames keep them."""
    seed: int = 0
    """Seed of everything random."""


@dataclass(frozen=True)
class Settings:
    """All that travels with a model in its config.toml; holds no path."""

    preset: str = "classic-64"
    """Name of the preset that these settings began as."""
    model: ModelSettings = field(default_factory=ModelSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: TrainSettings = field(default_factory=TrainSettings)

    def to_toml(self) -> str:
        """Write the settings as TOML."""
        lines = [f"preset = {json.dumps(self.preset)}"]
        for name in ("model", "losses", "augmentation", "training"):
            lines += ["", f"[{name}]"]
            lines += [f"{key} = {json.dumps(value)}" for key, value in asdict(getattr(self, name)).items()]
        return "\n".join(lines) + "\n"


_RATE_WITHOUT_TEACHER = 4e-4

_FAST = Settings(
    preset="fast",
    model=ModelSettings(family="fast", size=128, width=24, latent=256, finest_maps=128),
    losses=LossSettings(
        reconstruction=1.0,
        eyes=2.0,
        mouth=3.0,
        edge=0.5,
        structure=2.0,
        motion=0.5,
        lesson=1.0,
        mask_shape=0.5,
        perceptual="onet",
        features=12.0,
    ),
    augmentation=Augmentation(rotation=1.5, zoom=0.02, shift=0.01, warp=0.15, color_match=0.0),
    training=TrainSettings(
        batch=2,
        pairs=6,
        teacher="mesh",
        generator_rate=8e-4,
        beta_2=0.99,
        muon=5.0,
        schedule="cosine",
        precision="bfloat16",
        balance=0.5,
    ),
)

_QUALITY = replace(
    _FAST,
    preset="quality",
    model=replace(_FAST.model, size=256, width=64, latent=512, finest_maps=256),
    training=replace(_FAST.training, batch=4, pairs=12, generator_rate=3e-4, ema=0.999),
)


def _classic(size: int, capacity: Literal["standard", "lite"]) -> Settings:
    lite = capacity == "lite"
    return Settings(
        preset=f"classic-{'lite-' if lite else ''}{size}",
        model=ModelSettings(size=size, capacity=capacity, norm="hybrid" if lite else "instancenorm"),
        losses=LossSettings(perceptual="vggface", perceptual_before_activation=lite),
        training=TrainSettings(batch=4 if lite else 8, schedule="classic-lite" if lite else "classic"),
    )


PRESETS: dict[str, Settings] = {
    settings.preset: settings
    for settings in (
        _FAST,
        _QUALITY,
        *(_classic(size, "standard") for size in (64, 128, 256)),
        *(_classic(size, "lite") for size in (64, 128, 256)),
    )
}
"""Every preset by its name."""


def without_teacher(settings: Settings) -> Settings:
    """Give settings that have a teacher those that are best without.

    The mean face stands in for its lessons. It holds the painted person less firmly than they do: asked for as much
    motion, a swap would take it from the footage's own face. Batch, pairs and rate are those
    with which training without one was tried.
    """
    faces = settings.training.batch + settings.training.pairs
    return replace(
        settings,
        losses=replace(settings.losses, lesson=0.0, look=8.0, motion=0.06),
        training=replace(
            settings.training,
            teacher="none",
            batch=faces - faces // 2,
            pairs=faces // 2,
            generator_rate=min(settings.training.generator_rate, _RATE_WITHOUT_TEACHER),
        ),
    )


def find_preset(name: str) -> Settings:
    """Look a preset up.

    Raises:
        SettingsError: there is none of that name.
    """
    if name not in PRESETS:
        raise SettingsError(f"expected a preset ({', '.join(PRESETS)}), got {name!r}; choose one of these.")
    return PRESETS[name]
