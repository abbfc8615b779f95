"""The settings of a forecast: its distribution, scaling, sample paths and scores."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scaling = Literal["mean", "standard", "global"]


class ForecastSpec(BaseModel):
    """How series are forecast; only for experiments with a `data.horizon`.

    Attributes:
        distribution: distribution of each predicted value: `gaussian`, `student-t`,
            `negative-binomial` for counts, `quantiles` without a parametric form, or `point`, the
            median only.
        levels: quantile levels for `quantiles`, rising; by default 0.1, 0.2, … 0.9.
        feedback: whether each step reads the value before it. In the horizon that value is
            sampled, which gives sample paths, as in DeepAR. Without feedback all steps of the
            horizon are predicted at once. By default on for densities, and off for `quantiles` and
            `point`.
        scaling: how a window is scaled: `mean` divides by the mean absolute value of the window;
            `standard` subtracts its mean and divides by its standard deviation; `global` uses the
            mean and standard deviation of the training rows for every window.
        samples: number of sample paths of every forecast.
        stride: steps between the starts of two evaluated forecasts of a series; by default the
            horizon, so that they follow each other without overlap.
        standardised: whether scores are computed on standardised values (mean and standard
            deviation of the training rows), as published for multivariate data sets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    distribution: Literal["gaussian", "student-t", "negative-binomial", "quantiles", "point"] = (
        "gaussian"
    )
    levels: list[float] | None = None
    feedback: bool | None = None
    scaling: Scaling = "mean"
    samples: int = Field(default=200, ge=1)
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
        return self

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
            "quantiles": [0.5] if point else self.levels,
        }
