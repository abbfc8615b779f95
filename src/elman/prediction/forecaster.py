"""Forecasts of a trained network: from the ends of series, and measured from rolling origins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from elman.batches.forecast_windows import ForecastWindows
from elman.data.table import Table
from elman.errors import OptionError, counted
from elman.evaluation.scores import Scores
from elman.networks.segments import SegmentForecaster
from elman.prediction.backtest import backtest
from elman.prediction.calibrating import begin_at_naive, calibrate
from elman.prediction.forecasts import ForecastOptions, forecast_ends, with_quantiles
from elman.prediction.predictor import Predictions, Predictor
from elman.tasks.forecast import ForecastTask
from elman.tasks.seasons import notes_of_logarithms
from elman.tasks.series import SeriesLayout

LEVELS = (0.1, 0.5, 0.9)
"""Default quantiles of a forecast."""

SHOWN = 3
"""Maximum number of items, or of names, listed in a note."""


class ForecastPredictor(Predictor):
    """Forecasts series."""

    task: ForecastTask
    takes: ClassVar[frozenset[str]] = frozenset({"horizon", "quantiles", "seed", "paths"})
    needs_rows: ClassVar[bool] = False
    measures_columns: ClassVar[bool] = True

    def predict(self, table: Table) -> Predictions:
        """Refuse: a forecast is not one target per row."""
        del table
        raise OptionError(
            f"this model forecasts: its task is {self.task.sentence}; use forecast (on the "
            "command line, predict with --horizon and --quantiles)."
        )

    def refuse(self, option: str) -> NoReturn:
        """Refuse an option of other predictors."""
        raise OptionError(f"{option} has no meaning in a forecast; leave it out.")

    def _scores(self, table: Table, training: Table | None) -> Scores:
        return self._measured(table, training, None)

    def _scores_from(self, table: Table, training: Table | None, origins: int) -> Scores:
        if origins < 1:
            raise OptionError(f"origins must be at least 1, got {origins}.")
        return self._measured(table, training, origins)

    def _measured(self, table: Table, training: Table | None, of_each: int | None) -> Scores:
        options = ForecastOptions.of(self.experiment.forecast)
        member = self._member_without(table, training)
        return backtest(
            self.task,
            self.network,
            table,
            options,
            self.batch_size,
            of_each=of_each,
            member=member,
            progress=self.progress,
        )

    def _member_without(self, table: Table, training: Table | None) -> int | None:
        """Return the member that did not learn from a part; None where all or none did.

        With folds the validation part, which begins where the training part ends, is that which
        the last member was not trained on.
        """
        folds = self.experiment.forecast.folds if self.experiment.forecast.segment else 0
        if not folds or training is None or table.spans is None or training.spans is None:
            return None
        begins = self._by_series(table, table.spans.start)
        ends = self._by_series(training, training.spans.stop)
        return folds - 1 if begins and begins.items() <= ends.items() else None

    def _by_series(self, table: Table, steps: Any) -> dict[Any, int]:
        """Return a step of each series, by its item."""
        name = self.experiment.data.sequence_id
        items = table.column(name) if name in table.columns else range(len(table))
        return dict(zip(items, steps.tolist(), strict=True))

    def begin(self, validation: ForecastWindows) -> list[str]:
        """Measure the naive forecasts, and let the network begin from the best one."""
        if not isinstance(self.network, SegmentForecaster):
            return []
        return begin_at_naive(
            self.network,
            validation,
            self.experiment.forecast.naive,
            logarithms=self.task.series.logarithms,
        )

    def finish(self, validation: ForecastWindows) -> list[str]:
        """Calibrate the network by what its forecasts of the validation rows leave."""
        if not isinstance(self.network, SegmentForecaster):
            return []
        fallback, logarithms = self.experiment.forecast.fallback, self.task.series.logarithms
        return calibrate(self.network, validation, fallback=fallback, logarithms=logarithms)

    def columns(
        self,
        table: Table | None,
        *,
        probabilities: bool = False,
        seed: int | None = None,
        decoding: Mapping[str, Any] | None = None,
        horizon: int | None = None,
        quantiles: Sequence[float] | None = None,
        paths: int | None = None,
    ) -> dict[str, Any]:
        """Forecast series; see `Predictor.columns`."""
        if probabilities or decoding:
            self.refuse("probabilities" if probabilities else next(iter(decoding or {})))
        if seed is not None and not self.network.feedback and not paths:
            raise OptionError(
                "this model samples nothing but paths, so a seed changes nothing: leave --seed "
                "(seed=) out, or ask for paths."
            )
        levels = self._usual_levels() if quantiles is None else quantiles
        return self.forecast(
            table, horizon, levels, 1 if seed is None else seed, paths or 0, written=True
        )

    def _usual_levels(self) -> list[float]:
        """Return the default quantiles, as far as the network has learned them."""
        spec = self.experiment.forecast
        learned = [0.5] if spec.distribution == "point" else spec.levels or [0.0, 1.0]
        return [level for level in LEVELS if learned[0] <= level <= learned[-1]]

    def forecast(
        self,
        table: Table | None,
        horizon: int | None,
        quantiles: Sequence[float],
        seed: int,
        paths: int = 0,
        *,
        written: bool = False,
    ) -> dict[str, list[Any]]:
        """Forecast what comes after the last known value of every series.

        Args:
            table: series, a row each; None for those of the training data.
            horizon: steps ahead; None for as many as were trained.
            quantiles: their levels.
            seed: of the paths that are sampled.
            paths: how many of them are returned.
            written: whether times are as the data writes them, not dates of Python.
        """
        data = self.experiment.data
        if table is None and data.name is None and not data.files:
            raise OptionError("the model was trained on values in memory; pass the series.")
        options = ForecastOptions.of(self.experiment.forecast)
        options = with_quantiles(options, quantiles, seed, paths)
        layout = SeriesLayout(data)
        series = layout.whole(numeric=layout.numeric(self.task)) if table is None else table
        ahead = data.horizon if horizon is None else horizon
        return forecast_ends(
            self.task, self.network, series, ahead, options, self.batch_size, written=written
        )

    def notes_of(self, table: Table) -> list[str]:
        """Say which items, and which names of categories, no training row has."""
        name, learned = self.experiment.data.sequence_id, set(self.task.series.items)
        items = [] if name is None else list(table.column(name))
        reads = self.task.series.reads_items
        new = [item for item in items if item not in learned] if reads else []
        notes = []
        if new:
            listed = ", ".join(map(repr, new[:SHOWN]))
            more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
            notes.append(f"items not in the training rows are forecast as unknown: {listed}{more}.")
        return [*notes, *notes_of_logarithms(self.task, table), *_notes_of_names(self.task, table)]


def _notes_of_names(task: ForecastTask, table: Table) -> list[str]:
    """Say which names of categories no training row has, a sentence a column."""
    feature, columns = task.series, task.input_columns
    steps: Counter[str] = Counter()
    names: dict[str, Counter[Any]] = {}
    first: dict[str, int] = {}
    for row, value in enumerate(table.values(columns) if feature.categories.columns else ()):
        for column, cells in feature.named_cells(feature.cells(value)):
            steps[column] += len(cells)
            if unknown := feature.categories.unknown(column, cells):
                names.setdefault(column, Counter()).update(unknown)
                first.setdefault(column, row)
    notes = []
    for column, found in names.items():
        listed = ", ".join(repr(name) for name in list(found)[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        many, unit = found.total(), "series" if column in feature.static_categories else "step"
        total = f"{steps[column]:,} series" if unit == "series" else counted(steps[column], unit)
        has = "has" if many == 1 else "have"
        notes.append(
            f"{many:,} of {total} {has} a name in {column} that no training row has, and that is "
            f"read as unknown: {listed}{more}; first in the series that begins at "
            f"{table.where(first[column])}."
        )
    return notes
