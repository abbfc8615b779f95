"""Drawing piano rolls: time to the right, pitch upwards, a bar for every held note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from elman.errors import DataError, OptionError
from elman.features.roll import LOWEST_NOTE, Roll, as_roll, held_notes, note_name
from elman.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito 2008: distinct for every kind of colour vision, and by brightness in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MIDDLE_C, OCTAVE = 60, 12
BLACK_KEYS = {1, 3, 6, 8, 10}
INK, GUIDE, SHADE = "#3b4148", "#c9ced4", "#f1f3f5"


def draw_piano_roll(
    axes: Axes,
    roll: ArrayLike,
    *,
    title: str = "",
    colour: str = COLOURS[0],
    notes: tuple[int, int] | None = None,
    frames_per_beat: int = 1,
) -> None:
    """Draw a roll into existing axes.

    Args:
        axes: the axes.
        roll: zeros and ones, (T, 88), at least one frame.
        title: title above the picture, at the left.
        colour: colour of the notes, as matplotlib takes it.
        notes: lowest and highest MIDI note in the picture; by default `pitch_range` of the roll.
        frames_per_beat: number of frames a quarter note, the unit of the time axis.

    Raises:
        ShapeError, DataError: `roll` is no piano roll, or has no frame.
        OptionError: frames_per_beat < 1.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.ticker import MaxNLocator

    frames = _drawable(roll, "roll")
    if frames_per_beat < 1:
        raise OptionError(f"frames_per_beat must be at least 1, got {frames_per_beat}.")
    low, high = notes or pitch_range([frames])
    beats = len(frames) / frames_per_beat

    _draw_keyboard(axes, low, high)
    # A narrow gap between a note's end and the next note's start, none inside a held note.
    gap = min(0.12 / frames_per_beat, beats / 1500)
    bars = []
    for note, start, end in held_notes(frames):
        left, right = start / frames_per_beat + gap / 2, end / frames_per_beat - gap / 2
        bottom, top = note - 0.4, note + 0.4
        bars.append([(left, bottom), (right, bottom), (right, top), (left, top)])
    axes.axvline(beats, color=GUIDE, linewidth=1.5, zorder=2)
    axes.add_collection(PolyCollection(bars, facecolors=colour, linewidths=0, zorder=3))

    axes.set_xlim(0, beats)
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, steps=[1, 2, 4, 8, 10]))
    axes.grid(axis="x", color=GUIDE, linewidth=0.5, zorder=1)
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
    axes.tick_params(colors=INK, length=0, labelsize=9)
    for side in axes.spines.values():
        side.set_color(GUIDE)


def piano_roll_figure(
    rolls: ArrayLike | Mapping[str, ArrayLike],
    *,
    frames_per_beat: int = 1,
    width: float = 10.0,
) -> Figure:
    """Draw one roll, or several above each other with the same axes.

    Args:
        rolls: a roll, (T, 88), or a mapping from titles to rolls.
        frames_per_beat: number of frames a quarter note, the unit of the time axis.
        width: width of the figure in inches; the height follows from the pitches.

    Returns:
        A figure that is not registered with pyplot, so it need not be closed.

    Raises:
        ShapeError, DataError: there is no roll, a roll has no frame, or is no piano roll.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    named = dict(rolls) if isinstance(rolls, Mapping) else {"": rolls}
    if not named:
        raise DataError("there are no rolls to draw; give at least one.")
    frames = {
        title: _drawable(roll, f"roll {title!r}" if title else "roll")
        for title, roll in named.items()
    }
    notes = pitch_range(frames.values())
    longest = max(len(roll) for roll in frames.values())

    panel = 0.5 + 0.062 * (notes[1] - notes[0] + 1)
    figure = Figure(figsize=(width, 0.4 + panel * len(frames)), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(frames), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for index, (title, roll) in enumerate(frames.items()):
        draw_piano_roll(
            panels[index],
            roll,
            title=title,
            colour=COLOURS[index % len(COLOURS)],
            notes=notes,
            frames_per_beat=frames_per_beat,
        )
    panels[-1].set_xlim(0, longest / frames_per_beat)
    panels[-1].set_xlabel("time (quarter notes)", color=INK, fontsize=9)
    return figure


def save_piano_roll(
    rolls: ArrayLike | Mapping[str, ArrayLike],
    path: Path | str,
    *,
    frames_per_beat: int = 1,
    width: float = 10.0,
) -> Path:
    """Save the figure of `piano_roll_figure`; the suffix of the path determines the format.

    Returns:
        The path of the file.

    Raises:
        ShapeError, DataError: as for `piano_roll_figure`, or the file cannot be written.
        OptionError: matplotlib does not write files with this suffix.
    """
    path = Path(path)
    figure = piano_roll_figure(rolls, frames_per_beat=frames_per_beat, width=width)
    formats = figure.canvas.get_supported_filetypes()
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in formats:
        raise OptionError(
            f"a picture's path must end in one of {', '.join(sorted(formats))}, got {path}."
        )
    picture = BytesIO()
    figure.savefig(picture, format=suffix)
    try:
        write_atomically(path, picture.getvalue(), make_folder=False)
    except OSError as error:
        raise DataError(
            f"cannot write the picture {path}: {error.strerror}. "
            "Choose a path in a folder that exists and is writable."
        ) from error
    return path


def pitch_range(rolls: Iterable[Roll]) -> tuple[int, int]:
    """Choose the lowest and highest MIDI note to show: those that sound, with a margin of two.

    At least an octave is shown, and so at least one C. Silent rolls show the octave above
    middle C.
    """
    sounding = np.flatnonzero(np.concatenate(list(rolls)).any(axis=0)) + LOWEST_NOTE
    if len(sounding) == 0:
        return MIDDLE_C, MIDDLE_C + OCTAVE
    low, high = int(sounding[0]) - 2, int(sounding[-1]) + 2
    missing = max(0, OCTAVE - (high - low))
    return low - missing // 2, high + missing - missing // 2


def _drawable(roll: ArrayLike, name: str) -> Roll:
    """Check that a roll can be drawn: a piano roll with at least one frame."""
    frames = as_roll(roll, name=name)
    if len(frames) == 0:
        raise DataError(f"{name} has no frames; there is nothing to draw.")
    return frames


def _draw_keyboard(axes: Axes, low: int, high: int) -> None:
    """Shade the rows of black keys; mark and label every C."""
    for note in range(low, high + 1):
        if note % 12 in BLACK_KEYS:
            axes.axhspan(note - 0.5, note + 0.5, color=SHADE, linewidth=0, zorder=0)
        if note % 12 == 0:
            axes.axhline(note - 0.5, color=GUIDE, linewidth=0.8, zorder=1)
    octaves = [note for note in range(low, high + 1) if note % 12 == 0]
    axes.set_yticks(octaves, [note_name(note) for note in octaves])
