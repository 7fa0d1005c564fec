"""How a swap is marked as synthetic: in its pixels before it is encoded, in its file when all else is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceswap_gan.conversion.blending import Picture
from faceswap_gan.marks.credentials import SwapFacts, hash_settings, sign_file
from faceswap_gan.marks.identity import Identity, open_identity
from faceswap_gan.marks.label import Corner, Labelled, burn, check_label
from faceswap_gan.marks.watermark import embed


@dataclass(frozen=True)
class Marking:
    """What one result is marked with.

    Attributes:
        facts: what its credentials say.
        identity: who signs them.
        label: words in a corner; None for no visible label.
        corner: which corner.
    """

    facts: SwapFacts
    identity: Identity
    label: str | None = None
    corner: Corner = "bottom-left"

    def mark(self, image: Picture, mask: Picture) -> Labelled:
        """Put the watermark into what was painted, and the label over it.

        Args:
            image: the swapped frame alone, RGB uint8 or uint16 (H, W, 3).
            mask: what is painted, uint8 (H, W).

        Returns:
            The marked frame; ``touched`` is the mask with the label's place added: what may differ from the footage.
        """
        marked = embed(image, mask)
        if self.label is None:
            return Labelled(marked, mask)
        labelled = burn(marked, self.label, corner=self.corner)
        return Labelled(labelled.image, np.maximum(labelled.touched, mask))

    def finish(self, path: Path, *, final: Path | None = None) -> None:
        """Sign the finished file, or every picture of a finished folder; the last thing that is done to it.

        Args:
            path: under its temporary name.
            final: the name it will get.

        Raises:
            MarksError: it cannot be signed.
        """
        sign_file(path, facts=self.facts, final=final, identity=self.identity)


def plan_marking(
    footage: Path,
    *,
    consent: str,
    digital_source_type: str,
    settings: Mapping[str, object],
    model_sha256: str | None = None,
    label: str | None = None,
    corner: Corner = "bottom-left",
    certificate: Path | None = None,
    private_key: Path | None = None,
) -> Marking:
    """Settle how a result is marked, and refuse now what would fail at the end.

    Args:
        footage: what is painted into.
        consent: who agreed, and to what.
        digital_source_type: a term of IPTC's list.
        settings: all that the pictures depend on; their hash is signed.
        model_sha256: of the model's weights, of several joined by commas; None if none was used.
        label: words to burn in.
        corner: where.
        certificate: the user's own PEM certificate.
        private_key: its key.

    Raises:
        MarksError: the certificate or key is none, or a key pair cannot be kept.
        SettingsError: a label that cannot be drawn.
    """
    if label is not None:
        check_label(label)
    identity = open_identity(certificate=certificate, private_key=private_key)
    facts = SwapFacts(footage, consent, digital_source_type, hash_settings(settings), model_sha256)
    return Marking(facts, identity, label, corner)
