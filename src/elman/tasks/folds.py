"""Folds: each row outside the test part is held out from the training of one of several networks.

With `training.folds` the training and the validation rows are one table. Its rows are training
rows, but for the network that holds them out; and all of them are validation rows, each answered by
that network alone. A column says which one it is, so that this holds wherever they are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.data.concatenation import concatenate
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, counted
from elman.experiment import Experiment
from elman.tasks.dividing import Parts
from elman.tasks.duplicates import keys_of, units_of
from elman.tasks.task import Task

HELD_OUT = "(held out by)"
"""Column of the number of the network that does not train on a row, from 0."""


def pooled(parts: Parts, task: Task, experiment: Experiment) -> Parts:
    """Return parts whose training rows are validation rows too, each held out by one network.

    Args:
        parts: with validation rows of their own.
        task: what is predicted from what.
        experiment: complete; where it has no folds, the parts are returned as they are.

    Raises:
        ExperimentError: the rows cannot be held out at random.
        DataError: there are fewer rows than folds.
    """
    import pyarrow as pa

    count = experiment.training.folds
    if not count:
        return parts
    _check(parts, task, experiment)
    whole = concatenate([parts.train, parts.valid], source=parts.train.source)
    folds = folds_of(whole, task, experiment)
    note = (
        f"{count} networks answer together. Each trains on all {len(whole):,} rows outside the "
        f"test part but a share of 1 in {count}, and validation scores are of each row's answer by "
        "the network that has not seen it."
    )
    valid = whole.with_columns({HELD_OUT: pa.array(folds)})
    findings = [] if parts.check is None else parts.check.findings
    too_few = [each.sentence for each in findings if each.code == "validation"]
    notes = [each for each in parts.notes if each not in too_few]
    return parts._replace(train=whole, valid=valid, notes=[*notes, note])


def folds_of(table: Table, task: Task, experiment: Experiment) -> NDArray[np.int64]:
    """Number the fold of each row.

    Classes have equal shares in all folds, up to one row. Rows of one group, as `data.group` says,
    and rows with the same input stay in one fold.

    Args:
        table: training and validation rows.
        task: what is predicted from what.
        experiment: complete.

    Returns:
        (rows,), each 0 … folds − 1. The same seed gives the same folds.

    Raises:
        DataError: there are fewer rows, or groups of them, than folds.
    """
    count = experiment.training.folds
    units = _units(table, task, experiment)
    _, firsts = np.unique(units, return_index=True)
    if len(firsts) < count:
        raise DataError(
            f"training.folds = {count} needs as many different rows outside the test part, and "
            f"{table.source} has {counted(len(firsts), 'row')}; give more, or fewer folds."
        )
    order = np.random.default_rng([experiment.seed, count]).permutation(len(firsts))
    if task.target.is_class:
        named = [str(value) for value in table.select(firsts).values(task.target_columns)]
        _, classes = np.unique(named, return_inverse=True)
        order = order[np.argsort(classes[order], kind="stable")]
    of_units = np.empty(len(firsts), np.int64)
    of_units[order] = np.arange(len(order)) % count
    return of_units[units]


def _units(table: Table, task: Task, experiment: Experiment) -> NDArray[np.int64]:
    """Number the rows that stay together, from 0."""
    data = experiment.data
    if data.group is not None:
        names = [str(value) for value in table.column(data.group)]
        return np.unique(names, return_inverse=True)[1]
    keys = keys_of(data, [table], task.input_columns) if data.duplicates == "together" else None
    units = None if keys is None else units_of(keys[0])
    return np.arange(len(table)) if units is None else units


def _check(parts: Parts, task: Task, experiment: Experiment) -> None:
    """Refuse folds where rows cannot be held out at random.

    Raises:
        ExperimentError: so it is.
    """
    data: Any = experiment.data
    asked = f"training.folds = {experiment.training.folds}"
    if not task.can_be_folded:
        raise ExperimentError(
            f"{asked} averages networks with one answer a row to one target, and this task is "
            f"{task.sentence}; leave it out."
        )
    if data.valid_files:
        raise ExperimentError(
            f"{asked} validates by shares of the training rows, and data.valid_files names rows to "
            "validate by; leave one of them out."
        )
    if parts.train.spans is not None or data.split_order == "time":
        raise ExperimentError(
            f"{asked} holds rows out at random, and these are in the order of time; leave it out."
        )
