"""Multiband blending: each band of detail meets the frame over an edge as wide as its own waves."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceswap_gan.conversion.finish import FACE

Floats = npt.NDArray[np.float32]

_COARSEST = 1 / 8  # widths of the face that a pixel of the coarsest band is
_STEEP = 0.3  # part of the mask's rise over which the finest band changes hands
_FULL = 0.1  # alpha from which on the spread of coarse bands counts in full


def multiband(painted: Floats, target: Floats, alpha: Floats) -> Floats:
    """Spread a painted face's coarse colours wider than its fine ones, so that neither a seam nor a ghost shows.

    Args:
        painted: float32 (S, S, 3) in [0, 255].
        target: the crop it covers, float32 (S, S, 3) in [0, 255].
        alpha: how much of the face shows, float32 (S, S) in [0, 1].

    Returns:
        float32 (S, S, 3), not clipped: what, laid over the target by ``alpha``, is both faces' pyramids joined.
        Nothing of it reaches beyond the mask.

    References:
        Burt, Adelson, "A multiresolution spline with application to image mosaics", ACM Transactions on Graphics
        2 (1983), section 3, here of the difference of both pictures: the pyramid is linear.
    """
    difference = painted - target
    rise = np.clip((alpha - 0.5) / _STEEP + 0.5, 0, 1).astype(np.float32)
    bands, shares = _bands(difference), [rise * rise * (3 - 2 * rise)]
    for _ in bands[1:]:
        shares.append(np.asarray(cv2.pyrDown(shares[-1]), np.float32))
    joined = shares[-1][..., None] * bands[-1]
    for band, share in zip(bands[-2::-1], shares[-2::-1], strict=True):
        joined = cv2.pyrUp(joined, dstsize=band.shape[1::-1]) + share[..., None] * band
    moved = joined - alpha[..., None] * difference
    return np.asarray(painted + moved / np.maximum(alpha, np.float32(_FULL))[..., None], np.float32)


def _bands(image: Floats) -> list[Floats]:
    """Take a picture apart into a Laplacian pyramid, finest band first, what is left last."""
    bands = []
    for _ in range(max(1, round(np.log2(FACE * image.shape[0] * _COARSEST)))):
        smaller = cv2.pyrDown(image)
        bands.append(np.asarray(image - cv2.pyrUp(smaller, dstsize=image.shape[1::-1]), np.float32))
        image = np.asarray(smaller, np.float32)
    return [*bands, image]
