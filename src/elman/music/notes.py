"""Musical statistics of a piano roll: voices, range, held notes, scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from elman.features.roll import LOWEST_NOTE, as_roll, note_name

_SCALES = (
    "C major / A minor",
    "D♭ major / B♭ minor",
    "D major / B minor",
    "E♭ major / C minor",
    "E major / C♯ minor",
    "F major / D minor",
    "F♯ major / D♯ minor",
    "G major / E minor",
    "A♭ major / F minor",
    "A major / F♯ minor",
    "B♭ major / G minor",
    "B major / G♯ minor",
)
_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


class Music(NamedTuple):
    """Statistics of a piano roll that is not silent.

    Attributes:
        voices: mean number of simultaneous notes, over the frames that are not silent.
        lowest: MIDI number of the lowest note.
        highest: MIDI number of the highest note.
        held: share of the notes that also sound in the frame before.
        scale: the scale, major and relative minor, that most notes belong to.
        in_scale: share of the notes that belong to that scale.
        silent: share of silent frames.
    """

    voices: float
    lowest: int
    highest: int
    held: float
    scale: str
    in_scale: float
    silent: float

    def __str__(self) -> str:
        silence = f"; {self.silent:.0%} of the frames silent" if self.silent else ""
        return (
            f"{self.voices:.1f} notes at once, {note_name(self.lowest)} to "
            f"{note_name(self.highest)}; {self.held:.0%} of the notes held over from the frame "
            f"before; {self.in_scale:.0%} in the scale of {self.scale}{silence}."
        )


def describe(roll: ArrayLike) -> Music | None:
    """Compute the statistics of a roll of zeros and ones, (T, 88); None if it is silent.

    A note that sounds for three frames counts three times.
    """
    notes = as_roll(roll).astype(bool)
    frames, keys = np.nonzero(notes)
    if not keys.size:
        return None
    classes = np.bincount((LOWEST_NOTE + keys) % 12, minlength=12)
    in_scale = [int(classes[(tonic + _MAJOR) % 12].sum()) for tonic in range(12)]
    tonic = int(np.argmax(in_scale))
    sounding = np.unique(frames).size
    return Music(
        voices=keys.size / sounding,
        lowest=LOWEST_NOTE + int(keys.min()),
        highest=LOWEST_NOTE + int(keys.max()),
        held=float((notes[1:] & notes[:-1]).sum() / keys.size),
        scale=_SCALES[tonic],
        in_scale=in_scale[tonic] / keys.size,
        silent=1 - sounding / len(notes),
    )
