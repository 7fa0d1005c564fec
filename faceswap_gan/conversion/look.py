"""Colour and surface of one painted person, steady from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.blending import Layer
from faceswap_gan.conversion.color import SteadyColor, match
from faceswap_gan.conversion.detail import finest_detail
from faceswap_gan.conversion.finish import FACE, FinishSettings
from faceswap_gan.conversion.grain import match_grain, measure_bands
from faceswap_gan.conversion.multiband import multiband
from faceswap_gan.conversion.seamless import membrane
from faceswap_gan.conversion.steady import GAP, Steady

Floats = npt.NDArray[np.float32]

_SHARPEN = 0.02  # radius of unsharp masking, in widths of the face


@dataclass(frozen=True)
class Surface:
    """What finishing at the frame's own scale needs to know of a face.

    Attributes:
        frame: number of the frame.
        track: of the person.
        face: width of the face in the frame, px.
        detail: where the frame's detail may lie, float32 (h, w) in [0, 1] over the layer; None for nowhere.
    """

    frame: int
    track: int
    face: float
    detail: Floats | None = None


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
        self._grain = Steady(seconds=1.0)
        self._level = np.zeros(3, np.float32)

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
            luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
            soft = cv2.GaussianBlur(luma, (0, 0), _SHARPEN * FACE * len(rgb))
            rgb = rgb + np.float32(finish.sharpen) * (luma - soft)[..., None]
        if finish.blend == "seamless":
            field = self._edge.update(membrane(rgb, crop, shown), at, found.level)
            rgb = rgb + cv2.resize(field, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        elif finish.blend == "laplacian":
            rgb = multiband(rgb, crop, shown)
        self._level = found.level
        return rgb

    def on_frame(self, layer: Layer, below: Floats, surface: Surface) -> Layer:
        """Finish what is as sharp as the frame: its detail and its grain. Follows `on_crop` of the same face.

        Args:
            layer: the painted face in its place.
            below: the frame there, float32 (h, w, 3) in [0, 255].
            surface: whose face it is, and where detail may lie.
        """
        finish = self._finish
        luma = cv2.cvtColor(below, cv2.COLOR_RGB2GRAY)
        change = np.zeros_like(luma)
        if surface.detail is not None:
            fine = finest_detail(luma, surface.face)
            change = np.asarray(cv2.multiply(surface.detail, fine, scale=finish.detail), np.float32)
        if finish.match_grain:
            painted = cv2.cvtColor(layer.color, cv2.COLOR_RGB2GRAY) + change
            measured = self._grain.update(measure_bands(luma, painted, layer.alpha), self.at, self._level)
            change += match_grain(painted, measured, frame=surface.frame, track=surface.track)
        color = cv2.cvtColor(change, cv2.COLOR_GRAY2RGB)
        cv2.add(layer.color, color, dst=color)  # in place: a new array of this size costs as much as the sum
        return replace(layer, color=np.asarray(color, np.float32))

    def lasts(self, now: float) -> bool:
        """Tell whether what is remembered would still count at a time, s."""
        return now - self.at <= GAP

    def state(self) -> dict[str, Any]:
        """Give what `restore` goes on from: plain JSON types."""
        return {"at": self.at, "color": self._color.state(), "edge": self._edge.state(), "grain": self._grain.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self.at = float(state["at"])
        self._color.restore(state["color"])
        self._edge.restore(state["edge"])
        self._grain.restore(state["grain"])
