"""What a network read, as one would look at it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.features.picture import Picture, as_colour, read_picture, resize
from elman.features.sound import read_sound
from elman.report.run.facts import ImageInput, SeriesInput
from elman.tasks.task import Task

LONGEST_SIDE = 160
"""Pixels of a picture shown."""


def shown_input(task: Task, value: Any) -> str | SeriesInput | ImageInput:
    """Show an input: a text as it is, numbers over time and sounds as lines, a picture as one.

    Args:
        task: what is asked.
        value: what its input feature takes of a row.
    """
    kind, columns = task.input.kind, task.input_columns
    if kind == "record":
        cells = value if len(columns) > 1 else [value]
        return ", ".join(f"{name} {cell}" for name, cell in zip(columns, cells, strict=True))
    if kind == "series":
        lines = np.asarray(value, dtype=float)
        return SeriesInput(lines if lines.ndim == 1 or len(lines) > 1 else lines[0])
    if kind == "audio":
        return SeriesInput(read_sound(value).samples)
    if kind == "image" or (kind == "frames" and np.ndim(value) == 2):
        return ImageInput(_thumbnail(read_picture(value)))
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


def _thumbnail(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture as bytes, (H, W, 3), no side longer than `LONGEST_SIDE`."""
    height, width = picture.shape[:2]
    smaller = min(1.0, LONGEST_SIDE / max(height, width))
    size = max(1, round(height * smaller)), max(1, round(width * smaller))
    return (as_colour(resize(picture, *size)) * 255).round().astype(np.uint8)
