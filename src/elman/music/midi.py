"""Writing piano rolls as MIDI files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, TypedDict, Unpack

from numpy.typing import ArrayLike

from elman.errors import DataError, MissingDependencyError, OptionError, import_extra, unknown
from elman.features.roll import KEYS, LOWEST_NOTE, as_roll, held_notes
from elman.files import write_atomically

TICKS_PER_BEAT = 480
PROGRAMS = {"piano": 0, "organ": 19, "choir": 52}
"""General MIDI programs, from 0: acoustic grand piano, church organ, choir aahs."""
SLOWEST, FASTEST = 10.0, 1000.0
HIGHEST_MIDI_NOTE = 127


class MIDIOptions(TypedDict, total=False):
    """The options of `encode_midi`, where they are described."""

    tempo: float
    frames_per_beat: int
    program: str
    velocity: int
    transpose: int


def mido() -> Any:
    """Import the package mido, which writes MIDI files.

    Raises:
        MissingDependencyError: mido is not installed.
    """
    return import_extra("mido", "music", "writing music as MIDI")


def can_write_midi() -> bool:
    """Tell whether mido is installed."""
    try:
        mido()
    except MissingDependencyError:
        return False
    return True


def write_midi(roll: ArrayLike, path: Path | str, **options: Unpack[MIDIOptions]) -> Path:
    """Write a piano roll as a MIDI file.

    Args:
        roll: zeros and ones, (T, 88), at least one frame.
        path: path of the file; an older file is replaced.
        options: options of `encode_midi`.

    Returns:
        The path of the file.

    Raises:
        ShapeError, DataError: `roll` is no piano roll or has no frame, or the file cannot be
            written.
        OptionError: an option is unknown or out of range.
    """
    encoded = encode_midi(roll, **options)
    path = Path(path)
    try:
        write_atomically(path, encoded, make_folder=False)
    except OSError as error:
        raise DataError(
            f"cannot write the MIDI file {path}: {error.strerror}. "
            "Choose a path in a folder that exists and is writable."
        ) from error
    return path


def encode_midi(
    roll: ArrayLike,
    *,
    tempo: float = 90.0,
    frames_per_beat: int = 1,
    program: str = "organ",
    velocity: int = 80,
    transpose: int = 0,
) -> bytes:
    """Encode a piano roll as the bytes of a MIDI file.

    A key held over consecutive frames is one long note. A frame lasts 1 / `frames_per_beat` of a
    beat (quarter note). The chorales are sampled at quarter notes (1 frame a beat), the other
    three corpora at eighth notes (2 frames a beat).

    Args:
        roll: zeros and ones, (T, 88), at least one frame.
        tempo: beats (quarter notes) a minute, 10 … 1000.
        frames_per_beat: number of frames a beat, a divisor of 480.
        program: the instrument: "organ", "piano" or "choir".
        velocity: velocity of every note, 1 … 127.
        transpose: semitones upwards, −21 … 19; −12 brings the chorales into the range of a choir.

    Raises:
        ShapeError, DataError: `roll` is no piano roll, or has no frame.
        OptionError: an option is unknown or out of range.

    Source of the sampling: N. Boulanger-Lewandowski's page of the ICML 2012 data sets,
    http://www-etud.iro.umontreal.ca/~boulanni/icml2012.
    """
    frames = as_roll(roll)
    if len(frames) == 0:
        raise DataError("the roll has no frames; there is nothing to write as MIDI.")
    _check_options(tempo, frames_per_beat, program, velocity, transpose)
    midi = mido()
    ticks = TICKS_PER_BEAT // frames_per_beat

    # At equal ticks, notes end (0) before others begin (1).
    events = []
    for note, start, end in held_notes(frames):
        pitch = note + transpose
        events += [(start * ticks, 1, pitch), (end * ticks, 0, pitch)]
    track = midi.MidiTrack()
    track.append(midi.MetaMessage("set_tempo", tempo=midi.bpm2tempo(tempo)))
    track.append(midi.Message("program_change", program=PROGRAMS[program]))
    now = 0
    for tick, begins, note in sorted(events):
        kind, strength = ("note_on", velocity) if begins else ("note_off", 0)
        track.append(midi.Message(kind, note=note, velocity=strength, time=tick - now))
        now = tick
    track.append(midi.MetaMessage("end_of_track", time=len(frames) * ticks - now))

    encoded = BytesIO()
    midi.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track]).save(file=encoded)
    return encoded.getvalue()


def _check_options(
    tempo: float, frames_per_beat: int, program: str, velocity: int, transpose: int
) -> None:
    """Refuse options that a MIDI file cannot express."""
    if not SLOWEST <= tempo <= FASTEST:
        raise OptionError(
            f"tempo must lie in {SLOWEST:g} … {FASTEST:g} quarter notes a minute, got {tempo}."
        )
    if frames_per_beat < 1 or TICKS_PER_BEAT % frames_per_beat:
        raise OptionError(
            f"frames_per_beat must be a divisor of {TICKS_PER_BEAT}, got {frames_per_beat}; "
            "1 is a quarter note a frame, 2 an eighth, 4 a sixteenth."
        )
    if program not in PROGRAMS:
        raise unknown("program", program, PROGRAMS)
    if not 1 <= velocity <= 127:
        raise OptionError(f"velocity must lie in 1 … 127, got {velocity}.")
    lowest, highest = -LOWEST_NOTE, HIGHEST_MIDI_NOTE - (LOWEST_NOTE + KEYS - 1)
    if not lowest <= transpose <= highest:
        raise OptionError(
            f"transpose must lie in {lowest} … {highest} semitones, so that all {KEYS} keys remain "
            f"MIDI notes, got {transpose}."
        )
