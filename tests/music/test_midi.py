"""Writing piano rolls as MIDI files, which mido reads again."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from elman.data.catalog import load
from elman.errors import DataError, OptionError, ShapeError
from elman.music.midi import TICKS_PER_BEAT, write_midi

rolls = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.just(88)), elements=st.integers(0, 1))


def read_roll(path: Path, frames_per_beat: int = 1) -> np.ndarray:
    """Read a MIDI file as a roll; every key must be released before it is struck again."""
    ticks = TICKS_PER_BEAT // frames_per_beat
    track = mido.MidiFile(path).tracks[0]
    roll = np.zeros((sum(message.time for message in track) // ticks, 88), np.uint8)
    now, struck = 0, {}
    for message in track:
        now += message.time
        if message.type == "note_on":
            assert message.note not in struck
            struck[message.note] = now // ticks
        elif message.type == "note_off":
            roll[struck.pop(message.note) : now // ticks, message.note - 21] = 1
    assert not struck
    return roll


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(roll=rolls, frames_per_beat=st.sampled_from([1, 2, 3, 4]))
def test_a_roll_is_restored_from_its_midi_file(
    roll: np.ndarray, frames_per_beat: int, tmp_path: Path
) -> None:
    path = write_midi(roll, tmp_path / "x.mid", frames_per_beat=frames_per_beat)
    assert np.array_equal(read_roll(path, frames_per_beat), roll)


def test_a_chorale_is_restored_from_its_midi_file(tmp_path: Path) -> None:
    chorale = load("chorales").test[0]
    assert np.array_equal(read_roll(write_midi(chorale, tmp_path / "x.mid")), chorale)


def test_notes_end_before_others_begin_at_the_same_time(tmp_path: Path) -> None:
    roll = np.zeros((2, 88), np.uint8)
    roll[0, 50], roll[1, 30] = 1, 1
    track = mido.MidiFile(write_midi(roll, tmp_path / "x.mid")).tracks[0]
    kinds = [message.type for message in track if message.type.startswith("note")]
    assert kinds == ["note_on", "note_off", "note_on", "note_off"]


def test_a_held_key_is_struck_once_and_released_once(tmp_path: Path) -> None:
    roll = np.zeros((5, 88), np.uint8)
    roll[1:4, 39] = 1
    track = mido.MidiFile(write_midi(roll, tmp_path / "x.mid", velocity=70)).tracks[0]
    notes = [
        (message.type, message.note, message.velocity, message.time)
        for message in track
        if message.type.startswith("note")
    ]
    beat = TICKS_PER_BEAT
    assert notes == [("note_on", 60, 70, beat), ("note_off", 60, 0, 3 * beat)]


@pytest.mark.parametrize(
    ("tempo", "frames_per_beat", "seconds"), [(90, 1, 40 / 3), (60, 2, 10), (120, 4, 2.5)]
)
def test_a_file_lasts_all_frames_including_silence_at_the_end(
    tempo: float, frames_per_beat: int, seconds: float, tmp_path: Path
) -> None:
    roll = np.zeros((20, 88), np.uint8)
    roll[0, 40] = 1
    path = write_midi(roll, tmp_path / "x.mid", tempo=tempo, frames_per_beat=frames_per_beat)
    assert mido.MidiFile(path).length == pytest.approx(seconds, rel=1e-6)


@pytest.mark.parametrize(("program", "number"), [("piano", 0), ("organ", 19), ("choir", 52)])
def test_the_instrument_is_the_one_of_the_program(
    program: str, number: int, tmp_path: Path
) -> None:
    track = mido.MidiFile(write_midi(np.eye(2, 88), tmp_path / "x.mid", program=program)).tracks[0]
    assert [m.program for m in track if m.type == "program_change"] == [number]


def test_transposing_moves_every_note(tmp_path: Path) -> None:
    path = write_midi(np.eye(2, 88, 30, dtype=np.uint8), tmp_path / "x.mid", transpose=-12)
    notes = [m.note for m in mido.MidiFile(path).tracks[0] if m.type == "note_on"]
    assert notes == [39, 40]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("tempo", 0.0, "tempo must lie in 10 … 1000 quarter notes a minute, got 0.0"),
        ("tempo", float("nan"), "tempo must lie in .* got nan"),
        ("frames_per_beat", 0, "frames_per_beat must be a divisor of 480, got 0"),
        ("frames_per_beat", 7, "divisor of 480, got 7; 1 is a quarter note a frame"),
        ("program", "orgel", "unknown program 'orgel'; did you mean 'organ'"),
        ("velocity", 0, "velocity must lie in 1 … 127, got 0"),
        ("velocity", 128, "velocity must lie in 1 … 127, got 128"),
        ("transpose", 20, "transpose must lie in -21 … 19 semitones.* got 20"),
    ],
)
def test_an_option_out_of_range_is_refused_in_words(
    option: str, value: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=words):
        write_midi(np.eye(2, 88), tmp_path / "x.mid", **{option: value})
    assert not list(tmp_path.iterdir())


def test_an_empty_or_misshapen_roll_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the roll has no frames; there is nothing to write"):
        write_midi(np.zeros((0, 88)), tmp_path / "x.mid")
    with pytest.raises(ShapeError, match=r"roll must be \(T, keys\) = \(T, 88\).*got \(4, 12\)"):
        write_midi(np.zeros((4, 12)), tmp_path / "x.mid")


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot write .*no/x\.mid: No such file or directory"):
        write_midi(np.eye(2, 88), tmp_path / "no" / "x.mid")
