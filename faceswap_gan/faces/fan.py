"""68 points of a face, by the face-alignment package (stub, filled in the next commit)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.landmarks import Landmarks


class FanLandmarks:
    """Finds 68 points."""

    name = "fan"

    def __init__(self, folder: Path) -> None:
        raise SettingsError(f"fan landmarks are not built yet ({folder})")

    def find(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks:
        """Find 68 points of a face."""
        raise NotImplementedError
