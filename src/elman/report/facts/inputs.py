"""Inputs as the page shows them."""

from __future__ import annotations

from typing import Any

from elman.features.feature import ImageInput, SeriesInput
from elman.tasks.task import Task


def shown_input(task: Task, value: Any) -> str | SeriesInput | ImageInput:
    """Show an input: a text as it is, a series or a sound as lines, a picture as a picture."""
    return task.input.shown(value)
