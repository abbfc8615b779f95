"""Many-to-many, asynchronous: the past of a series is read, its next values are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import OptionError, ShapeError, unknown
from elman.experiment.forecast import Scaling
from elman.features.forecast import Layout
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.decoding.step import select_rows
from elman.networks.inputs import Inputs
from elman.networks.objectives.forecast import ForecastObjective
from elman.sequence.ragged import checked_lengths

SCALINGS: tuple[str, ...] = get_args(Scaling)

_LEAST = 1e-3
"""A window's deviation is at least this part of its values' mean size: less is rounding."""


class Scales(NamedTuple):
    """What the values of a window are measured by: y = shift + scale · z."""

    scale: Tensor
    """ν > 0, (B, n)."""
    shift: Tensor
    """(B, n)."""


class _Window(NamedTuple):
    """A batch of windows as the recurrent part reads it."""

    read: Tensor
    """Columns of `inputs`, (P + H, B, columns)."""
    scaled: Tensor
    """z, 0 where a value is not known, (P + H, B, n)."""
    at: Tensor
    """The step of every row's horizon, (H, B)."""
    scales: Scales

    @property
    def past(self) -> Tensor:
        """Steps before the horizon, (B,)."""
        return self.at[0]

    def ahead(self, values: Tensor) -> Tensor:
        """Return the horizon of each row, (H, B, …), of values (P + H, B, …)."""
        return values.gather(0, self.at.unsqueeze(-1).expand(-1, -1, values.size(-1)))


class Forecaster(nn.Module):
    """One stack of recurrent layers reads the past and goes on over the horizon.

        z(t) = (y(t) − m) / ν                               m, ν of the window's past
        h(t) = recurrent(z(t−1), observed(t−1), c(t−1), k(t), h(t−1))
        p(y(t) | …) = objective(head(h(t)), ν, m)           t in the horizon

    c are covariates known up to now alone, 0 in the horizon; k those known of the future as well:
    with the calendar, and the embedding of the item. In a set of several series ln ν is read, too.

    With feedback, z(t−1) is the true value in training and one that was drawn from p(y(t−1)) in
    forecasting: the paths of DeepAR, whose encoder and decoder are the same. Without, values of
    the horizon count as not observed, and one pass answers all of its steps.

    Scales are, over what is observed of the past,

        mean       ν = mean |y|, m = 0
        standard   ν = the standard deviation, m = the mean
        global     those of the training part, whatever the window; m = 0 and ν = mean |y| of it
                   for a distribution that cannot be shifted

    and where the past says none, as it holds nothing or but zeros, ν of the training part.

    A highway adds to the location of each value a linear function of the p values of its series
    before, the same function for all of them: of the step itself with feedback, else of each step
    of the horizon.

    Source: Salinas et al. 2020, arXiv:1704.04110, §3, whose ν is 1 + mean |y|, which depends on the
    unit; without feedback near Wen et al. 2017, arXiv:1711.11053. The highway without feedback is
    the linear model of Zeng et al. 2023, arXiv:2205.13504.
    """

    writes: ClassVar[bool] = True
    """Whether the target is handed in."""

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
        """Join the parts.

        Args:
            inputs: of `read_columns(layout)` numbers, and the item's id where there are items.
            recurrent: reads forward, time first.
            head: maps its outputs to `objective.head_size` numbers.
            objective: of n values a step.
            layout: what the columns of a step are.
            horizon: H, steps that are learned from.
            feedback: whether a step reads the value before it in the horizon, too.
            scaling: mean, standard or global.
            highway: p, values back; 0 for none.
            means: of the training part, (n,); None for 0.
            deviations: likewise; None for 1.
            sizes: means of the absolute values, likewise; None for 1.
            device: of the parameters.

        Raises:
            OptionError: the parts do not fit together, or a distribution that cannot be shifted
                is to be.
        """
        super().__init__()
        if scaling not in SCALINGS:
            raise unknown("scaling", scaling, SCALINGS)
        if recurrent.bidirectional or recurrent.batch_first:
            raise OptionError(
                "a forecaster goes on where the past ends; give it layers that read one way, time "
                "first."
            )
        shifts = objective.distribution.location is not None
        if not shifts and (scaling == "standard" or highway):
            raise OptionError(
                f"distribution={objective.distribution.name!r} begins at 0 and cannot be shifted, "
                "as scaling='standard' and a highway do; take scaling='mean' and highway=0."
            )
        if inputs.size != recurrent.input_size:
            raise OptionError(
                f"the recurrent part reads {recurrent.input_size} values a step and the inputs "
                f"give {inputs.size}; build it with input_size={inputs.size}."
            )
        self.inputs, self.recurrent, self.head, self.objective = inputs, recurrent, head, objective
        self.layout, self.horizon, self.feedback = layout, horizon, feedback
        self.scaling, self.shifts = scaling, shifts
        n = layout.values
        for name, values, plain in (
            ("means", means, 0.0),
            ("deviations", deviations, 1.0),
            ("sizes", sizes, 1.0),
        ):
            given = [plain] * n if values is None else list(values)
            self.register_buffer(name, torch.tensor(given, dtype=torch.float32, device=device))
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
        """Give the distributions of every value of the horizon.

        Args:
            x: a past and a horizon of each row, (P + H, B, columns), as `ForecastFeature` encodes
                steps; values and past covariates of the horizon are not read.
            state: None; a window is read from its beginning.
            lengths: steps of each row, its horizon among them, (B,); None means P + H for all.
            target: values of the horizon, (H, B, n), NaN where one is missing: with feedback the
                values before each step, else of its shape alone, which is that of the trained
                horizon where it is None.

        Returns:
            The outputs of the objective, (H, B, O), and None.

        Raises:
            ShapeError: the axes are not these.
            OptionError: lengths are out of range, a state was given, or feedback lacks a target.
        """
        if state is not None:
            raise OptionError("a forecaster reads a window from its beginning; leave state out.")
        if target is None and self.feedback:
            raise OptionError(
                "with feedback, a forecast reads the values before each step; give the target, or "
                "draw paths by sample."
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
        """Draw paths: each value is drawn given the path before it.

        Rows and their paths go forward side by side, one step a call.

        Args:
            x: as for `forward`, (P + H, B, columns).
            lengths: steps of each row, (B,).
            horizon: H, which may be longer than that trained.
            count: S, paths a row.
            generators: one a row, so that its paths do not depend on the rows beside it.

        Returns:
            The paths, (S, H, B, n), in the unit of the series.

        Raises:
            OptionError: there is no feedback, or not a generator for each row.
        """
        if not self.feedback:
            raise OptionError("without feedback no value depends on another: there are no paths.")
        if len(generators) != x.size(1):
            raise OptionError(f"generators must be one a row, {x.size(1)}; got {len(generators)}.")
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
        """Scale a batch of windows and lay out what is read at every step."""
        n, past_columns, known, items = self.layout
        columns = n + past_columns + known + bool(items)
        if x.dim() != 3 or x.size(-1) != columns:
            raise ShapeError(
                f"a forecaster reads (P + H, B, columns) with columns = {columns}, got "
                f"{described(x)}."
            )
        rows = checked_lengths([len(x)] * x.size(1) if lengths is None else lengths, x)
        past = rows.to(x.device) - horizon
        if len(past) and int(past.min()) < 0:
            raise OptionError(
                f"lengths must be at least the horizon, {horizon}, got {int(past.min()) + horizon}."
            )
        inside = (torch.arange(len(x), device=x.device).unsqueeze(1) < past).unsqueeze(-1)
        values = x[..., :n].masked_fill(~inside, torch.nan)
        scales = self.scales(values)
        at = past + torch.arange(horizon, device=x.device).unsqueeze(1)
        z = (values - scales.shift) / scales.scale
        if target is not None:
            told = (target - scales.shift) / scales.scale
            z = z.scatter(0, at.unsqueeze(-1).expand_as(told), told)
        observed = ~z.isnan()
        z = z.where(observed, 0)
        parts = [_before(z), _before(observed.to(z))]
        if past_columns:
            covariates = x[..., n : n + past_columns].where(inside, 0)
            parts += [_before(covariates), _before(inside.to(z))]
        parts.append(x[..., n + past_columns : n + past_columns + known])
        if items:
            level = (scales.scale / self.sizes).log()
            parts += [level.expand_as(z), x[..., -1:]]
        return _Window(torch.cat(parts, -1), z, at, scales)

    def scales(self, values: Tensor) -> Scales:
        """Measure the past of each window, (P, B, n), NaN where a value is missing."""
        observed = ~values.isnan()
        known = values.where(observed, 0)
        count = observed.sum(0).clamp(min=1)
        size = known.abs().sum(0) / count
        if self.scaling == "global" and self.shifts:
            like = torch.ones_like(size)
            return Scales(like * self.deviations, like * self.means)
        if self.scaling == "global":
            return Scales(torch.ones_like(size) * self.sizes, torch.zeros_like(size))
        if self.scaling == "mean":
            return Scales(size.where(size > 0, self.sizes), torch.zeros_like(size))
        mean = known.sum(0) / count
        deviation = ((values - mean).where(observed, 0).square().sum(0) / count).sqrt()
        varies = deviation > _LEAST * size
        nothing = ~observed.any(0)
        scale = deviation.where(varies, (_LEAST * size).where(size > 0, self.deviations))
        return Scales(scale, mean.where(~nothing, self.means))

    def _scaled(self, raw: Tensor, scales: Scales) -> Tensor:
        """Turn raw numbers into the objective's outputs."""
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
        found = F.conv1d(F.pad(flat[..., :-1], (steps, 0)), self.highway.weight.unsqueeze(0))
        linear = found.squeeze(1).unflatten(0, window.scaled.shape[1:]).permute(2, 0, 1)
        return window.ahead(linear)

    def _lags(self, window: _Window) -> Tensor:
        """Return the p values of each row before its horizon, 0 before its beginning, (p, B, n)."""
        assert self.highway is not None
        steps = self.highway.in_features
        at = window.past - steps + torch.arange(steps, device=window.at.device).unsqueeze(1)
        index = at.clamp(min=0).unsqueeze(-1).expand(-1, -1, self.layout.values)
        return window.scaled.gather(0, index).where((at >= 0).unsqueeze(-1), 0)

    def _with_linear(self, raw: Tensor, linear: Tensor) -> Tensor:
        """Add to the location of every value."""
        of_values = raw.unflatten(-1, (self.layout.values, -1))
        place = self.objective.distribution.location or 0
        added = F.pad(linear.unsqueeze(-1), (place, of_values.size(-1) - 1 - place))
        moved: Tensor = of_values + added
        return moved.flatten(-2)

    def extra_repr(self) -> str:
        """Say what is forecast from what."""
        return f"{self.layout}, horizon={self.horizon}, feedback={self.feedback}, {self.scaling}"


def read_columns(layout: Layout) -> int:
    """Count the numbers that a forecaster's inputs read at a step, the item's id not counted."""
    values, past, known, items = layout
    return 2 * values + past + bool(past) + known + (values if items else 0)


def _before(values: Tensor) -> Tensor:
    """Move values, (T, B, …), on by a step: each stands where the next one is forecast."""
    return torch.cat([torch.zeros_like(values[:1]), values[:-1]])
