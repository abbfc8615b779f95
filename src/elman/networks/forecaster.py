"""The forecaster: the past of a series is read, its next values are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError, unknown
from elman.experiment.forecast import Scaling
from elman.features.forecast_columns import Layout
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.decoding.step import select_rows
from elman.networks.forecast_rows import check_generators, past_lengths
from elman.networks.inputs import Inputs
from elman.networks.objectives.forecast import ForecastObjective

SCALINGS: tuple[str, ...] = get_args(Scaling)

_LEAST = 1e-3
"""Least ratio of a window's deviation to the mean size of its values: less is rounding."""


class Scales(NamedTuple):
    """The scaling of a window's values: y = shift + scale · z."""

    scale: Tensor
    """ν > 0, (B, n)."""
    shift: Tensor
    """(B, n)."""


class _Window(NamedTuple):
    """A batch of windows, scaled for the recurrent part."""

    read: Tensor
    """Columns of `inputs`, (P + H, B, columns)."""
    scaled: Tensor
    """z, 0 where a value is not observed, (P + H, B, n)."""
    at: Tensor
    """Indices of the steps in every row's horizon, (H, B)."""
    scales: Scales

    @property
    def past(self) -> Tensor:
        """Number of steps before the horizon, (B,)."""
        return self.at[0]

    def ahead(self, values: Tensor) -> Tensor:
        """Return the horizon of each row, (H, B, …), of values (P + H, B, …)."""
        return values.gather(0, self.at.unsqueeze(-1).expand(-1, -1, values.size(-1)))


class Forecaster(nn.Module):
    """One stack of recurrent layers runs over the past and on over the horizon.

        z(t) = (y(t) − m) / ν                               m, ν of the window's past
        h(t) = recurrent(z(t−1), observed(t−1), c(t−1), k(t), h(t−1))
        p(y(t) | …) = objective(head(h(t)), ν, m)           t in the horizon

    c are covariates known only up to now, 0 in the horizon; k are known covariates: the calendar
    and what is static included, and the embedding of the item. Categories are read by their
    embeddings, those of c by that of the unknown id in the horizon. With several series ln ν is
    read, too.

    With feedback, z(t−1) is the true value in training, and a sample from p(y(t−1)) in
    forecasting: the sample paths of DeepAR, whose encoder and decoder are the same. Without it,
    values in the horizon count as not observed, and one pass gives all of its steps.

    Scales are, over the observed values of the past,

        mean       ν = mean |y|, m = 0
        standard   ν = the standard deviation, m = the mean
        global     those of the training rows, whatever the window; m = 0 and ν = mean |y| for a
                   distribution that cannot be shifted

    and ν of the training rows where the past has no values, or only zeros.

    A highway adds to the location of each value a linear function of the previous p values of its
    series, with the same weights for all series: with feedback of the step itself, else of each
    step of the horizon.

    Source: Salinas et al. 2020, arXiv:1704.04110, §3, whose ν is 1 + mean |y|, which depends on the
    unit; without feedback similar to Wen et al. 2017, arXiv:1711.11053. The highway without
    feedback is the linear model of Zeng et al. 2023, arXiv:2205.13504.
    """

    writes: ClassVar[bool] = True
    """Whether `forward` takes the target."""

    means: Tensor
    deviations: Tensor
    sizes: Tensor

    def __init__(
        self,
        inputs: Inputs,
        recurrent: RecurrentLayer,
        head: nn.Module,
        objective: ForecastObjective,
        layout: Layout,
        *,
        horizon: int,
        feedback: bool = True,
        scaling: str = "mean",
        highway: int = 0,
        means: Sequence[float] | None = None,
        deviations: Sequence[float] | None = None,
        sizes: Sequence[float] | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Assemble the network from its parts.

        Args:
            inputs: takes `read_columns(layout)` numbers and `layout.ids`.
            recurrent: a recurrent layer, one direction, time first.
            head: maps its outputs to `objective.head_size` numbers.
            objective: objective of n values a step.
            layout: meaning of the columns of a step.
            horizon: H in training.
            feedback: whether a step in the horizon also reads the previous value.
            scaling: mean, standard or global.
            highway: p, number of previous values; 0 for no highway.
            means: means of the training values, (n,); None for 0.
            deviations: their standard deviations, (n,); None for 1.
            sizes: means of their absolute values, (n,); None for 1.
            device: device of the parameters.

        Raises:
            OptionError: the parts do not fit together, or an option would shift a distribution
                that cannot be shifted.
        """
        super().__init__()
        if scaling not in SCALINGS:
            raise unknown("scaling", scaling, SCALINGS)
        if recurrent.bidirectional or recurrent.batch_first:
            raise OptionError(
                "a forecaster runs from the past into the horizon; give it unidirectional layers, "
                "time first."
            )
        shifts = objective.distribution.location is not None
        if not shifts and (scaling == "standard" or highway):
            raise OptionError(
                f"distribution={objective.distribution.name!r} starts at 0 and cannot be shifted, "
                "as scaling='standard' and a highway do; use scaling='mean' and highway=0."
            )
        if inputs.size != recurrent.input_size:
            raise OptionError(
                f"the recurrent part reads {recurrent.input_size} values a step and the inputs "
                f"give {inputs.size}; build it with input_size={inputs.size}."
            )
        self.inputs, self.recurrent, self.head, self.objective = inputs, recurrent, head, objective
        self.layout, self.horizon = layout, horizon
        self.feedback = self.has_paths = feedback
        self.scaling, self.shifts = scaling, shifts
        n = layout.values
        for name, values, default in (
            ("means", means, 0.0),
            ("deviations", deviations, 1.0),
            ("sizes", sizes, 1.0),
        ):
            numbers = [default] * n if values is None else list(values)
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.float32, device=device))
        self.highway: nn.Linear | None = None
        if highway:
            steps = 1 if feedback else horizon
            self.highway = nn.Linear(highway, steps, bias=False, device=device)
            nn.init.zeros_(self.highway.weight)

    def forward(
        self,
        x: Tensor,
        state: None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        target: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Return the outputs for every value of the horizon.

        Args:
            x: a past and a horizon for each row, (P + H, B, columns), as `ForecastFeature` encodes
                steps; values and past covariates in the horizon are not read.
            state: None; a window is read from its start.
            lengths: steps of each row, the horizon included, (B,); None means P + H for all.
            target: values of the horizon, (H, B, n), NaN where one is missing. With feedback they
                are the previous values; without it only their number H is used, which is that of
                training where the target is None.

        Returns:
            The outputs of the objective, (H, B, O), and None.

        Raises:
            ShapeError: the axes are wrong.
            OptionError: lengths are out of range, a state is given, or feedback lacks a target.
        """
        if state is not None:
            raise OptionError("a forecaster reads a window from its start; leave state out.")
        if target is None and self.feedback:
            raise OptionError(
                "with feedback, a forecast reads the previous values; give the target, or sample "
                "paths by `sample`."
            )
        steps = self.horizon if target is None else len(target)
        window = self._window(x, lengths, steps, target if self.feedback else None)
        rows = window.past + steps
        hidden, _ = self.recurrent(self.inputs(window.read, rows), lengths=rows)
        raw = self.head(window.ahead(hidden))
        if self.highway is not None:
            raw = self._with_linear(raw, self._linear(window))
        return self._scaled(raw, window.scales), None

    @torch.no_grad()
    def sample(
        self,
        x: Tensor,
        lengths: Tensor,
        *,
        horizon: int,
        count: int,
        generators: Sequence[torch.Generator],
    ) -> Tensor:
        """Sample paths: each value is sampled given the path before it.

        All rows and paths advance together, one step a call.

        Args:
            x: as for `forward`, (P + H, B, columns).
            lengths: steps of each row, (B,).
            horizon: H, which may be longer than in training.
            count: S, paths per row.
            generators: one a row, so that its paths do not depend on the other rows.

        Returns:
            The paths, (S, H, B, n), in the unit of the series.

        Raises:
            OptionError: there is no feedback, or there is not one generator a row.
        """
        if not self.feedback:
            raise OptionError("without feedback values are independent, and there are no paths.")
        check_generators(generators, x)
        window = self._window(x, lengths, horizon, None)
        _, state = self.recurrent(self.inputs(window.read, window.past), lengths=window.past)
        index = torch.arange(x.size(1), device=x.device).repeat_interleave(count)
        state, ahead = select_rows((state, window.ahead(window.read)), index)
        scales = Scales(*(part[index] for part in window.scales))
        before = None if self.highway is None else self._lags(window)[:, index]
        n = self.layout.values
        paths: list[Tensor] = []
        for step in range(horizon):
            row = ahead[step]
            if paths:
                z = (paths[-1] - scales.shift) / scales.scale
                row = torch.cat([z, torch.ones_like(z), row[:, 2 * n :]], -1)
                before = None if before is None else torch.cat([before[1:], z.unsqueeze(0)])
            hidden, state = self.recurrent(self.inputs(row.unsqueeze(0)), state)
            raw = self.head(hidden[0])
            if before is not None and self.highway is not None:
                linear = torch.einsum("pbn,p->bn", before, self.highway.weight[0])
                raw = self._with_linear(raw, linear)
            outputs = self._scaled(raw, scales).split(count)
            drawn = zip(outputs, generators, strict=True)
            paths.append(torch.cat([self.objective.sample(o, 1, g)[0] for o, g in drawn]))
        by_row: Tensor = torch.stack(paths).unflatten(1, (-1, count))
        return by_row.permute(2, 0, 1, 3)

    def _window(
        self,
        x: Tensor,
        lengths: Tensor | Sequence[int] | None,
        horizon: int,
        target: Tensor | None,
    ) -> _Window:
        """Scale a batch of windows and concatenate the inputs of every step."""
        layout = self.layout
        n = layout.values
        if x.dim() != 3 or x.size(-1) != layout.columns:
            raise ShapeError(
                f"a forecaster reads (P + H, B, columns) with columns = {layout.columns}, got "
                f"{described(x)}."
            )
        past = past_lengths(x, lengths, horizon)
        inside = (torch.arange(len(x), device=x.device).unsqueeze(1) < past).unsqueeze(-1)
        values = x[..., :n].masked_fill(~inside, torch.nan)
        scales = self.scales(values)
        at = past + torch.arange(horizon, device=x.device).unsqueeze(1)
        z = (values - scales.shift) / scales.scale
        if target is not None:
            future = (target - scales.shift) / scales.scale
            z = z.scatter(0, at.unsqueeze(-1).expand_as(future), future)
        observed = ~z.isnan()
        z = z.where(observed, 0)
        sizes = [n, layout.past, layout.known, len(layout.past_ids)]
        _, past_numbers, known, past_ids, known_ids = x.split([*sizes, x.size(-1) - sum(sizes)], -1)
        parts = [_before(z), _before(observed.to(z))]
        if layout.past or layout.past_ids:
            parts += [_before(past_numbers.where(inside, 0)), _before(inside.to(z))]
        parts.append(known)
        if layout.items:
            parts.append((scales.scale / self.sizes).log().expand_as(z))
        parts += [_before(past_ids.where(inside, 0)), known_ids]
        return _Window(torch.cat(parts, -1), z, at, scales)

    def scales(self, values: Tensor) -> Scales:
        """Return the scales of each window's past, (P, B, n), NaN where a value is missing."""
        observed = ~values.isnan()
        filled = values.where(observed, 0)
        count = observed.sum(0).clamp(min=1)
        size = filled.abs().sum(0) / count
        if self.scaling == "global" and self.shifts:
            ones = torch.ones_like(size)
            return Scales(ones * self.deviations, ones * self.means)
        if self.scaling == "global":
            return Scales(torch.ones_like(size) * self.sizes, torch.zeros_like(size))
        if self.scaling == "mean":
            return Scales(size.where(size > 0, self.sizes), torch.zeros_like(size))
        mean = filled.sum(0) / count
        deviation = ((values - mean).where(observed, 0).square().sum(0) / count).sqrt()
        varies = deviation > _LEAST * size
        scale = deviation.where(varies, (_LEAST * size).where(size > 0, self.deviations))
        return Scales(scale, mean.where(observed.any(0), self.means))

    def _scaled(self, raw: Tensor, scales: Scales) -> Tensor:
        """Turn raw outputs into the objective's outputs."""
        return self.objective.scaled(raw, scales.scale, scales.shift if self.shifts else None)

    def _linear(self, window: _Window) -> Tensor:
        """Return the linear forecast of each step of the horizon, (H, B, n), in units of ν."""
        assert self.highway is not None
        horizon = len(window.at)
        if not self.feedback:
            lags = self._lags(window)
            return torch.einsum("pbn,hp->hbn", lags, self.highway.weight[:horizon])
        steps = self.highway.in_features
        flat = window.scaled.permute(1, 2, 0).flatten(0, 1).unsqueeze(1)
        sums = F.conv1d(F.pad(flat[..., :-1], (steps, 0)), self.highway.weight.unsqueeze(0))
        linear = sums.squeeze(1).unflatten(0, window.scaled.shape[1:]).permute(2, 0, 1)
        return window.ahead(linear)

    def _lags(self, window: _Window) -> Tensor:
        """Return the p values of each row before its horizon, 0 before its start, (p, B, n)."""
        assert self.highway is not None
        steps = self.highway.in_features
        at = window.past - steps + torch.arange(steps, device=window.at.device).unsqueeze(1)
        index = at.clamp(min=0).unsqueeze(-1).expand(-1, -1, self.layout.values)
        return window.scaled.gather(0, index).where((at >= 0).unsqueeze(-1), 0)

    def _with_linear(self, raw: Tensor, linear: Tensor) -> Tensor:
        """Add the linear forecast to the location of every value."""
        of_values = raw.unflatten(-1, (self.layout.values, -1))
        location = self.objective.distribution.location or 0
        added = F.pad(linear.unsqueeze(-1), (location, of_values.size(-1) - 1 - location))
        shifted: Tensor = of_values + added
        return shifted.flatten(-2)

    def extra_repr(self) -> str:
        """Return the layout and the options."""
        return f"{self.layout}, horizon={self.horizon}, feedback={self.feedback}, {self.scaling}"


def read_columns(layout: Layout) -> int:
    """Return how many numbers a forecaster's inputs read at a step, beside the ids."""
    of_values = 2 * layout.values + (layout.values if layout.items else 0)
    marked = bool(layout.past or layout.past_ids)
    return of_values + layout.past + marked + layout.known


def _before(values: Tensor) -> Tensor:
    """Shift values, (T, B, …), by one step, so that each is read where the next is forecast."""
    return torch.cat([torch.zeros_like(values[:1]), values[:-1]])
