"""68 points of a face, by the face-alignment package and the weights that its author publishes.

The package looks for its weights in torch's hub folder and downloads what it misses. Here the hub is pointed, while
the network loads, at the folder that holds the checked file, and the package's own face detectors, which have
weights of their own, stay out: our detector's box is given instead.

References:
    Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV (2017).
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import SettingsError, WeightsError
from faceswap_gan.faces.landmarks import Landmarks

if TYPE_CHECKING:
    from faceswap_gan.faces.detector import Face

_POINTS = 68
_HUB = "checkpoints"  # where in the hub torch keeps weights


class FanLandmarks:
    """Finds 68 points: jaw, brows, nose, eyes and mouth, in Multi-PIE's order.

    Args:
        weights: the 2D-FAN file inside a folder called ``checkpoints``, as torch's hub keeps it.

    Raises:
        SettingsError: the ``face-alignment`` package (1.5 or newer) is not installed.
        WeightsError: the file is missing, lies elsewhere or is none that the package reads.
    """

    name = "fan"

    def __init__(self, weights: Path) -> None:
        if not weights.is_file() or weights.parent.name != _HUB:
            raise WeightsError(
                f"expected the weights of FAN in a folder called {_HUB}, got {weights}; find them by their name, fan."
            )
        with _hub_at(weights.parent.parent):
            self._network = _build(weights)

    def find(self, image: npt.NDArray[np.uint8], face: Face) -> Landmarks:
        """Find the 68 points of a face.

        Args:
            image: RGB uint8 (H, W, 3).
            face: where it is, px of ``image``.

        Returns:
            68 points in px of ``image``, without depth and blendshapes; the score is the mean height of the
            points' heatmaps.
        """
        boxes = [np.asarray(face.box, np.float64)]
        found, heights, _ = self._network.get_landmarks_from_image(
            image, detected_faces=boxes, return_landmark_score=True
        )
        points = np.asarray(found[0], np.float32).reshape(_POINTS, -1)[:, :2]
        score = float(np.clip(np.mean(np.asarray(heights[0], np.float64)), 0, 1))
        return Landmarks(points, None, None, score)


def _build(weights: Path) -> Any:
    try:
        from face_alignment import FaceAlignment, LandmarksType
    except ImportError as error:
        raise SettingsError(_not_installed(error)) from error
    try:
        # "folder" is the package's detector without weights; it is never asked.
        return FaceAlignment(
            LandmarksType.TWO_D, device="cpu", flip_input=False, face_detector="folder", compile=False
        )
    except TypeError as error:
        raise SettingsError(
            f"expected face-alignment 1.5 or newer ({error}): pip install -U face-alignment."
        ) from error
    except (RuntimeError, OSError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{weights} holds no weights that face-alignment reads ({error}). Delete it.") from error


@contextmanager
def _hub_at(folder: Path) -> Iterator[None]:
    """Point torch's hub at a folder for a while."""
    try:
        import torch.hub
    except ImportError as error:
        raise SettingsError(_not_installed(error)) from error
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)


def _not_installed(error: ImportError) -> str:
    return f"The fan landmarks need the face-alignment package ({error}): pip install 'faceswap-gan[fan]'."
