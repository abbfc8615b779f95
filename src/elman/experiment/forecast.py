"""A forecast: of which distribution, from windows scaled how, and by how many paths."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scaling = Literal["mean", "standard", "global"]


class ForecastSpec(BaseModel):
    """What only an experiment with a `data.horizon` has.

    Attributes:
        distribution: of a value ahead: `gaussian`, `student-t`, `negative-binomial` for counts,
            `quantiles` without a shape, or `point`, the median alone.
        levels: that `quantiles` learns, rising; none for 0.1, 0.2, … 0.9.
        feedback: whether a step reads the value before it, drawn where it lies ahead: paths, as
            DeepAR has them. Without, all steps of the horizon are answered at once. None for with
            where there is a density, without for quantiles and points.
        scaling: what the values of a window are divided by: the `mean` of their sizes; `standard`,
            their deviation, after their mean is taken off; or `global`, mean and deviation of the
            training part, the same for every window.
        samples: paths drawn of every forecast.
        stride: steps from one forecast that is measured to the next of the same series; none for
            the horizon, so that they follow each other.
        standardised: whether scores are of values less the mean of the training part, divided by
            its deviation, as they are published for multivariate sets.
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
                f"levels are what distribution = 'quantiles' learns, got {self.distribution!r}, of "
                "which any quantile can be asked afterwards; leave them out"
            )
        if self.distribution == "negative-binomial" and self.scaling == "standard":
            raise ValueError(
                "scaling = 'standard' takes a mean off, and counts of a negative binomial begin at "
                "0; take scaling = 'mean'"
            )
        return self

    @property
    def feeds_back(self) -> bool:
        """Whether a step reads the value before it."""
        if self.feedback is None:
            return self.distribution not in {"quantiles", "point"}
        return self.feedback

    def objective(self, values: int) -> dict[str, Any]:
        """Describe the objective of so many numbers a step, as `objective_from_json` reads it."""
        point = self.distribution == "point"
        return {
            "name": "forecast",
            "distribution": "quantiles" if point else self.distribution,
            "values": values,
            "quantiles": [0.5] if point else self.levels,
        }
