"""What a finished file will be: container, codec, pixel format and orientation, settled before the work starts."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from faceswap_gan.errors import MediaError, SettingsError
from faceswap_gan.media.codecs import CODECS, choose_format, encoder_options, find_encoder, repeatable, set_up
from faceswap_gan.media.folders import check_pictures
from faceswap_gan.media.images import DEEP_SUFFIXES, is_picture
from faceswap_gan.media.pixels import RGB_MATRIX, UPRIGHT, ColorTags, Matrix
from faceswap_gan.media.planes import Planar
from faceswap_gan.media.tracks import check_tracks

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from faceswap_gan.media.video import VideoInfo

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""FFmpeg's name of each container for video, by suffix."""


@dataclass(frozen=True)
class OutputPlan:
    """A file to write.

    Attributes:
        path: the file, or the folder of pictures.
        like: the source, whose times, sound and tags it takes.
        size: width and height of what is shown, px.
        codec: a key of `CODECS`; pictures and GIFs pass through lossless ``ffv1``.
        planar: pixel format that is encoded.
        tags: its colours.
        matrix: display matrix of the output.
        options: of the encoder, name and value.
    """

    path: Path
    like: VideoInfo
    size: tuple[int, int]
    codec: str
    planar: Planar
    tags: ColorTags
    matrix: Matrix
    options: tuple[tuple[str, str], ...]

    @property
    def container(self) -> str | None:
        """FFmpeg's name of the container; None for pictures and GIFs."""
        return CONTAINERS.get(self.path.suffix.lower())

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height as encoded, px."""
        return self.size if self.matrix[0] else (self.size[1], self.size[0])

    @property
    def keeps_samples(self) -> bool:
        """Whether its pictures lie as the source's do, so that untouched samples can be copied."""
        return self.size == (self.like.width, self.like.height) and self.matrix == self.like.matrix

    @property
    def fingerprint(self) -> str:
        """Digest of all that decides an encoded segment; only segments of one fingerprint can be joined."""
        parts = (CODECS[self.codec].name, self.size, self.planar, self.tags, self.matrix, self.options)
        source = (self.like.time_base, self.like.frame_rate, self.like.sample_aspect_ratio)
        return hashlib.sha256(repr((parts, source, av.library_versions["libavcodec"])).encode()).hexdigest()

    def new_encoder(self) -> Any:
        """Open an encoder.

        Raises:
            MediaError: it does not open with these settings on this machine.
        """
        try:
            context = av.CodecContext.create(CODECS[self.codec].name, "w")
            self.set_up(context)
            context.open()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(
                f"could not open the encoder {self.codec} for {self.stored_size[0]}x{self.stored_size[1]} "
                f"({getattr(error, 'strerror', None) or error}); it may need other hardware: choose another --codec."
            ) from error
        return context

    def set_up(self, context: Any) -> None:
        """Configure an encoder that is not open yet."""
        aspect = self.like.sample_aspect_ratio
        set_up(
            context,
            size=self.stored_size,
            pix_fmt=self.encoded_format,
            tags=self.tags,
            rate=self.like.frame_rate,
            time_base=self.like.time_base,
            aspect=aspect if self.matrix[0] else 1 / aspect,
        )
        context.options = repeatable(CODECS[self.codec].name, dict(self.options))

    @property
    def encoded_format(self) -> str:
        """FFmpeg's name of the pixel format that the encoder is given."""
        return CODECS[self.codec].packed.get(self.planar.name, self.planar.name)


def plan_output(
    path: Path,
    *,
    like: VideoInfo,
    size: tuple[int, int] | None = None,
    codec: str | None = None,
    crf: int | None = None,
    preset: str | None = None,
) -> OutputPlan:
    """Settle what will be written, and refuse now what would fail at the end.

    Args:
        path: output; its suffix decides the container (.mp4, .m4v, .mov, .mkv, .webm, .gif or a picture's, the
            last for a source of one picture); no suffix is a folder of pictures.
        like: the source.
        size: width and height in px if they are not the source's.
        codec: a key of `CODECS`; None is ``h264``; in .webm ``vp9``, or ``av1`` where vp9 cannot hold the source's
            bits; for RGB in .mkv ``ffv1``, which alone keeps it.
        crf: quality, 0 best; None is visually lossless.
        preset: speed, as the codec calls it.

    Raises:
        MediaError: an unknown suffix, codec, crf or preset; a codec that cannot hold the source's bits or does not
            open here; a container that refuses the codec or the sound; a folder whose pictures differ in size, or
            whose results would share a name.
        SettingsError: a path without a name, such as ``.``.
    """
    size = size or (like.width, like.height)
    _check_place(path)
    if like.path.is_dir():
        check_pictures(like, keeps_names=kind_of(path) == "folder")
    if kind_of(path) != "video":
        return _plan_pictures(path, like, size, codec=codec, crf=crf, preset=preset)
    codec = codec or _default_codec(path, like)
    find_encoder(codec)
    _check_container(path, codec)
    same = size == (like.width, like.height)
    matrix = like.matrix if same else UPRIGHT
    stored_size = size if matrix[0] else (size[1], size[0])
    source = Planar("yuv", min(10, like.planar.depth), (1, 1)) if _is_drawn(like) else like.planar
    planar = choose_format(codec, source, stored_size, rgb=codec == "ffv1")
    if like.interlaced:
        log.warning("%s is interlaced; its fields are encoded as whole frames", like.path)
    if like.hdr and not CODECS[codec].parameters:
        log.warning("%s holds no mastering display and content light tags; left out", codec)
    options = encoder_options(codec, crf=crf, preset=preset, hdr=like.hdr)
    if planar.kind == "yuv" and planar.shift[0]:
        # JPEG puts chroma between its pixels, all else of today on the left one; PyAV cannot tell
        options["chroma_sample_location"] = "center" if like.codec == "mjpeg" else "left"
    plan = OutputPlan(path, like, size, codec, planar, _tags(like, planar), matrix, tuple(sorted(options.items())))
    check_tracks(like.path, path, CONTAINERS[path.suffix.lower()])
    plan.new_encoder()
    return plan


def kind_of(path: Path) -> str:
    """Tell by its suffix what an output is: "video", "gif", "picture" or "folder".

    Raises:
        MediaError: an unknown suffix.
    """
    suffix = path.suffix.lower()
    if suffix in CONTAINERS:
        return "video"
    if suffix == ".gif":
        return "gif"
    if is_picture(path):
        return "picture"
    if not suffix or path.is_dir():
        return "folder"
    known = ", ".join([*CONTAINERS, ".gif"])
    raise MediaError(f"expected an output ending in {known}, a picture or a folder, got {path}; rename it.")


def _plan_pictures(
    path: Path, like: VideoInfo, size: tuple[int, int], *, codec: str | None, crf: int | None, preset: str | None
) -> OutputPlan:
    """Plan pictures: on their way they lie in lossless RGB."""
    if is_picture(path) and not is_picture(like.path):
        raise MediaError(
            f"expected a video suffix ({', '.join(CONTAINERS)}) for the output of a video, got {path}; "
            "a picture suffix is for a picture."
        )
    if crf is not None or preset is not None or codec is not None:
        raise MediaError(f"expected no --codec, --crf or --preset for {path}: they are for video; leave them out.")
    deep = like.planar.depth > 8 and path.suffix.lower() in (*DEEP_SUFFIXES, "")
    planar = Planar("rgb", 16 if deep else 8)
    tags = ColorTags(RGB_MATRIX, like.color.primaries, like.color.transfer, full_range=True)
    options = encoder_options("ffv1", crf=None, preset=None, hdr=None)
    return OutputPlan(path, like, size, "ffv1", planar, tags, UPRIGHT, tuple(sorted(options.items())))


def _check_place(path: Path) -> None:
    if path.name in ("", ".."):  # what lies beside it could not be named
        raise SettingsError(f"expected an output with a name of its own, got {str(path)!r}; add one.")
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise MediaError(f"could not write {path}: {nearest} is no folder to write in; choose another place.")
    if path.exists() and path.is_dir() != (kind_of(path) == "folder"):
        wanted, got = ("file", "folder") if path.is_dir() else ("folder of pictures", "file")
        raise MediaError(f"expected a {wanted} at {path}, got a {got} of that name; choose another name.")


def _default_codec(path: Path, like: VideoInfo) -> str:
    if path.suffix.lower() == ".mkv" and like.planar.kind == "rgb" and not _is_drawn(like):
        return "ffv1"
    if path.suffix.lower() != ".webm":
        return "h264"
    return "vp9" if max(p.depth for p in find_encoder("vp9").takes()) >= like.planar.depth else "av1"


def _is_drawn(like: VideoInfo) -> bool:
    """Whether the source is pictures: a video made of them should play everywhere, so its chroma is subsampled."""
    return is_picture(like.path) or like.path.is_dir() or like.path.suffix.lower() == ".gif"


def _tags(like: VideoInfo, planar: Planar) -> ColorTags:
    if planar.kind != "rgb":
        return like.color
    return ColorTags(RGB_MATRIX, like.color.primaries, like.color.transfer, full_range=True)


def _check_container(path: Path, codec: str) -> None:
    container = CONTAINERS[path.suffix.lower()]
    if container not in CODECS[codec].containers:
        other = "--codec vp9 or av1" if container == "webm" else "an output ending in .mkv"
        raise MediaError(f"expected a codec that {path.suffix} holds, got {codec}; choose {other}.")
