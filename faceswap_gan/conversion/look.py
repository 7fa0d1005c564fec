"""Colour and surface of one painted person, steady from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.color import SteadyColor, match
from faceswap_gan.conversion.finish import FACE, FinishSettings
from faceswap_gan.conversion.seamless import membrane
from faceswap_gan.conversion.steady import GAP, Steady

Floats = npt.NDArray[np.float32]

_SHARPEN = 0.02  # radius of unsharp masking, in widths of the face


class Look:
    """Finishes the painted faces of one person, in order of time; remembers what must not flicker.

    Attributes:
        at: time of the last face, s.

    Args:
        finish: how.
    """

    def __init__(self, finish: FinishSettings) -> None:
        self._finish = finish
        self.at = 0.0
        self._color = SteadyColor()
        self._edge = Steady()

    def on_crop(self, rgb: Floats, crop: Floats, alpha: Floats, shown: Floats, at: float) -> Floats:
        """Finish what is as smooth as the network's own picture: colours, sharpness, meeting the frame.

        Args:
            rgb: painted face, float32 (S, S, 3) in [0, 255].
            crop: what it covers, float32 (S, S, 3) in [0, 255].
            alpha: where the network paints, float32 (S, S) in [0, 1]: there the colours are matched.
            shown: how much of that shows, float32 (S, S) in [0, 1].
            at: the frame's time, s.

        Returns:
            The face to show, float32 (S, S, 3).
        """
        finish, self.at = self._finish, at
        found = match(rgb, crop, alpha, method=finish.color)
        if finish.color != "none":
            rgb = self._color.update(found, at).apply(rgb)
        if finish.sharpen:
            soft = cv2.GaussianBlur(rgb, (0, 0), _SHARPEN * FACE * len(rgb))
            rgb = rgb + np.float32(finish.sharpen) * (rgb - soft)
        if finish.blend == "seamless":
            field = self._edge.update(membrane(rgb, crop, shown), at, found.level)
            rgb = rgb + cv2.resize(field, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        return rgb

    def lasts(self, now: float) -> bool:
        """Tell whether what is remembered would still count at a time, s."""
        return now - self.at <= GAP

    def state(self) -> dict[str, Any]:
        """Give what `restore` goes on from: plain JSON types."""
        return {"at": self.at, "color": self._color.state(), "edge": self._edge.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.at = float(state["at"])
        self._color.restore(state["color"])
        self._edge.restore(state["edge"])
