"""A piano roll as a figure of a page, with its description and its music."""

from __future__ import annotations

import base64

from matplotlib.axes import Axes

from elman.features.roll import Roll
from elman.music.midi import can_write_midi, encode_midi
from elman.music.notes import describe
from elman.music.piano_roll import draw_piano_roll
from elman.report.page import Picture, draw_inline
from elman.report.style import FONT_SIZE, THEME

GREATEST_ROLL = 96
"""Maximum number of frames drawn; more would be too narrow to read on a phone."""
ROLL = (4.3, 2.5)
"""Size of a roll's picture in inches."""


def roll_picture(
    name: str,
    title: str,
    roll: Roll,
    *,
    colour: str,
    notes: tuple[int, int],
    frames: int,
    frames_per_beat: int,
    file: str,
) -> Picture:
    """Draw the beginning of a roll; its description and its music are of the whole.

    Args:
        name: of the figure, unique in its page.
        title: of the picture.
        roll: zeros and ones, (T, 88).
        colour: of the notes, one of `THEME`.
        notes: lowest and highest MIDI note of the picture.
        frames: that are drawn, and the width of the picture.
        frames_per_beat: for the music.
        file: name that the music is saved under.
    """

    def draw(axes: Axes) -> None:
        draw_piano_roll(axes, roll[:frames], colour=colour, notes=notes)
        axes.set_xlim(0, frames)
        axes.set_xlabel("frames", color=THEME["muted"], size=FONT_SIZE)
        axes.tick_params(labelcolor=THEME["ink"], labelsize=FONT_SIZE)

    description = describe(roll)
    address = ""
    if can_write_midi():
        music = base64.b64encode(encode_midi(roll, frames_per_beat=frames_per_beat)).decode()
        address = f"data:audio/midi;base64,{music}"
    return Picture(
        draw_inline(name, draw, ROLL),
        title,
        "Silence: no key is ever pressed." if description is None else str(description),
        address,
        file,
    )
