"""What a network read, as one would look at it."""

from __future__ import annotations

from typing import Any

from elman.features.feature import ImageInput, SeriesInput
from elman.tasks.task import Task


def shown_input(task: Task, value: Any) -> str | SeriesInput | ImageInput:
    """Show an input: a text as it is, numbers over time and sounds as lines, a picture as one."""
    return task.input.shown(value)
