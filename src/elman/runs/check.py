"""The check of an experiment's data, without training."""

from __future__ import annotations

from typing import Any, NamedTuple

from elman.errors import DataError
from elman.experiment import Experiment
from elman.tasks.check.check import Check, check_of
from elman.tasks.layout import layout_of


class Checked(NamedTuple):
    """A check, and why its rows cannot be divided, where they cannot."""

    check: Check
    problem: str
    """In a sentence; empty where there is none."""


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
    return Checked(check_of(given, parts), "")
