"""Closed surfaces stacked from horizontal rings: a grid of rows (height) and columns (angle)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faceswap_gan.synthetic.shapes import Array


@dataclass(frozen=True)
class Loft:
    """Grid of a lofted surface and the coordinates in which it is painted.

    The *sheet* coordinates of a point are where it lay before features were pushed in or out: the height
    of its ring and the ring's half width times the sine of its angle, both cm. Seen from the front,
    they are the picture plane; every feature is painted in them and found back through `grid_of`.
    """

    levels: Array
    """Heights of the rings, float32 (rows,), rising, cm."""
    angles: Array
    """Angles of the columns, float32 (columns,), rising, degrees; 0 is the front, positive the right."""
    widths: Array
    """Half width of each ring, float32 (rows,), cm."""

    @property
    def sheet(self) -> Array:
        """Sheet coordinates of every vertex, float32 (rows, columns, 2), cm."""
        x = self.widths[:, None] * np.sin(np.radians(self.angles))[None, :]
        y = np.broadcast_to(self.levels[:, None], x.shape)
        return np.stack([x, y], axis=-1).astype(np.float32)

    def refined(self, factor: int) -> Loft:
        """Return the same loft with `factor` cells where there was one, for painting textures.

        Args:
            factor: Texels per cell and side, at least 1.

        Returns:
            A loft of (rows - 1) * factor + 1 rows, likewise columns.
        """
        rows, columns = len(self.levels), len(self.angles)
        v = np.linspace(0, rows - 1, (rows - 1) * factor + 1)
        u = np.linspace(0, columns - 1, (columns - 1) * factor + 1)
        return Loft(
            levels=np.interp(v, np.arange(rows), self.levels).astype(np.float32),
            angles=np.interp(u, np.arange(columns), self.angles).astype(np.float32),
            widths=np.interp(v, np.arange(rows), self.widths).astype(np.float32),
        )

    def grid_of(self, points: Sequence[tuple[float, float]] | Array) -> Array:
        """Find where sheet points of the front half lie in the grid.

        Args:
            points: Sheet coordinates (n, 2), cm.

        Returns:
            (column, row) in cells, float32 (n, 2).
        """
        xy = np.asarray(points, np.float32).reshape(-1, 2)
        width = np.interp(xy[:, 1], self.levels, self.widths)
        angle = np.degrees(np.arcsin(np.clip(xy[:, 0] / width, -1.0, 1.0)))
        column = np.interp(angle, self.angles, np.arange(len(self.angles)))
        row = np.interp(xy[:, 1], self.levels, np.arange(len(self.levels)))
        return np.stack([column, row], axis=-1).astype(np.float32)


def front_angles(front: int, back: int) -> Array:
    """Space the columns of a ring: dense before the face, sparse behind.

    Args:
        front: Cells of the front half, even.
        back: Cells of each back quarter.

    Returns:
        Angles in degrees from -180 to 180, float32 (front + 2 * back + 1,).
    """
    s = np.linspace(-1.0, 1.0, front + 1)
    face = 90.0 * (0.55 * s + 0.45 * s**3)
    rear = np.linspace(90.0, 180.0, back + 1)[1:]
    return np.concatenate([-rear[::-1], face, rear]).astype(np.float32)


def ring_points(loft: Loft, front: Array, back: Array, *, roundness: float, centre: Array | float = 0.0) -> Array:
    """Place the rings in space.

    Args:
        loft: Grid and half widths.
        front: Reach of each ring towards the camera, float32 (rows,), cm.
        back: Reach of each ring away from it, float32 (rows,), cm.
        roundness: Exponent of the cosine: 1 draws ellipses, less draws flatter fronts.
        centre: z of each ring's middle, cm.

    Returns:
        Vertices, float32 (rows, columns, 3), cm.
    """
    cosine = np.cos(np.radians(loft.angles))[None, :]
    reach = np.where(cosine >= 0, front[:, None], back[:, None])
    z = np.sign(cosine) * np.abs(cosine) ** roundness * reach
    z = z + np.reshape(np.asarray(centre, np.float32), (-1, 1))
    return np.concatenate([loft.sheet, z[..., None]], axis=-1).astype(np.float32)
