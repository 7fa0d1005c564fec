"""Face folder: aligned crops on disk and a line of facts about each.

A folder holds ``000123_0.png`` (frame index, face index) and ``faces.jsonl``. A picture is written before its
line and both are written whole, so a run killed at any moment leaves a readable folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from faceswap_gan.errors import FaceFolderError, MediaError
from faceswap_gan.faces.alignment import Alignment
from faceswap_gan.faces.detector import Face
from faceswap_gan.faces.source import hash_source
from faceswap_gan.media.images import list_images, read_image, resize, write_image, write_whole

RECORDS = "faces.jsonl"


@dataclass(frozen=True)
class FaceCrop:
    """An aligned face.

    Attributes:
        image: RGB uint8 (S, S, 3).
        frame: index of the video's frame; for a plain folder, of the picture in it.
        index: which of the frame's faces, from 0.
        pts: presentation time of the frame in units of its stream's time base.
        track: number of the person's track; -1 when unknown.
        face: box, landmarks and score in frame px; None when unknown (a plain folder of pictures).
        alignment: from frame to crop; None when unknown.
    """

    image: npt.NDArray[np.uint8]
    frame: int
    index: int = 0
    pts: int = 0
    track: int = -1
    face: Face | None = None
    alignment: Alignment | None = None

    @property
    def name(self) -> str:
        """File name of the crop in a face folder."""
        return f"{self.frame:06d}_{self.index}.png"

    @property
    def landmarks(self) -> npt.NDArray[np.float64] | None:
        """The five points in crop px, float64 (5, 2); None when unknown."""
        if self.face is None or self.alignment is None:
            return None
        return self.alignment.points(self.face.landmarks)

    @property
    def face_in_crop(self) -> Face | None:
        """The face in crop px; None when unknown."""
        return None if self.face is None or self.alignment is None else self.alignment.face(self.face)


class FaceFolder:
    """Reads a face folder, or a plain folder of face pictures.

    Pictures that were deleted by hand are left out; pictures without a line are read as plain ones.

    Args:
        path: the folder.

    Raises:
        FaceFolderError: the folder is missing, holds no picture, or its facts are damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            what = "a file" if path.exists() else "missing"
            raise FaceFolderError(f"{path} should be a folder of faces and is {what}. Run extract first.")
        self.files = list_images(path)
        if not self.files:
            raise FaceFolderError(f"{path} holds no pictures. Run extract first, or give another folder.")
        self._records = read_records(path)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[FaceCrop]:
        return (self.read(i) for i in range(len(self)))

    def read(self, i: int, *, size: int | None = None) -> FaceCrop:
        """Read one crop.

        Args:
            i: position in `files`.
            size: side to resize to, px; None keeps the stored one (pictures that are not square become so).

        Returns:
            The crop, with its alignment at the same size.

        Raises:
            FaceFolderError: its line in ``faces.jsonl`` is damaged.
            MediaError: the picture cannot be read.
        """
        path = self.files[i]
        image = read_image(path)
        side = size or max(image.shape[:2])
        if image.shape[:2] != (side, side):
            image = resize(image, side)
        record = self._records.get(path.name)
        return FaceCrop(image, i) if record is None else _from_record(record, image, self.path)


class FaceWriter:
    """Writes the faces of one video into a folder; a context manager.

    Running again over the same video replaces what the folder held; a clean end drops what the new run did
    not find again. The folder is made with the first crop. A picture that a run before wrote with the same facts is
    kept, so that a stopped run is soon where it was.

    Args:
        path: the folder.
        video: the crops' source; where it is no single file, its facts: ``video``, a name, ``sha256`` and more.

    Raises:
        FaceFolderError: the folder holds faces of another video, or pictures of unknown origin.
    """

    def __init__(self, path: Path, *, video: Path | Mapping[str, str]) -> None:
        self.path = path
        if isinstance(video, Path):
            video = {"video": video.name, "sha256": hash_source(video)}
        self._source = dict(video)
        self._old = read_records(path) if path.is_dir() else {}
        self._check_source()
        self._new: dict[str, dict[str, Any]] = {}
        self._file: IO[str] | None = None

    def __enter__(self) -> FaceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        self._file.close()
        if kind is None:
            # In this order: killed between, it leaves lines without a picture, not pictures that nothing is known of.
            for name in self._old.keys() - self._new.keys():
                (self.path / name).unlink(missing_ok=True)
            lines = "".join(json.dumps(record) + "\n" for record in self._new.values())
            write_whole(self.path / RECORDS, lines.encode())

    def write(self, crop: FaceCrop) -> None:
        """Write a crop and its facts.

        Args:
            crop: with face and alignment.

        Raises:
            FaceFolderError: the crop lacks face or alignment.
            MediaError: the disk does not take it.
        """
        record = _to_record(crop) | self._source
        if self._file is None:  # before the first picture: a folder that has it is not taken for a foreign one
            self._file = _open_records(self.path / RECORDS)
        if self._old.get(crop.name) != record or not (self.path / crop.name).is_file():
            write_image(self.path / crop.name, crop.image)
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        self._new[crop.name] = record

    def drop(self, name: str) -> None:
        """Take a crop that was written out of the folder again."""
        self._new.pop(name, None)
        (self.path / name).unlink(missing_ok=True)

    def _check_source(self) -> None:
        others = {r.get("video") for r in self._old.values() if r.get("sha256") != self._source["sha256"]}
        if others:
            raise FaceFolderError(
                f"{self.path} already holds faces of {', '.join(map(str, sorted(others, key=str)))}; "
                f"{self._source['video']} needs a folder of its own. Give another folder or delete this one."
            )
        if not (self.path / RECORDS).is_file() and self.path.is_dir() and list_images(self.path):
            raise FaceFolderError(
                f"{self.path} already holds pictures that extract did not write. "
                "Give another folder, or move them away."
            )


def mask_folder(faces: Path, part: str = "eyes") -> Path:
    """Name the folder of a face folder's masks: ``binary_masks/<face folder>_<part>`` beside it.

    Args:
        faces: the face folder.
        part: of the face.

    Returns:
        The folder, which need not exist.
    """
    faces = faces.resolve()
    return faces.parent / "binary_masks" / f"{faces.name}_{part}"


def mask_file(crop: Path, part: str = "eyes") -> Path:
    """Name the mask of a crop: the same file name in the `mask_folder`, as PNG.

    Args:
        crop: a picture in a face folder.
        part: of the face.

    Returns:
        The file, which need not exist; a mask of another format that an ancestor's tool left under exactly
        the crop's name is preferred to a missing PNG.
    """
    folder = mask_folder(crop.parent, part)
    png, same = folder / f"{crop.stem}.png", folder / crop.name
    return same if same.is_file() and not png.is_file() else png


def read_records(path: Path) -> dict[str, dict[str, Any]]:
    """Read the facts about a folder's crops: file name to record, the last line of a name counting.

    Args:
        path: the folder.

    Returns:
        Empty when there is no ``faces.jsonl``. A torn last line, all that a killed run can leave, is skipped.

    Raises:
        FaceFolderError: another line is damaged.
    """
    file = path / RECORDS
    if not file.is_file():
        return {}
    lines = file.read_bytes().split(b"\n")[:-1]  # what follows the last line end is torn
    records = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            records[record["file"]] = record
        except (ValueError, KeyError, TypeError) as error:
            raise FaceFolderError(
                f"{file}, line {number}: expected a JSON record with a file name, got {line[:60]!r}. "
                "Delete the line or extract again."
            ) from error
    return records


def _to_record(crop: FaceCrop) -> dict[str, Any]:
    if crop.face is None or crop.alignment is None:
        raise FaceFolderError(f"{crop.name}: a crop needs its face and alignment to be written.")
    return {
        "file": crop.name,
        "frame": crop.frame,
        "index": crop.index,
        "pts": crop.pts,
        "track": crop.track,
        "box": np.round(crop.face.box.astype(float), 3).tolist(),
        "landmarks": np.round(crop.face.landmarks.astype(float), 3).tolist(),
        "score": round(crop.face.score, 4),
        "matrix": crop.alignment.matrix.tolist(),
        "size": crop.alignment.size,
    }


def _from_record(record: dict[str, Any], image: npt.NDArray[np.uint8], folder: Path) -> FaceCrop:
    try:
        box, landmarks = (np.asarray(record[key], np.float32) for key in ("box", "landmarks"))
        face = Face(box.reshape(4), landmarks.reshape(5, 2), float(record["score"]))
        matrix = np.asarray(record["matrix"], np.float64).reshape(2, 3)
        alignment = Alignment(matrix, int(record["size"])).resized(len(image))
        numbers = {key: int(record[key]) for key in ("frame", "index", "pts", "track")}
    except (KeyError, TypeError, ValueError) as error:
        raise FaceFolderError(
            f"{folder / RECORDS}: the record of {record['file']} is damaged ({error!r}). Extract again."
        ) from error
    return FaceCrop(image=image, face=face, alignment=alignment, **numbers)


def _open_records(file: Path) -> IO[str]:
    """Open a folder's facts for adding, without the unfinished last line that a killed run left."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        data = file.read_bytes() if file.is_file() else b""
        if not data.endswith(b"\n"):
            write_whole(file, data[: data.rfind(b"\n") + 1])
        return file.open("a", encoding="utf-8")
    except OSError as error:
        raise MediaError(f"could not write {file}: {error.strerror}; check folder and free space.") from error
