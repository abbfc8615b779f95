"""Examples of what a model did: a wrong answer is shown with its input, as one would look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import elman
from elman.data.table import Table
from elman.features.picture import LONGEST_SIDE
from elman.report.facts.examples import examples_of
from elman.report.run.facts import ImageInput, SeriesInput

ROWS = 12


def a_picture(row: int) -> np.ndarray[Any, Any]:
    """Return a wide colour picture, a little brighter from row to row: red, no green, full blue."""
    picture = np.zeros((8, 2 * LONGEST_SIDE, 3), np.uint8)
    picture[..., 0], picture[..., 2] = 20 * row, 255
    return picture


def a_sound(row: int) -> dict[str, Any]:
    """Return half a second at 8 kHz of one amplitude, greater from row to row."""
    return {"array": [row / ROWS] * 4_000, "sampling_rate": 8_000}


def wrong(make: Callable[[int], Any], folder: Path) -> list[Any]:
    """Train next to nothing on labels that mean nothing; return inputs of the wrong answers."""
    labels = [("a", "b")[row % 2] for row in range(ROWS)]
    columns = {"it": [make(row) for row in range(ROWS)], "label": labels}
    small = {"epochs": 1, "hidden_size": 2} if make is a_sound else {"epochs": 1, "head": [2]}
    model = elman.train(columns, target="label", out=folder / "run", **small)
    shown = examples_of(model, Table.from_columns(columns, origin="it"))["wrong"]
    assert shown
    return [each.input for each in shown]


def test_a_picture_is_shown_as_a_small_one_in_its_colours(tmp_path: Path) -> None:
    for shown in wrong(a_picture, tmp_path):
        assert isinstance(shown, ImageInput)
        pixels = np.asarray(shown.pixels)
        assert pixels.shape == (4, LONGEST_SIDE, 3)
        assert (pixels[..., 1:] == (0, 255)).all()
        assert int(pixels[0, 0, 0]) % 20 == 0


def test_a_sound_is_shown_as_its_wave(tmp_path: Path) -> None:
    for shown in wrong(a_sound, tmp_path):
        assert isinstance(shown, SeriesInput)
        assert np.shape(shown.values) == (4_000, 1)
        amplitude = float(np.asarray(shown.values)[0, 0])
        assert amplitude * ROWS == pytest.approx(round(amplitude * ROWS))
