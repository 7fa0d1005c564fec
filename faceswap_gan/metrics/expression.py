"""What the face expresses: blendshapes of two faces compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def expression_error(blendshapes: Floats, wanted: Floats) -> NDArray[np.float64]:
    """Mean difference of the strengths of 52 elementary expressions (a jaw open, a brow raised, ...).

    Args:
        blendshapes: of the swap, (n, 52) in [0, 1]; NaN where no face was found.
        wanted: of the footage.

    Returns:
        float64 (n,) in [0, 1]; NaN where either has no face.

    References:
        Lewis et al., "Practice and theory of blendshape facial models" (2014); the 52 are ARKit's, estimated by
        MediaPipe's Face Landmarker.
    """
    return np.asarray(np.abs(np.asarray(blendshapes, np.float64) - wanted).mean(axis=1))
