"""Settings of how a painted face is laid into its frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from faceswap_gan.errors import SettingsError

ColorMethod = Literal["none", "mean_std", "mean_std_xyz", "histogram", "lab", "sot"]
Blend = Literal["feather", "seamless", "laplacian"]

FACE = 0.526
"""Width of a face in parts of its aligned crop's side; lengths below are in widths of the face."""

_LIMITS = {
    "erode": (-0.3, 0.3), "feather": (0.0, 0.5), "deflicker": (0.0, 0.1), "sharpen": (0.0, 2.0), "detail": (0.0, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class FinishSettings:
    """Colour, edge and surface of the painted face. Every length is relative to the face, none is in px.

    Raises:
        SettingsError: a value outside its range.
    """

    color: ColorMethod = "mean_std"
    """How the painted face takes on the colours of the one it covers: nothing; mean and deviation per channel of
    RGB, or of XYZ; each channel's whole distribution; mean and deviation in CIELAB; sliced optimal transport."""
    blend: Blend = "feather"
    """How it meets the frame: a soft edge; the frame's colours at the edge spread over the face (Poisson); or each
    band of detail with an edge as wide as its own waves (Laplacian pyramid)."""
    coverage: float = 0.95
    """Part of the crop's side that may be painted, above 0 and at most 1."""
    erode: float = 0.0
    """How far the painted region is drawn in, in widths of the face, -0.3 to 0.3; negative lets it grow."""
    feather: float = 0.0
    """How far inwards its edge is softened beyond what the network paints, in widths of the face, 0 to 0.5."""
    deflicker: float = 0.025
    """Deviation, in s, of the Gaussian by which a painted face is averaged with those of the frames before and after,
    0 to 0.1; 0 paints every frame by itself."""
    sharpen: float = 0.0
    """Amount of unsharp masking, 0 to 2."""
    detail: float = 1.0
    """How much of the frame's own finest detail is laid over the painted skin, 0 to 1: pores, stubble, rims of
    glasses. Eyes, brows, nostrils and mouth are left as they are painted."""
    match_grain: bool = False
    """Give the painted face the sharpness and the noise of the frame."""

    def __post_init__(self) -> None:
        _choice("color", self.color, get_args(ColorMethod))
        _choice("blend", self.blend, get_args(Blend))
        if not 0 < self.coverage <= 1:
            raise SettingsError(
                f"expected --coverage above 0 and at most 1, got {self.coverage}; 0.95 suits most faces."
            )
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"expected --{name} of {low:g} to {high:g}, got {value:g}.")


def _choice(name: str, got: str, known: tuple[str, ...]) -> None:
    if got not in known:
        raise SettingsError(f"expected --{name} {', '.join(known[:-1])} or {known[-1]}, got {got!r}.")
