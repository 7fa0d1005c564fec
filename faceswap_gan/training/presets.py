"""Table of the presets: what each costs and when to use which."""

from __future__ import annotations

from faceswap_gan.config import PRESETS, Settings
from faceswap_gan.nn.cost import count_flops
from faceswap_gan.training.memory import step_bytes
from faceswap_gan.training.networks import outline_networks

USES = {
    "fast": "two CPU cores and half an hour; follows dst's expression best",
    "quality": "one GPU and an evening; fast's design at twice the size, 2.7 times as wide",
    "classic-64": "the v2.2 model as it was; a GPU and an evening",
    "classic-128": "the same, twice as fine; a GPU and a night",
    "classic-256": "the same, four times as fine; a large GPU and a day",
    "classic-lite-64": "the v2.2 model at half width; a CPU and a night",
    "classic-lite-128": "the same, twice as fine; a small GPU",
    "classic-lite-256": "the same, four times as fine; a GPU",
}
"""When to use a preset, by its name."""

_HEAD = ("preset", "size", "generator", "discriminators", "GFLOP/image", "batch", "memory", "when")


def preset_table() -> str:
    """Draw a table of all presets, a line each.

    Generator and discriminators are in millions of weights. GFLOP/image is what painting one face takes, encoder and
    one decoder forward (`nn.cost.count_flops`). Memory is `training.memory.step_bytes` of the preset's own batch.
    """
    rows = [_HEAD, *(_row(settings) for settings in PRESETS.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _row(settings: Settings) -> tuple[str, ...]:
    networks = outline_networks(settings.model)
    millions = {name: network.count_params() / 1e6 for name, network in networks.items()}
    judges = sum(number for name, number in millions.items() if "discriminator" in name)
    painters = [network for name, network in networks.items() if name in ("encoder", "decoder", "decoder_src")]
    return (
        settings.preset,
        f"{settings.model.size} px",
        f"{sum(millions.values()) - judges:.1f} M",
        f"{judges:.1f} M" if judges else "none",
        f"{sum(count_flops(network) for network in painters) / 1e9:.2f}",
        str(settings.training.batch),
        f"{step_bytes(settings, networks) / 2**30:.1f} GiB",
        USES[settings.preset],
    )
