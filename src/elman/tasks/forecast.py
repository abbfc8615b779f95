"""The task of forecasting the next values of series, several steps ahead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from elman.batches.forecast_windows import (
    MOST_WINDOWS,
    ForecastWindows,
    Origins,
    folded_origins,
    origins_between,
    training_origins,
    training_origins_begin,
    weights_of,
)
from elman.data.frequency import Frequency
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, counted, unknown
from elman.experiment import Experiment
from elman.experiment.data import DataSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.experiment.training import TrainingSettings
from elman.features.forecast import ForecastFeature
from elman.networks.naive import naive_names
from elman.tasks.covariates import covariate_roles
from elman.tasks.defaults import FEW, Settings, epochs_for
from elman.tasks.fitting import fit_feature
from elman.tasks.seasons import (
    found_seasons,
    notes_of_logarithms,
    notes_of_seasons,
    notes_of_transform,
    segment_for,
    segments_of,
    transform_for,
    window_for,
)
from elman.tasks.segments import settings_of_segments
from elman.tasks.task import Task

CATEGORY = "encoder-decoder"

MOST_VALIDATED = 4_000
"""Greatest number of windows that an epoch is validated on."""


@dataclass(frozen=True)
class ForecastTask(Task):
    """The values of the next steps of series, from a window of their past and known covariates."""

    has_target_columns: ClassVar[bool] = False
    rows_name: ClassVar[str] = "series"
    shuffles_steps: ClassVar[bool] = True
    decodes: ClassVar[bool] = True  # `Experiment` refuses the options of decoding symbols

    @property
    def series(self) -> ForecastFeature:
        """The feature of series, which is that of input and target."""
        feature: Any = self.input
        return feature  # type: ignore[no-any-return]

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """The covariates."""
        return self.series.covariates

    def training_batches(
        self,
        table: Table,
        settings: TrainingSettings,
        seed: int,
        cache: Path | None = None,
        sampling: str = "windows",
    ) -> ForecastWindows:
        """Cut series into windows, anywhere in their past."""
        del cache
        series = encode_series(self, table)
        origins = training_origins(self.series, [len(each) for each in series])
        return self._windows(series, origins, settings.batch_size, seed, sampling)

    def evaluation_batches(
        self, table: Table, batch_size: int, cache: Path | None = None
    ) -> ForecastWindows:
        """Cut series into all windows whose horizon lies in the part."""
        del cache
        assert table.spans is not None, "the parts of a forecast have spans"
        series = encode_series(self, table)
        origins = origins_between(table.spans.start, table.spans.stop - self.series.horizon, 1)
        return self._windows(series, origins, batch_size, 0)

    def batches(
        self,
        train: Table,
        valid: Table,
        experiment: Experiment,
        settings: TrainingSettings,
        seed: int,
        cache: Path | None = None,
    ) -> tuple[ForecastWindows, ForecastWindows]:
        """Cut series into windows for training and for validation, for each member its own."""
        asked = experiment.forecast
        folds = asked.folds if asked.segment else 0
        if not folds:
            training = self.training_batches(train, settings, seed, cache, asked.sampling)
            return training, self.evaluation_batches(valid, settings.batch_size, cache)
        series, held = self._series_of_both(train, valid)
        stop = np.array([len(each) for each in series])
        horizon = self.series.horizon
        first = training_origins_begin(self.series, stop)
        learned, validated = folded_origins(first, held, stop, horizon, folds)
        if not len(validated.step):
            raise ExperimentError(
                f"forecast.folds = {folds} parts of the series are each shorter than the horizon, "
                f"{counted(horizon, 'step')}; ask for fewer folds, or for a shorter horizon."
            )
        size = settings.batch_size * folds
        training = self._windows(series, learned, size, seed, asked.sampling)
        return training, self._windows(series, validated, 512, 0)

    def _series_of_both(self, train: Table, valid: Table) -> tuple[list[Tensor], NDArray[np.int64]]:
        """Return series with training and validation steps, and where the latter begin."""
        assert valid.spans is not None, "the parts of a forecast have spans"
        series, held = encode_series(self, valid), valid.spans.start
        if not self.series.several:
            return series, held
        items = set(valid.column(self.input_columns[-1]))
        names = train.column(self.input_columns[-1])
        others = [row for row, item in enumerate(names) if item not in items]
        short = encode_series(self, train.select(others)) if others else []
        return [*series, *short], np.concatenate([held, [len(each) for each in short]]).astype(
            np.int64
        )

    def _windows(
        self,
        series: list[Tensor],
        origins: Origins,
        size: int,
        seed: int,
        sampling: str | None = None,
    ) -> ForecastWindows:
        """Return windows, in a random order where it is said how they are sampled."""
        return ForecastWindows(
            series,
            origins,
            self.series.layout,
            window=self.series.window,
            horizon=self.series.horizon,
            batch_size=size,
            seed=seed,
            shuffle=sampling is not None,
            most=MOST_VALIDATED if sampling is None else MOST_WINDOWS,
            weights=weights_of(sampling, series, origins, self.series.layout.values),
        )

    def check(self, experiment: Experiment) -> None:
        """Refuse settings that have no meaning in a forecast, or contradict each other.

        Raises:
            ExperimentError: there is such a setting.
        """
        super().check(experiment)
        if experiment.training.folds:
            raise ExperimentError(
                f"training.folds = {experiment.training.folds} holds out whole rows, and a "
                "forecast has series; use forecast.folds, which holds out parts of their steps."
            )
        asked, names = experiment.forecast, naive_names(self.series.seasons)
        if asked.naive is not None and asked.naive not in names:
            raise ExperimentError(
                f"{unknown('forecast.naive', asked.naive, names)} Seasons are given by data.season."
            )
        if asked.item_embedding is not None and not self.series.several:
            raise ExperimentError(
                f"forecast.item_embedding = {str(asked.item_embedding).lower()} is for several "
                "series, which data.sequence_id tells apart; leave it out."
            )
        if segment_for(asked, experiment.network, list(self.series.seasons)) == 0:
            for name in asked.only_with_segments:
                raise ExperimentError(
                    f"forecast.{name} = {getattr(asked, name)!r} is for forecasts that read "
                    "segments, and feedback, scaling and network.highway are for those that "
                    "read step by step; leave one of them out."
                )

    def base_rates(self, train: Table) -> None:
        """Return None: the values of a forecast have no base rates."""

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return columns, window, season, and settings that suit the number of windows."""
        assert train.spans is not None, "the parts of a forecast have spans"
        feature = self.series
        room = train.spans.stop - feature.window - feature.horizon
        settings = {
            "data.target": list(self.target_columns),
            "data.input": [*feature.past, *feature.past_categories, *feature.fixed],
            "data.window": feature.window,
            "data.season": list(feature.seasons) or 1,
            "data.frequency": feature.frequency,
            **self.default_settings(int(room.clip(min=1).sum())),
        }
        segment = segment_for(experiment.forecast, experiment.network, list(feature.seasons))
        settings["forecast.segment"] = segments_of(feature.window, segment)
        settings["forecast.transform"] = "log" if feature.logarithms else "none"
        if feature.several:
            settings["forecast.item_embedding"] = feature.reads_items
        if settings["forecast.segment"]:
            settings |= settings_of_segments(experiment.forecast, feature, train)
        return {name: value for name, value in settings.items() if value not in (None, [])}

    def notes_of_later(self, table: Table) -> list[str]:
        """Say which values of the series have no logarithm."""
        return notes_of_logarithms(self, table)

    def default_settings(self, rows: int) -> Settings:
        """Return settings that suit a number of windows."""
        settings = self.chosen_settings(rows)
        return settings | {"training.patience": max(5, settings["training.epochs"] // 3)}

    def chosen_settings(self, rows: int) -> Settings:
        """Return settings of small networks: a series holds little beside its noise."""
        return {
            "network.category": self.category,
            "network.cell": "gru",
            "network.hidden_size": 16 if rows < FEW else 40 if rows < 20_000 else 64,
            "network.output_dropout": 0.1,
            # Unknown items and names may come.
            "network.word_dropout": 0.1 if self.series.layout.ids else 0.0,
            "training.optimizer": "adamw",
            "training.schedule": "cosine",
            "training.clip_norm": 1.0,
            "training.batch_size": 16 if rows < 2_000 else 64,
            "training.epochs": epochs_for(rows, seen=100_000, least=10, most=100),
            "training.learning_rate": 3e-3,
            "training.weight_decay": 0.01,
            "training.average_decay": 0.98 if rows < 2_000 else 0.99,
        }

    def network_arguments(self, experiment: Experiment) -> dict[str, Any]:
        """Return what building the forecaster needs of the series."""
        feature, asked = self.series, experiment.forecast
        return {
            "forecast": {
                "layout": feature.layout,
                "horizon": feature.horizon,
                "means": feature.means.tolist(),
                "deviations": feature.deviations.tolist(),
                **(self._segments(asked) if asked.segment else self._steps(asked)),
            }
        }

    def _segments(self, asked: ForecastSpec) -> dict[str, Any]:
        """Return the arguments of a network that reads segments."""
        segment = asked.segment or 1
        return {
            "window": max(segment, self.series.window // segment * segment),
            "segment": segment,
            "seasons": list(self.series.seasons),
            "several": self.series.several,
            "members": asked.folds or asked.members,
        }

    def _steps(self, asked: ForecastSpec) -> dict[str, Any]:
        """Return the arguments of a network that reads step by step."""
        return {
            "feedback": asked.feeds_back,
            "scaling": asked.scaling,
            "sizes": self.series.sizes.tolist(),
        }


def encode_series(task: Task, table: Table) -> list[Tensor]:
    """Encode the series of a table; an error names the series."""
    encoded = []
    for row, value in enumerate(table.values(task.input_columns)):
        try:
            encoded.append(task.input.encode(value))
        except DataError as error:
            raise DataError(f"the series that begins at {table.where(row)}: {error}") from error
    return encoded


def find_forecast(
    data: DataSpec, network: NetworkSpec, forecast: ForecastSpec, train: Table
) -> ForecastTask:
    """Find the task, and fit the feature on the training part.

    Args:
        data: the columns, the horizon, the window and the season.
        network: category and objective, which must not contradict a forecast.
        forecast: the distribution.
        train: series, a row each.

    Raises:
        ExperimentError: the settings contradict each other.
        DataError: a value cannot be taken; its series is named.
    """
    for name, value, expected in (
        ("category", network.category, CATEGORY),
        ("objective", network.objective, "forecast"),
    ):
        if value not in (None, expected):
            raise ExperimentError(
                f"network.{name} = {value!r} does not suit data.horizon = {data.horizon}, which "
                f"asks for a forecast; leave it out, or say {expected!r}."
            )
    for name, setting, default in (
        ("label_smoothing", network.label_smoothing, 0.0),
        ("class_weights", network.class_weights, "none"),
    ):
        if setting != default:
            raise ExperimentError(f"network.{name} has no meaning in a forecast; leave it out.")
    frequency = None if data.frequency is None else Frequency.parse(data.frequency)
    roles = covariate_roles(data, train)
    seasons = (
        data.seasons if "season" in data.model_fields_set else found_seasons(data, frequency, train)
    )
    segment = segment_for(forecast, network, seasons)
    transform = transform_for(data, forecast, segment, seasons, train)
    feature = ForecastFeature(
        targets=data.target,
        horizon=data.horizon,
        window=data.window or window_for(data.horizon, seasons, segment, train),
        seasons=seasons,
        season=1 if data.season == 1 and not seasons else None,
        **roles,
        frequency=None if frequency is None else str(frequency),
        timed=data.time is not None,
        time_format=data.time_format,
        time_zone=data.time_zone,
        several=data.sequence_id is not None,
        reads_items=segment == 0 if forecast.item_embedding is None else forecast.item_embedding,
        reads_age=segment == 0,
        counts=forecast.distribution == "negative-binomial",
        logarithms=transform == "log",
    )
    columns = [*data.target, *feature.covariates]
    columns += [name for name in (data.time, data.sequence_id) if name is not None]
    fit_feature(feature, train, columns)
    return ForecastTask(
        category=CATEGORY,
        input_columns=tuple(columns),
        target_columns=tuple(data.target),
        input=feature,
        target=feature,
        objective=forecast.objective(len(data.target)),
        sentence=_sentence(feature, forecast, len(train)),
        notes=(
            *notes_of_seasons(data, seasons),
            *notes_of_transform(feature, forecast),
            *feature.notes,
        ),
    )


def _sentence(feature: ForecastFeature, forecast: ForecastSpec, series: int) -> str:
    """Describe the task in a line."""
    step = "step" if feature.steps is None or feature.steps.of_numbers else str(feature.steps)
    many = f" of {series:,} series" if feature.several else ""
    many += f" with {' and '.join(feature.fixed)}" if feature.fixed else ""
    ahead = (
        f"the next {counted(feature.horizon, 'step')}, each {step}"
        if " " in step
        else (f"the next {counted(feature.horizon, step)}")
    )
    return (
        f"input: {feature.description}{many}, {counted(feature.window, 'step')} back; target: "
        f"{ahead} of {', '.join(feature.targets)}, {forecast.distribution} → {CATEGORY}"
    )
