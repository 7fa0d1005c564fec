"""What a reader of the figures must know."""

from __future__ import annotations

from faceswap_gan.metrics.scores import Judged


def make_notes(
    swap: Judged, *, recognizer: str, anchor_frames: int, start: float | None = None, end: float | None = None
) -> tuple[str, ...]:
    """Say how a swap was measured, and what the figures cannot say.

    Args:
        swap: the swap's measurements.
        recognizer: file name of the network that judged identity.
        anchor_frames: frames on which the methods beside it were measured.
        start: s, where in the footage the part begins that was measured; None at its own start.
        end: s, where it ends.
    """
    people = swap.people
    return (
        *_part(start, end),
        f"Identity was judged by {recognizer}; a recogniser that training used must not judge. To it, dst's frames "
        f"are like src's by a mean cosine of {people.floor:.2f}, src's like each other by {people.ceiling:.2f}: the "
        "0 and the 1 of identity transfer.",
        f"The swap and the copy were measured on all {len(swap.own)} frames; still, mesh swap, src and its "
        f"reconstruction on at most {anchor_frames}, in blocks of consecutive frames spread over their video, as "
        "painted: only the finished video has been encoded, which alone changes every pixel a little.",
        "A frame counts where the footage shows a face. If the swap shows none there, it counts 0 in identity and "
        "as a failure; landmarks, gaze, pose and expression are means over frames in which both show one.",
        "Colour, sharpness, edge and change outside are measured about the oval of the footage's face, for all "
        "methods alike.",
        "Landmarks, blendshapes and identity come from networks that saw no swaps in training and not all people "
        "equally often. Figures of other recognisers, tools or tables cannot be compared with these.",
        "A model looks better on the clips that it was trained on than on others.",
    )


def _part(start: float | None, end: float | None) -> tuple[str, ...]:
    words = [f"{word} {limit:g} s" for word, limit in (("from", start), ("to", end)) if limit is not None]
    count = "" if start is None else "; times and frame numbers count from there"
    return (f"Of dst the part {' '.join(words)} was measured{count}.",) if words else ()
