"""Forecasts of the values of a horizon, each with its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.batches.batching import Batch, Targets
from elman.errors import DataError, OptionError, ShapeError
from elman.layers.options import checked_size
from elman.layers.state import described
from elman.networks.objectives.distributions import distribution_from_json
from elman.networks.objectives.distributions.quantiles import Quantiles
from elman.networks.objectives.objective import Objective
from elman.networks.objectives.steps import checked_target


class ForecastObjective(Objective):
    """n values at each of the H steps of a horizon, each by its own distribution of one family.

        loss = (1/N) Σ − ln p(y)            over the N values that are observed

    with the pinball loss in place of − ln p for quantiles. A missing value, NaN, is ignored:
    neither it nor its outputs reach the loss or a gradient.

    A distribution takes P raw numbers a value, and the scale ν and the shift m of the value's
    window. A network's last layer has the raw numbers as outputs, `head_size` = n·P a step;
    `scaled` appends scales and shifts, and the result is the outputs, O = n·(P + 2), that every
    method here takes. Neither is learned: the network's input was shifted and divided by them.

    Given the outputs, values are independent of each other. Where the network reads its own last
    value before the next outputs, a path over the horizon is sampled by `sample`, one step at a
    time.

    Source: Salinas et al. 2020, arXiv:1704.04110, §3.
    """

    name: ClassVar[str] = "forecast"
    per_step: ClassVar[bool] = False
    targets: ClassVar[Targets] = "sequence"
    score_kind: ClassVar[str] = "forecast"
    loss_unit: ClassVar[str] = "loss, of scaled targets"

    def __init__(
        self,
        distribution: str = "gaussian",
        values: int = 1,
        quantiles: Sequence[float] | None = None,
    ) -> None:
        """Set the family of distributions.

        Args:
            distribution: gaussian, student-t, negative-binomial (for counts) or quantiles.
            values: n, numbers a step.
            quantiles: the levels that `quantiles` learns; None for 0.1, 0.2, … 0.9. [0.5] learns
                a point forecast, by the absolute error.

        Raises:
            OptionError: there is no such distribution, n is not a size, or quantiles are not
                ascending levels with ½ among or between them, or are given to another
                distribution.
        """
        super().__init__()
        options: dict[str, Any] = {"name": distribution}
        if quantiles is not None:
            if distribution != "quantiles":
                raise OptionError(
                    f"quantiles are for distribution='quantiles', got {distribution!r}, which has "
                    "every quantile without training for it; leave them out."
                )
            options["levels"] = list(quantiles)
        self.distribution = distribution_from_json(options)
        self.values = checked_size("values", values)
        self.head_size = self.values * self.distribution.size
        self.output_size = self.head_size + 2 * self.values

    def scaled(
        self, raw: Tensor, scale: Tensor | None = None, shift: Tensor | None = None
    ) -> Tensor:
        """Append the scales to the raw outputs of a network.

        Args:
            raw: (…, n·P), the P of a value next to each other.
            scale: ν > 0 of every value, (…, n) or with fewer axes in front: (B, n) holds for all
                steps of (H, B, n·P). None for 1.
            shift: added to every value, in its own unit, (…, n) as the scale; None for 0.

        Returns:
            The outputs, (…, O): after the P numbers of a value, ln ν and m.

        Raises:
            ShapeError: the axes are wrong.
            DataError: a scale is not a number above 0.
            OptionError: a shift is given to a distribution that cannot be shifted, as for counts.
        """
        if raw.dim() == 0 or raw.size(-1) != self.head_size:
            raise ShapeError(
                f"raw must be (…, n·P) with n·P = {self.head_size}, got {described(raw)}."
            )
        of_values = raw.unflatten(-1, (self.values, -1))
        if scale is None:
            scale = torch.ones_like(of_values[..., 0])
        valid = (scale > 0) & scale.isfinite()
        if not bool(valid.all()):
            raise DataError(
                f"a scale must be a number above 0, got {float(scale[~valid][0]):g}; use 1 for a "
                "window without one."
            )
        if shift is None:
            shift = torch.zeros_like(of_values[..., 0])
        elif self.distribution.location is None:
            raise OptionError(
                f"distribution={self.distribution.name!r} cannot be shifted; scale windows by "
                "their mean alone."
            )
        try:
            added = [each.expand(of_values.shape[:-1]) for each in (scale.log(), shift)]
        except RuntimeError as error:
            raise ShapeError(
                f"scale must be (…, n), one for every value or for fewer axes in front, of "
                f"(…, n) = {tuple(of_values.shape[:-1])}, and the shift likewise; got "
                f"{described(scale)} and {described(shift)}."
            ) from error
        return torch.cat([of_values, torch.stack(added, -1)], -1).flatten(-2)

    def parameters_of(self, outputs: Tensor) -> Tensor:
        """Return the parameters of every value's distribution, (…, n, P), of outputs (…, O)."""
        return self._of_distribution(self._of_values(outputs))[0]

    def loss(self, outputs: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean loss per observed value; 0 where there is none.

        Args:
            outputs: (H, B, O).
            target: (H, B, n), NaN where a value is missing.
            lengths: number of steps before the horizon, (B,).

        Raises:
            ShapeError, OptionError: the axes or types are wrong.
            DataError: a value is outside the distribution's range.
        """
        outputs = self._checked(outputs, lengths)
        shape = (*outputs.shape[:2], self.values)
        target = checked_target(target, "H, B, n", shape, ids=False)
        observed = ~target.isnan()
        # Missing values are removed first: backwards through eˣ, 0 · NaN would be NaN.
        parameters, scale = self._of_distribution(self._of_values(outputs)[observed])
        losses = self.distribution.loss(parameters, scale, target[observed])
        return losses.sum() / max(1, losses.numel())

    def weight(self, batch: Batch) -> int:
        """Return the number of terms in the mean loss of a batch: the observed values."""
        return int((~batch.target.isnan()).sum())

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the expected values, (…, n), of outputs (…, O)."""
        return self.distribution.mean(self.parameters_of(outputs))

    def quantile(self, outputs: Tensor, level: float) -> Tensor:
        """Return the quantiles of one level, (…, n), of outputs (…, O).

        Raises:
            OptionError: the level is not between 0 and 1, or not within those learned.
        """
        return self.distribution.quantile(self.parameters_of(outputs), level)

    def at_levels(self, outputs: Tensor, levels: Tensor) -> Tensor:
        """Return quantiles of a level for each value, (…, n), of outputs (…, O) of `quantiles`.

        A level below the lowest, or above the highest learned, gives the quantile of that one.

        Raises:
            OptionError: the distribution is another one.
        """
        family = self.distribution
        if not isinstance(family, Quantiles):
            raise OptionError(
                f"levels for each value are for distribution='quantiles', got {family.name!r}."
            )
        return family.at_levels(self.parameters_of(outputs), levels)

    def sample(self, outputs: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """Sample values independently, (count, …, n), of outputs (…, O)."""
        count = checked_size("count", count)
        return self.distribution.sample(self.parameters_of(outputs), count, generator)

    @torch.no_grad()
    def answers(self, outputs: Tensor, lengths: Tensor) -> list[Tensor]:
        """Return the medians of each row's values, (H, n)."""
        return list(self.quantile(self._checked(outputs, lengths), 0.5).unbind(1))

    def probabilities(self, outputs: Tensor, lengths: Tensor) -> None:
        """Return None: the uncertainty of a forecast is in its quantiles."""
        self._checked(outputs, lengths)

    def to_json(self) -> dict[str, Any]:
        """Describe the objective: its name and options."""
        family = self.distribution.to_json()
        return {
            "name": self.name,
            "distribution": family["name"],
            "values": self.values,
            "quantiles": family.get("levels"),
        }

    def _of_distribution(self, of_values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the parameters, (…, P), and scales, (…), of outputs by value, (…, P + 2)."""
        scale, shift = of_values[..., -2].exp(), of_values[..., -1]
        parameters = self.distribution.parameters(of_values[..., :-2], scale)
        if self.distribution.location is None:
            return parameters, scale
        return self.distribution.shifted(parameters, shift), scale

    def _of_values(self, outputs: Tensor) -> Tensor:
        """Return outputs (…, O) by value, (…, n, P + 2)."""
        if outputs.dim() == 0 or outputs.size(-1) != self.output_size:
            raise ShapeError(
                f"outputs must be (…, O) with O = {self.output_size}, got {described(outputs)}."
            )
        of_values: Tensor = outputs.unflatten(-1, (self.values, -1))
        return of_values

    def _checked(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        if outputs.dim() != 3 or outputs.size(-1) != self.output_size:
            raise ShapeError(
                f"outputs must be (H, B, O) with O = {self.output_size}, got {described(outputs)}."
            )
        if lengths.shape != outputs.shape[1:2]:
            raise ShapeError(
                f"lengths must be (B,) = ({outputs.size(1)},), one a row of the outputs, "
                f"got {described(lengths)}."
            )
        return outputs
