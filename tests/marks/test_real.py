"""The watermark on real footage: no false alarm on anything unmarked, found again after codec and scaling."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from faceswap_gan.errors import MediaError
from faceswap_gan.marks.detection import MAX_CHANCE, Collector
from faceswap_gan.marks.findings import find_watermark
from faceswap_gan.marks.watermark import embed
from faceswap_gan.media.images import is_picture
from faceswap_gan.media.video import read_frames, read_info

VIDEOS = (".mp4", ".mkv", ".webm")


@pytest.mark.slow
def test_no_false_alarm_on_real_photos_and_clips(facedata):
    looked_at, alarms = 0, []
    for path in sorted(facedata.rglob("*")):
        if not (is_picture(path) or path.suffix in VIDEOS):
            continue
        try:
            evidence = find_watermark([path])
        except MediaError:
            continue  # cut off on purpose
        looked_at += 1
        if evidence.chance <= 1000 * MAX_CHANCE:
            alarms.append((path.name, evidence))
    assert looked_at >= 50
    assert alarms == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "box"), [("p2_man_sar15x16", (256, 240, 108, 140)), ("p3_woman_expressive", (250, 280, 105, 150))]
)
def test_found_after_scaling_to_three_quarters_and_crf_28(facedata, tmp_path, clip, box):
    x, y, across, down = box
    collector, path = Collector(), tmp_path / "small.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "28"})
        info = read_info(facedata / "videos" / f"{clip}.mp4")
        stream.width, stream.height, stream.pix_fmt = info.width * 3 // 4, info.height * 3 // 4, "yuv420p"
        for frame, _ in zip(read_frames(facedata / "videos" / f"{clip}.mp4"), range(120), strict=False):
            mask = np.zeros(frame.image.shape[:2], np.uint8)
            cv2.ellipse(mask, (x, y), (across, down), 0, 0, 360, 255, -1)
            marked = embed(frame.image, cv2.GaussianBlur(mask, (25, 25), 0))
            small = cv2.resize(marked, (stream.width, stream.height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(small, format="rgb24")))
        out.mux(stream.encode(None))
    for frame in read_frames(path):
        collector.add(frame.image)
    assert collector.judge().found
