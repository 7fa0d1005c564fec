"""Static HDR tags: the light of the display a film was graded on, and of the film's brightest picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

_PRIMARIES = Fraction(1, 50000)
_LIGHT = Fraction(1, 10000)


@dataclass(frozen=True)
class HdrTags:
    """Mastering display and content light.

    Attributes:
        primaries: x and y of red, green, blue and white on the CIE 1931 chart; None if unstated.
        luminance: darkest and brightest, cd/m²; None if unstated.
        light: MaxCLL and MaxFALL, cd/m²; None if unstated.

    References:
        SMPTE ST 2086 (2018); CTA-861.3-A (2015).
    """

    primaries: tuple[tuple[Fraction, Fraction], ...] | None = None
    luminance: tuple[Fraction, Fraction] | None = None
    light: tuple[int, int] | None = None

    def options(self, encoder: str) -> list[str]:
        """Write the tags as an encoder's parameters, in the order that each wants."""
        names = {
            "libx264": ("mastering-display", "cll"),
            "libx265": ("master-display", "max-cll"),
            "libsvtav1": ("mastering-display", "content-light"),
        }
        if encoder not in names:
            return []
        display, light = names[encoder]
        given = []
        if shown := self._display(floats=encoder == "libsvtav1"):
            given.append(f"{display}={shown}")
        if self.light:
            given.append(f"{light}={self.light[0]},{self.light[1]}")
        return given

    def _display(self, *, floats: bool) -> str:
        def number(value: Fraction, unit: Fraction) -> str:
            return f"{float(value):.6g}" if floats else str(round(value / unit))

        if self.primaries is None or self.luminance is None:
            return ""
        red, green, blue, white = self.primaries
        darkest, brightest = self.luminance
        points = "".join(
            f"{name}({number(x, _PRIMARIES)},{number(y, _PRIMARIES)})"
            for name, (x, y) in (("G", green), ("B", blue), ("R", red), ("WP", white))
        )
        return f"{points}L({number(brightest, _LIGHT)},{number(darkest, _LIGHT)})"


def read_hdr(frame: av.VideoFrame) -> HdrTags | None:
    """Read a frame's static HDR tags; None if it carries none.

    References:
        FFmpeg, libavutil/mastering_display_metadata.h: ten rationals and two flags; two unsigned numbers.
    """
    primaries = luminance = light = None
    for data in frame.side_data:
        if data.type.name == "MASTERING_DISPLAY_METADATA":
            raw = np.frombuffer(bytes(data), dtype="=i4")[:22].tolist()
            rationals = [Fraction(a, b) if b else Fraction(0) for a, b in zip(raw[0:20:2], raw[1:20:2], strict=True)]
            pairs = tuple(zip(rationals[0:8:2], rationals[1:8:2], strict=True))
            primaries = pairs if raw[20] else None
            luminance = (rationals[8], rationals[9]) if raw[21] else None
        elif data.type.name == "CONTENT_LIGHT_LEVEL":
            most, average = np.frombuffer(bytes(data), dtype="=u4")[:2].tolist()
            light = (most, average)
    if primaries is None and luminance is None and light is None:
        return None
    return HdrTags(primaries, luminance, light)
