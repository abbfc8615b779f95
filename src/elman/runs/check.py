"""The check of an experiment's data, without training."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from elman.data.table import Table
from elman.errors import DataError, ExperimentError
from elman.experiment import Experiment
from elman.tasks.check.check import Check, check_of
from elman.tasks.dividing import Parts
from elman.tasks.find import task_of
from elman.tasks.given import Given
from elman.tasks.layout import layout_of

TRIED = 20_000
"""Cells that a task is tried on at most, before all of them are."""


class Checked(NamedTuple):
    """A check, and why nothing can be trained on these data, where nothing can."""

    check: Check
    problem: str
    """In a sentence; empty where there is none, or no target is named."""


def check_data(experiment: Experiment, source: Any = None) -> Checked:
    """Check the data of an experiment.

    No target need be named: then all columns are described as what may be read.

    Args:
        experiment: the experiment, without defaults.
        source: values passed in Python, where the experiment names no data.

    Raises:
        DataError: the data cannot be read.
        ExperimentError: a column is unknown, or has two roles.
    """
    data = layout_of(experiment.data).with_known_columns(source)
    given = layout_of(data).given(source)
    try:
        parts = given.layout.divided(given, experiment.seed)
    except DataError as error:
        return Checked(check_of(given), str(error))
    problem = _problem(experiment, given, parts) if data.target else ""
    return Checked(check_of(given, parts), problem)


def _problem(experiment: Experiment, given: Given, parts: Parts) -> str:
    """Say why training would refuse; `""` if it would not.

    The features are fitted on some of the rows. If these are refused, all of them are tried.
    """
    rows = max(100, TRIED // max(1, len(given.shown.columns)))
    few = parts._replace(
        train=_some(parts.train, rows),
        valid=_some(parts.valid, rows),
        test=None if parts.test is None else _some(parts.test, rows),
    )
    problem = ""
    for tried in [few, parts] if len(parts.train) > rows else [parts]:
        try:
            task_of(experiment, given, tried)
        except (DataError, ExperimentError) as error:
            problem = str(error)
        else:
            return ""
    return problem


def _some(table: Table, rows: int) -> Table:
    """Return at most so many rows, evenly spread over a table."""
    if len(table) <= rows:
        return table
    return table.select(np.linspace(0, len(table) - 1, rows).astype(np.int64))
