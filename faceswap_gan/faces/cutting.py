"""A frame and what was seen in it to aligned crops."""

from __future__ import annotations

from faceswap_gan.faces.alignment import align
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.folder import FaceCrop
from faceswap_gan.faces.people import People
from faceswap_gan.faces.scan import FaceScan
from faceswap_gan.media.video import Frame


def crops_of(frame: Frame, scan: FaceScan, people: People, *, size: int = 256) -> tuple[FaceCrop, ...]:
    """Cut the chosen people out of a frame: the second of two passes.

    Args:
        frame: of the scanned video.
        scan: smoothed by `smooth_scan`.
        people: from `choose_people`.
        size: side of the crops, px.

    Returns:
        At most one crop a place, with the place as its ``index``; empty where the scan did not look.
    """
    seen = scan.at(frame.index)
    if seen is None:
        return ()
    faces = seen.faces_by_track
    return tuple(
        cut(frame, faces[track], index, track, size=size)
        for index, track in enumerate(people.get(frame.index, ()))
        if track is not None and track in faces
    )


def cut(frame: Frame, face: Face, index: int, track: int, *, size: int) -> FaceCrop:
    """Cut one aligned face out of a frame.

    Args:
        frame: the frame.
        face: in the frame's px.
        index: which of the frame's faces.
        track: number of its track.
        size: side of the crop, px.

    Raises:
        SettingsError: ``size`` is not positive, or the landmarks coincide.
    """
    alignment = align(face.landmarks, size=size)
    return FaceCrop(
        image=alignment.crop(frame.image),
        frame=frame.index,
        index=index,
        pts=frame.pts,
        track=track,
        face=face,
        alignment=alignment,
    )
