"""The settings of a forecast: its distribution, scaling, sample paths and scores."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scaling = Literal["mean", "standard", "global"]


SAMPLES = 200
"""Default number of sample paths."""

LEVELS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)
"""Default levels of `quantiles`: deciles, and the ends of intervals of 90 and 95 %."""


LOGARITHMIC = ("quantiles", "point")
"""Distributions that logarithms can be forecast with."""


class ForecastSpec(BaseModel):
    """How series are forecast; only for experiments with a `data.horizon`.

    Attributes:
        distribution: distribution of each predicted value: `gaussian`, `student-t`,
            `negative-binomial` for counts, `quantiles` without a parametric form, or `point`, the
            median only.
        levels: quantile levels for `quantiles`, rising; by default 0.025, 0.05, 0.1, 0.2, … 0.9,
            0.95, 0.975.
        segment: number of steps that the recurrent layers read at a time, before all steps of the
            horizon are predicted at once, as what is added to a naive forecast; 0 reads step by
            step and runs on over the horizon. By default the shortest season, or 0 with feedback
            or a highway.
        transform: what is learned of the values: `none`, themselves; `log`, their logarithms, as
            where they vary in proportion to their level, which by default is found in the training
            rows. Only with segments, and with `quantiles` or `point`.
        naive: naive forecast that the network corrects: `last`, `mean`, `drift`, or `season 24`
            for the value 24 steps before; by default the best one on the validation rows.
        folds: number of networks whose forecasts are averaged, each trained without another part
            of the training and validation steps and validated on it; 0 trains one, validated on
            the validation steps. By default 5 where these are few. Only with segments.
        sampling: how training windows are drawn: `windows`, all alike; `series`, so that each
            series gives as many as another, however long; `scale`, in proportion to the mean
            absolute value of their series.
        members: number of networks, trained on the same rows, whose forecasts are averaged. Only
            with segments and without folds.
        item_embedding: whether the network learns a vector of each item of several series. By
            default not where segments are read: a window shows what its series is like, and a
            network that knows its name learns by heart what came after it; else yes.
        fallback: whether validation decides how much of the network's correction is kept: where it
            is not clearly better than the naive forecast, forecasts are the naive ones. Only with
            segments.
        feedback: whether each step reads the value before it. In the horizon that value is
            sampled, which gives sample paths, as in DeepAR. Without feedback all steps of the
            horizon are predicted at once. By default on for densities, and off for `quantiles` and
            `point`.
        scaling: how a window is scaled: `mean` divides by the mean absolute value of the window;
            `standard` subtracts its mean and divides by its standard deviation; `global` uses the
            mean and standard deviation of the training rows for every window.
        samples: number of sample paths of every forecast, with feedback.
        stride: steps between the starts of two evaluated forecasts of a series; by default the
            horizon, so that they follow each other without overlap.
        standardised: whether scores are computed on standardised values (mean and standard
            deviation of the training rows), as published for multivariate data sets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    distribution: Literal["gaussian", "student-t", "negative-binomial", "quantiles", "point"] = (
        "quantiles"
    )
    levels: list[float] | None = None
    segment: int | None = Field(default=None, ge=0)
    transform: Literal["none", "log"] | None = None
    naive: str | None = None
    folds: int | None = Field(default=None, ge=0)
    sampling: Literal["windows", "series", "scale"] = "windows"
    members: int = Field(default=1, ge=1)
    item_embedding: bool | None = None
    fallback: bool = True
    feedback: bool | None = None
    scaling: Scaling = "mean"
    samples: int = Field(default=SAMPLES, ge=1)
    stride: int | None = Field(default=None, ge=1)
    standardised: bool = False

    @model_validator(mode="after")
    def _refuse_what_contradicts_itself(self) -> ForecastSpec:
        if self.levels is not None and self.distribution != "quantiles":
            raise ValueError(
                f"levels are for distribution = 'quantiles', got {self.distribution!r}, which "
                "gives any quantile after training; leave levels out"
            )
        if self.distribution == "negative-binomial" and self.scaling == "standard":
            raise ValueError(
                "scaling = 'standard' subtracts the mean, but the counts of a negative binomial "
                "must be at least 0; use scaling = 'mean'"
            )
        if self.samples != SAMPLES and not self.feeds_back:
            raise ValueError(
                f"samples = {self.samples} is for sampled paths, which feedback gives; say "
                "forecast.feedback = true, or leave samples out"
            )
        self._refuse_what_contradicts_segments()
        return self

    def _refuse_what_contradicts_segments(self) -> None:
        """Refuse settings of forecasts that read segments beside those of others."""
        if self.folds == 1:
            raise ValueError("folds must be 0, or at least 2")
        if self.folds and self.members > 1:
            raise ValueError("folds are members of their own; leave members out")
        if self.segment and self.feeds_back:
            raise ValueError(
                f"segment = {self.segment} predicts all steps at once, and feedback reads each "
                "before the next; say forecast.feedback = false, or leave segment out"
            )
        if self.segment == 0 or self.feeds_back:
            for name in self.only_with_segments:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is for forecasts that read segments; "
                    "say forecast.feedback = false without segment = 0, or leave it out"
                )
        if self.transform == "log" and self.distribution not in LOGARITHMIC:
            raise ValueError(
                f"transform = 'log' is for distribution = 'quantiles' or 'point', got "
                f"{self.distribution!r}; leave one of them out"
            )
        if self.transform == "log" and self.standardised:
            raise ValueError(
                "standardised scores are of the values, and transform = 'log' learns logarithms; "
                "leave one of them out"
            )
        if self.segment and self.scaling != "mean":
            raise ValueError(
                "scaling has no effect where segments are read: a window is scaled by its own "
                "differences; leave it out, or say segment = 0"
            )

    @property
    def only_with_segments(self) -> list[str]:
        """The settings that are given and have no meaning unless segments are read."""
        given = {
            "transform": self.transform == "log",
            "naive": self.naive is not None,
            "folds": bool(self.folds),
            "members": self.members > 1,
            "fallback": not self.fallback,
        }
        return [name for name, is_given in given.items() if is_given]

    @property
    def feeds_back(self) -> bool:
        """Whether a step reads the value before it."""
        if self.feedback is None:
            return self.distribution not in {"quantiles", "point"}
        return self.feedback

    def objective(self, values: int) -> dict[str, Any]:
        """Describe the objective for so many values a step, as `objective_from_json` reads it."""
        point = self.distribution == "point"
        return {
            "name": "forecast",
            "distribution": "quantiles" if point else self.distribution,
            "values": values,
            "quantiles": [0.5] if point else self.levels or _levels_of(self.distribution),
        }


def _levels_of(distribution: str) -> list[float] | None:
    """Return the default levels of a distribution; None where it has all quantiles."""
    return list(LEVELS) if distribution == "quantiles" else None
