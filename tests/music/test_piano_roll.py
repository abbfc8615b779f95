"""Pictures of piano rolls."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from elman.data.catalog import load
from elman.errors import DataError, OptionError, ShapeError
from elman.music.piano_roll import (
    COLOURS,
    draw_piano_roll,
    piano_roll_figure,
    pitch_range,
    save_piano_roll,
)


def roll_of(*cells: tuple[int, int], frames: int) -> np.ndarray:
    """A roll in which, at each (frame, MIDI note), the note sounds."""
    roll = np.zeros((frames, 88), np.uint8)
    for frame, note in cells:
        roll[frame, note - 21] = 1
    return roll


def bars_of(axes: Axes) -> list[tuple[float, float, float]]:
    """(pitch, start, end) of every bar, times rounded to a tenth of a beat."""
    (collection,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    boxes = [path.get_extents() for path in collection.get_paths()]
    return [(round((box.y0 + box.y1) / 2, 6), round(box.x0, 1), round(box.x1, 1)) for box in boxes]


def test_every_held_note_is_one_bar_at_its_pitch_and_time() -> None:
    axes = Figure().subplots()
    draw_piano_roll(axes, roll_of((0, 60), (1, 60), (3, 60), (2, 67), frames=8))
    assert bars_of(axes) == [(60, 0, 2), (67, 2, 3), (60, 3, 4)]
    assert axes.get_xlim() == (0, 8)


def test_time_is_counted_in_quarter_notes() -> None:
    axes = Figure().subplots()
    draw_piano_roll(axes, roll_of((4, 60), (5, 60), frames=8), frames_per_beat=2)
    assert bars_of(axes) == [(60, 2, 3)]
    assert axes.get_xlim() == (0, 4)


def test_pitches_are_named_at_every_c() -> None:
    axes = Figure().subplots()
    draw_piano_roll(axes, roll_of((0, 47), (1, 73), frames=2))
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["C3", "C4", "C5"]
    assert axes.get_yticks().tolist() == [48, 60, 72]


def test_the_range_has_a_margin_around_the_notes_and_at_least_an_octave() -> None:
    assert pitch_range([roll_of((0, 48), frames=1), roll_of((0, 72), frames=1)]) == (46, 74)
    assert pitch_range([roll_of((0, 60), frames=1)]) == (54, 66)
    assert pitch_range([roll_of(frames=3)]) == (60, 72)


def test_rolls_above_each_other_share_both_axes() -> None:
    figure = piano_roll_figure(
        {"real": roll_of((0, 50), frames=4), "generated": roll_of((0, 80), frames=12)}
    )
    upper, lower = figure.axes
    assert upper.get_ylim() == lower.get_ylim() == (47.5, 82.5)
    assert upper.get_xlim() == lower.get_xlim() == (0, 12)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["real", "generated"]


def test_the_picture_shows_the_notes_in_their_colour(tmp_path: Path) -> None:
    path = save_piano_roll({"a": np.eye(9, 88), "b": np.eye(5, 88)}, tmp_path / "x.png")
    pixels = (imread(path)[..., :3] * 255).round().astype(int).reshape(-1, 3)
    for colour in COLOURS[:2]:
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == rgb).all(axis=1).sum() > 500


def test_the_same_roll_gives_the_same_picture(tmp_path: Path) -> None:
    chorale = load("chorales").valid[0]
    one = save_piano_roll(chorale, tmp_path / "one.png").read_bytes()
    assert save_piano_roll(chorale, tmp_path / "two.png").read_bytes() == one


def test_a_silent_roll_is_a_picture_of_an_empty_keyboard(tmp_path: Path) -> None:
    assert save_piano_roll(np.zeros((6, 88)), tmp_path / "x.png").stat().st_size > 0


def test_drawing_leaves_pyplot_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    picture = save_piano_roll(np.eye(4, 88), tmp_path / "x.svg")
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_rolls_that_cannot_be_drawn_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="roll 'b' has no frames; there is nothing to draw"):
        piano_roll_figure({"a": np.eye(3, 88), "b": np.zeros((0, 88))})
    with pytest.raises(DataError, match=r"^roll has no frames; there is nothing to draw"):
        piano_roll_figure(np.zeros((0, 88)))
    with pytest.raises(ShapeError, match=r"roll 'a' must be \(T, keys\).*got \(3, 12\)"):
        piano_roll_figure({"a": np.eye(3, 12)})
    with pytest.raises(DataError, match="there are no rolls to draw"):
        piano_roll_figure({})
    with pytest.raises(OptionError, match="frames_per_beat must be at least 1, got 0"):
        draw_piano_roll(Figure().subplots(), np.eye(3, 88), frames_per_beat=0)
    with pytest.raises(OptionError, match=r"path must end in one of .*png.* got .*x\.mid"):
        save_piano_roll(np.eye(3, 88), tmp_path / "x.mid")
    with pytest.raises(DataError, match=r"cannot write .*no/x\.png: No such file or directory"):
        save_piano_roll(np.eye(3, 88), tmp_path / "no" / "x.png")
