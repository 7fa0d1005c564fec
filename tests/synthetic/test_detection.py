"""The demo pair's frames are faces to the detector, and its landmarks agree with the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceswap_gan.faces.detector import FaceDetector
from faceswap_gan.synthetic.clips import build_pair
from faceswap_gan.synthetic.renderer import Rendered, render


def _check(every: int) -> None:
    detector = FaceDetector()
    pair = build_pair(Path())
    for clip in (pair.src_clip, pair.dst_clip):
        drawn: list[Rendered] = [render(clip.person, p, background=clip.background) for p in clip.poses[::every]]
        found = []
        for start in range(0, len(drawn), 8):
            found += detector.detect([d.image for d in drawn[start : start + 8]])
        assert [i * every for i, faces in enumerate(found) if len(faces) != 1] == []
        errors = []
        for truth, faces in zip(drawn, found, strict=True):
            between = np.linalg.norm(truth.landmarks[1] - truth.landmarks[0])
            errors.append(np.linalg.norm(faces[0].landmarks - truth.landmarks, axis=1) / between)
        assert np.median(errors) < 0.06


def test_sampled_frames_are_found_where_they_are() -> None:
    _check(25)


@pytest.mark.slow
def test_every_frame_is_found_where_it_is() -> None:
    _check(1)
