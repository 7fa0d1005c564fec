"""Parts-augment: sew parts of one person's faces into look-alike faces of the other, as a face folder to train on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from faceswap_gan.errors import NoFaceError, SettingsError

if TYPE_CHECKING:
    from faceswap_gan.conversion.part_faces import SewnFace

_T = TypeVar("_T")

log = logging.getLogger(__name__)


def run(
    src: Path,
    dst: Path,
    output: Path,
    *,
    parts: tuple[Literal["eyes", "eyebrows", "nose", "mouth"], ...] = ("eyes",),
    onto: Literal["dst", "src"] = "dst",
    match: Literal["features", "blendshapes"] = "features",
    neighbours: int = 1,
    landmarks: Literal["mtcnn", "mesh", "fan"] = "mtcnn",
    weights_dir: Path | None = None,
) -> None:
    """Sew parts of one person's faces into look-alike faces of the other, as a face folder to train on.

    For each src face the dst faces that look most alike are found; its parts are sewn into them (or theirs into
    it) so that no edge shows. The result has faces.jsonl and eye masks and goes to train as --src: what is then
    learned is to paint the other person with these parts. Running again with the same faces and parts replaces it.

    Args:
        src: Face folder of the person whose face is painted.
        dst: Face folder of the footage that receives it.
        output: Face folder to write.
        parts: Parts of the face to sew, in any combination.
        onto: Who receives the parts: dst (src's parts in dst's faces) or src.
        match: What alike means: edges of the face by direction, averaged over cells (features), or expression and
            pose (blendshapes, which need --landmarks mesh).
        neighbours: How many dst faces to take for each src face; each makes one picture.
        landmarks: Points that the parts are drawn from: the detector's 5, the 478 of MediaPipe's mesh, or the 68
            of FAN.
        weights_dir: Folder that holds the weights of mesh or fan; else FACESWAP_WEIGHTS, the cache or a download.

    Raises:
        FaceFolderError: A folder is missing, empty or damaged, or the output holds other faces.
        NoFaceError: No picture of a folder shows a face, or no part lies within a picture.
        SettingsError: A setting is outside what it may be.
    """
    from faceswap_gan.conversion.part_faces import know, sew_faces
    from faceswap_gan.conversion.parts import check_parts
    from faceswap_gan.faces.folder import FaceFolder
    from faceswap_gan.faces.landmarks import TrustedLandmarks, open_landmarks
    from faceswap_gan.faces.search import FaceSearch
    from faceswap_gan.nn.fast import SIDES

    chosen = check_parts(parts)
    if match == "blendshapes" and landmarks != "mesh":
        raise SettingsError(f"expected --landmarks mesh for --match blendshapes, got {landmarks}.")
    if output.resolve() in (src.resolve(), dst.resolve()):
        raise SettingsError(f"expected an --output beside the face folders, got one of them ({output}); rename it.")
    folders = {side: FaceFolder(path) for side, path in zip(SIDES, (src, dst), strict=True)}
    provider = open_landmarks(landmarks, weights=weights_dir)
    points = TrustedLandmarks(provider)
    search = FaceSearch(provider, weights=weights_dir)
    people = {}
    for side, folder in folders.items():
        found = list(_with_progress(know(folder, points, search.find, match=match), len(folder), side))
        people[side] = [known for known in found if known is not None]
        if len(people[side]) < len(found):
            left, count = found.count(None), len(found)
            log.warning("%d of %d pictures in %s left out: no face that %s sees", left, count, folder.path, landmarks)
    sewn = sew_faces(folders, people, parts=chosen, onto=onto, neighbours=neighbours)
    source = _describe([*folders["src"].files, *folders["dst"].files], f"{' '.join(chosen)} onto {onto}")
    # Beside what makes it this folder: what else each picture rests on, so that none of another run is kept.
    source |= {"points": landmarks, "match": match, "facts": _digest_facts(src, dst)}
    _write(_with_progress(sewn, neighbours * len(people["src"]), "sewing"), output, source)


def _write(sewn: Iterable[SewnFace], output: Path, source: dict[str, str]) -> None:
    """Write faces and eye masks; leave out faces that no part was sewn into."""
    from faceswap_gan.faces.folder import FaceWriter, mask_file
    from faceswap_gan.media.images import write_mask

    made = left = 0
    with FaceWriter(output, video=source) as writer:
        for each in sewn:
            if not each.changed.any():
                left += 1
                continue
            writer.write(each.crop)
            write_mask(mask_file(output / each.crop.name), each.eyes)
            made += 1
    if left:
        log.warning("%d faces left out: their parts lie outside of the picture", left)
    if not made:
        raise NoFaceError(f"expected a part within the picture of any face, got {left} without; choose others.")
    log.info("%d faces and eye masks written to %s", made, output)


def _describe(files: Sequence[Path], what: str) -> dict[str, str]:
    """Name what the faces are made of, for the folder's records."""
    digest = hashlib.sha256(what.encode())
    for file in files:
        digest.update(file.name.encode() + file.read_bytes())
    src, dst = files[0].parent.name, files[-1].parent.name
    return {"video": f"{src} and {dst}: {what}", "sha256": digest.hexdigest()}


def _digest_facts(*folders: Path) -> str:
    """Give a digest of where the faces of these folders are, by which parts are drawn and laid in."""
    from faceswap_gan.faces.folder import RECORDS

    files = [folder / RECORDS for folder in folders]
    return hashlib.sha256(b"\n".join(file.read_bytes() if file.is_file() else b"" for file in files)).hexdigest()


def _with_progress(items: Iterable[_T], total: int, what: str) -> Iterable[_T]:
    """Show one live line while things go by."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, total=total, console=console, transient=True, disable=not console.is_terminal)


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("parts-augment")
