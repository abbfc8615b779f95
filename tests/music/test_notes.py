"""Musical statistics of piano rolls."""

from __future__ import annotations

import numpy as np
import pytest

from elman.errors import ShapeError
from elman.music.notes import describe

C4, E4, G4, C5, CSHARP5 = 60, 64, 67, 72, 73


def roll_of(*frames: tuple[int, ...]) -> np.ndarray:
    roll = np.zeros((len(frames), 88), np.uint8)
    for frame, notes in enumerate(frames):
        roll[frame, [note - 21 for note in notes]] = 1
    return roll


def test_voices_range_held_notes_scale_and_silence_are_counted() -> None:
    music = describe(roll_of((C4, E4, G4), (C4, C5), (), (CSHARP5,)))
    assert music is not None
    assert music.voices == 2.0
    assert (music.lowest, music.highest) == (C4, CSHARP5)
    assert music.held == pytest.approx(1 / 6)
    assert music.scale == "C major / A minor"
    assert music.in_scale == pytest.approx(5 / 6)
    assert music.silent == 0.25


def test_the_description_names_notes_as_musicians_do() -> None:
    assert str(describe(roll_of((C4, E4), (C4, G4)))) == (
        "2.0 notes at once, C4 to G4; 25% of the notes held over from the frame before; 100% in "
        "the scale of C major / A minor."
    )
    assert "; 50% of the frames silent." in str(describe(roll_of((C4,), ())))


@pytest.mark.parametrize(("moved", "scale"), [(2, "D major / B minor"), (11, "B major / G♯ minor")])
def test_a_scale_moved_up_is_the_scale_of_its_new_tonic(moved: int, scale: str) -> None:
    major = roll_of(*[(C4 + step + moved,) for step in (0, 2, 4, 5, 7, 9, 11, 12)])
    music = describe(major)
    assert music is not None
    assert (music.scale, music.in_scale) == (scale, 1.0)


def test_silence_has_no_description() -> None:
    assert describe(np.zeros((4, 88))) is None
    assert describe(np.zeros((0, 88))) is None


def test_values_that_are_no_roll_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"roll must be \(T, keys\)"):
        describe(np.zeros((4, 87)))
