"""Say which marks of synthetic media a file bears."""

from __future__ import annotations

import enum
import io
import sys
from pathlib import Path

import tyro


def run(file: tyro.conf.Positional[Path], *, trusted: Path | None = None) -> enum.IntEnum:
    """Say which marks of synthetic media a file bears.

    Looks for signed content credentials, in the file or in a .c2pa file beside it, tags, XMP and the watermark in the
    pixels, and writes a line about each. Exit code 0: marked as synthetic; 1: unmarked; 3: tampered, that is, it
    bears credentials and was changed after they were signed. A folder is marked where each of its pictures is.

    Args:
        file: video, picture, or folder of pictures.
        trusted: PEM file with certificates of signers to trust besides this user's own.

    Raises:
        FaceSwapError: the file is missing or cannot be read.
    """
    from faceswap_gan.marks.findings import verify
    from faceswap_gan.marks.identity import read_certificates

    found = verify(file, trusted=read_certificates(trusted) if trusted else "")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook's is none
        sys.stdout.reconfigure(errors="backslashreplace")  # not every console has the letters of every name
    sys.stdout.write("".join(f"{line}\n" for line in found.lines()))
    return found.verdict


if __name__ == "__main__":
    from faceswap_gan.__main__ import main_verb

    main_verb("verify")
