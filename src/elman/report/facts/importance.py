"""What each input column of a trained model contributes, measured on its validation part."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from elman.data.table import Table
from elman.errors import DataError, OptionError, counted
from elman.evaluation.measures import measure_of
from elman.inspection.importance import Importance
from elman.models.model import Model
from elman.prediction.importance import (
    ColumnImportance,
    column_importance,
    draw_rows,
    shuffles_of,
)
from elman.prediction.predictor import Predictor
from elman.report.run.column_falls import ColumnFall, ColumnFalls
from elman.tasks.dividing import Parts
from elman.tasks.forecast import ForecastTask

REPEATS = (5, 3, 2, 1)
"""Shufflings of each column: the most that are affordable with `ENOUGH` rows."""
MOST_ROWS, ENOUGH, FEWEST_ROWS = 1_000, 100, 40
"""Validation rows that are measured at most; those that are preferred to more shufflings; those
without which nothing is measured, unless there are no more."""
SAMPLE = 50
"""Rows whose steps are counted to see what is affordable."""
AFFORDABLE = 20e6
"""Cost of all shufflings together, about in microseconds of one core."""
OF_A_PATH_STEP = 2.0
"""Cost of a step of a path that is sampled, among thousands of others."""
OF_A_CALL, OF_A_ROW, OF_A_STEP, OF_A_NUMBER = 5e3, 100.0, 10.0, 0.2
"""Costs of measuring rows once; of each row, of each of its steps and of each of its numbers."""


class _Plan(NamedTuple):
    """What is affordable."""

    rows: int
    repeats: int


def importance_of(model: Model, parts: Parts) -> dict[str, Any]:
    """Measure what each column contributes, within a limit of columns × rows × shufflings.

    Args:
        model: trained; nothing of it is changed.
        parts: of its data; validation rows are measured.

    Returns:
        `importance` and `importance_note` of the facts; nothing where there is one input column,
        a forecast reads no covariate, or nothing is predicted for a row.
    """
    predictor, columns = model.predictor, model.task.measured_columns
    count, alone = len(columns), len(model.task.input_columns) == 1
    if not count or alone or not predictor.measures_columns:
        return {}
    try:
        plan = plan_for(count, len(parts.valid), cost_of_a_row(model, parts.valid))
        if plan is None:
            return {
                "importance_note": f"Not measured here: shuffling {counted(count, 'column')} would "
                "take long. In Python, load the run and call model.importance(rows=…, repeats=…)."
            }
        found = column_importance(
            predictor, parts.valid, rows=plan.rows, repeats=plan.repeats, training=parts.train
        )
    except (DataError, OptionError) as error:
        return {"importance_note": f"Not measured: {error}"}
    return {"importance": _shown(found, parts.valid, model.task.rows_name)}


def plan_for(columns: int, available: int, cost: float) -> _Plan | None:
    """Choose rows and shufflings: fewer of both where there are many columns or long rows.

    Args:
        columns: number of columns.
        available: number of rows.
        cost: of one row, in microseconds.

    Returns:
        None where too few rows are affordable.

    >>> plan_for(10, 5_000, cost=120.0)
    _Plan(rows=1000, repeats=5)
    >>> plan_for(500, 5_000, cost=200.0)
    _Plan(rows=175, repeats=1)
    """
    rows = 0
    for repeats in REPEATS:
        affordable = (AFFORDABLE / (columns * repeats) - OF_A_CALL) / cost
        rows = min(available, MOST_ROWS, max(0, int(affordable)))
        if rows >= min(available, ENOUGH):
            return _Plan(rows, repeats)
    return _Plan(rows, 1) if rows >= min(available, FEWEST_ROWS) else None


def cost_of_a_row(model: Model, table: Table) -> float:
    """Estimate the cost of predicting a row, from the steps and numbers of a few."""
    task = model.task
    if isinstance(task, ForecastTask):
        return _cost_of_a_series(task, model.predictor, table)
    values: list[Any] = list(task.encoded_inputs(draw_rows(table, SAMPLE, seed=0)))
    rows = [value if isinstance(value, tuple) else (value,) for value in values]
    with_steps = {
        shuffle.places.part or 0
        for name, shuffle in shuffles_of(task, values).items()
        if task.input.column_has_steps(name)
    }
    steps: int = sum(len(row[part]) for row in rows for part in with_steps)
    numbers: int = sum(tensor.numel() for row in rows for tensor in row)
    return OF_A_ROW + (OF_A_STEP * steps + OF_A_NUMBER * numbers) / max(1, len(rows))


def _cost_of_a_series(task: ForecastTask, predictor: Predictor, table: Table) -> float:
    """Estimate the cost of forecasting a series from all of its origins."""
    assert table.spans is not None, "the parts of a forecast have spans"
    spec, horizon = predictor.experiment.forecast, task.series.horizon
    steps = float((table.spans.stop - table.spans.start).mean())
    origins = max(1.0, steps / (spec.stride or horizon))
    paths = spec.samples if spec.feeds_back else 1
    return OF_A_ROW + origins * OF_A_PATH_STEP * (task.series.window + horizon * paths)


def _shown(found: ColumnImportance, table: Table, rows_name: str) -> list[ColumnFalls]:
    """Turn what was measured into facts of the page, a list of columns a score."""
    shown, most = [], min(MOST_ROWS, len(table))
    for name, columns in found.columns.items():
        measure = measure_of(name)
        shown.append(
            ColumnFalls(
                score=measure.title,
                value=found.scores.values[name],
                higher_is_better=measure.higher_is_better,
                share=measure.share,
                columns=[_fall(column, each) for column, each in columns.items()],
                rows=found.rows,
                available=len(table),
                rows_name=rows_name,
                repeats=found.repeats,
                limited=found.rows < most or found.repeats < REPEATS[0],
            )
        )
    return shown


def _fall(column: str, importance: Importance) -> ColumnFall:
    spread = None if math.isnan(importance.deviation) else importance.deviation
    return ColumnFall(column, importance.mean, spread)
