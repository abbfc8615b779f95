"""The forecaster that reads segments, and learns what a naive forecast leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from elman.errors import OptionError, ShapeError, unknown
from elman.features.forecast_columns import Layout
from elman.layers.recurrent import RecurrentLayer
from elman.layers.state import described
from elman.networks.calibration import Calibration
from elman.networks.forecast_rows import check_generators, past_lengths
from elman.networks.naive import combined_count, naive_names, naive_paths, season_of
from elman.networks.objectives.forecast import ForecastObjective
from elman.networks.segment_reader import SegmentReader, Windows

_LEAST_SCALE = 0.05
"""Least ratio of a window's scale to the standard deviation of its values."""


class SegmentForecaster(nn.Module):
    """Layers run over the segments of a window; one pass predicts the whole horizon.

        s(k) = the values, marks and covariates of the k-th segment, flattened, beside ln e
        h(k) = recurrent(s(k), h(k−1))
        r(h) = head(h(K)) + linear(z)(h) + Σᵢ w(h, i) (naive(i, h) − naive(h)) / ν
        w(h) = a + h b / H                               a, b = linear of h(K)
        y(h) = naive(h) + ν objective(r(h))              h = 1 … H

    z = (y − mean)/ν; ν is the mean absolute difference of values a season apart within the window,
    so that windows of any level and size look alike; eᵢ is the mean error that naive forecast i
    would have had over the end of the window, in units of ν, so that each window can be forecast by
    what suits it. The head, the linear map and the weights w begin at zero: an untrained network
    *is* the naive forecast, to the bit. A segment is a season where there is one: the layers then
    see day after day at the same hours.

    Known covariates of the horizon, and their difference from those of the step whose value the
    naive forecast repeats, join the last state before the output layer, step by step.

    With several members their raw outputs are averaged. A row of the input with one more column,
    the number of a member, is answered by that member alone: so each can learn from all windows but
    those of a fold, and forecast these.

    In evaluation, what is added to the naive forecast is multiplied by `calibration.share`, and
    quantiles are corrected; see `Calibration`.

    Source: for segments, Lin et al. 2023, arXiv:2308.11200; for the scale, that of MASE, Hyndman
    and Koehler 2006; for the linear map, Zeng et al. 2023, arXiv:2205.13504; for forecasts that are
    combined, Bates and Granger 1969; weighted by what the series is like, Montero-Manso et al.
    2020, doi:10.1016/j.ijforecast.2019.02.011.
    """

    writes: ClassVar[bool] = True
    """Whether `forward` takes the target."""
    feedback: ClassVar[bool] = False
    """Whether a step reads the value before it."""

    means: Tensor
    deviations: Tensor
    naive: Tensor

    def __init__(
        self,
        member: Callable[[], SegmentReader],
        objective: ForecastObjective,
        layout: Layout,
        *,
        horizon: int,
        window: int,
        seasons: Sequence[int] = (),
        several: bool = False,
        members: int = 1,
        means: Sequence[float] | None = None,
        deviations: Sequence[float] | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Assemble the network.

        Args:
            member: makes a member.
            objective: objective of n values a step, which can be shifted.
            layout: meaning of the columns of a step.
            horizon: H.
            window: P.
            seasons: their lengths.
            several: whether windows are of several series.
            members: number of members.
            means: means of the training values, (n,); None for 0.
            deviations: their standard deviations, (n,); None for 1.
            device: device of the parameters.

        Raises:
            OptionError: the distribution cannot be shifted.
        """
        super().__init__()
        if objective.distribution.location is None:
            raise OptionError(
                f"distribution={objective.distribution.name!r} starts at 0 and cannot be added to "
                "a naive forecast; use forecast.segment = 0."
            )
        self.objective, self.layout = objective, layout
        self.horizon, self.window, self.seasons = horizon, window, list(seasons)
        self.several = several
        self.members = nn.ModuleList(member() for _ in range(members))
        self.calibration = Calibration(horizon, layout.values, objective, device=device)
        for name, values, default in (("means", means, 0.0), ("deviations", deviations, 1.0)):
            numbers = [default] * layout.values if values is None else list(values)
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.float32, device=device))
        self.register_buffer("naive", torch.zeros((), dtype=torch.long, device=device))

    @property
    def readers(self) -> list[SegmentReader]:
        """The members."""
        return list(self.members)  # type: ignore[arg-type]

    @property
    def recurrent(self) -> RecurrentLayer:
        """The recurrent part of the first member."""
        return self.readers[0].recurrent

    @property
    def naive_names(self) -> list[str]:
        """The names of the naive forecasts that it may correct."""
        return naive_names(self.seasons)

    @property
    def naive_name(self) -> str:
        """The naive forecast that it corrects."""
        return self.naive_names[int(self.naive)]

    def correct(self, name: str) -> None:
        """Correct another naive forecast.

        Raises:
            OptionError: there is no such naive forecast.
        """
        if name not in self.naive_names:
            raise unknown("naive forecast", name, self.naive_names)
        self.naive.fill_(self.naive_names.index(name))

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
            x: a past and a horizon for each row, (T + H, B, columns), as `ForecastFeature` encodes
                steps, and a further column with the number of a member for each row, if any.
            state: None; a window is read from its start.
            lengths: steps of each row, the horizon included, (B,); None means all.
            target: of the horizon, (H, B, n); only the number of its steps is read, which is that
                of training where it is None.

        Returns:
            The outputs of the objective, (H, B, O), and None.

        Raises:
            ShapeError: the axes are wrong.
            OptionError: lengths are out of range, the horizon is too long, or a state is given.
        """
        if state is not None:
            raise OptionError("a forecaster reads a window from its start; leave state out.")
        steps = self.horizon if target is None else len(target)
        if steps > self.horizon:
            raise OptionError(f"the horizon is at most {self.horizon} steps, got {steps}.")
        columns = self.layout.columns
        if x.dim() != 3 or x.size(-1) not in (columns, columns + 1):
            raise ShapeError(
                f"a forecaster reads (P + H, B, columns) with columns = {columns}, got "
                f"{described(x)}."
            )
        windows = self._windows(x[..., :columns], lengths, steps)
        raw = self._raw(windows, x[0, :, columns].long() if x.size(-1) > columns else None)
        if not self.training:
            raw = self.calibration(raw)
        scale, base = windows.scale, windows.base
        return self.objective.scaled(raw.flatten(-2), scale.expand_as(base), base), None

    @property
    def has_paths(self) -> bool:
        """Whether paths can be sampled: where quantiles are forecast, not the median alone."""
        return len(self.calibration.levels) > 1

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
        """Sample paths: each step at the level at which that of a validation window lay.

            y_s(h) = quantile(h, ranks(k_s, h))          k_s drawn from the windows of `ranks`

        So a path that begins high stays high as long as values of the validation rows did.

        Args:
            x: as for `forward`, (P + H, B, columns).
            lengths: steps of each row, (B,).
            horizon: H.
            count: S, paths a row.
            generators: one a row, so that its paths do not depend on the other rows.

        Returns:
            The paths, (S, H, B, n), in the unit of the series.

        Raises:
            OptionError: no quantiles are forecast, or there is not one generator a row.
        """
        if not self.has_paths:
            raise OptionError(
                f"distribution={self.objective.distribution.name!r} forecast without feedback has "
                "no paths; use distribution='quantiles' with several levels, or feedback."
            )
        check_generators(generators, x)
        nothing = x.new_full((horizon, x.size(1), self.layout.values), torch.nan)
        outputs, _ = self(x, lengths=lengths, target=nothing)
        ranks = self.calibration.ranks
        drawn = [
            torch.randint(len(ranks), (count,), generator=each, device=x.device)
            for each in generators
        ]
        levels = ranks[torch.stack(drawn, 1), :horizon].permute(0, 2, 1, 3)
        return self.objective.at_levels(outputs.expand(count, *outputs.shape), levels)

    def naive_forecasts(
        self, x: Tensor, lengths: Tensor | Sequence[int], steps: int
    ) -> tuple[Tensor, Tensor]:
        """Return the naive forecasts of `naive_names`, (forecasts, H, B, n), and ν, (B, n)."""
        past, _ = self._past(x, lengths, steps)
        values = past[..., : self.layout.values]
        return naive_paths(values, steps, self.seasons, self.means).naive, self._scale(values)

    def _raw(self, windows: Windows, members: Tensor | None) -> Tensor:
        """Return the raw outputs, of all members or of one for each row."""
        if members is None:
            raws = [member(windows) for member in self.members]
            mean: Tensor = torch.stack(raws).mean(0) if len(raws) > 1 else raws[0]
            return mean
        parts, places = [], []
        for number, member in enumerate(self.members):
            rows = (members == number).nonzero().squeeze(1)
            if len(rows):
                parts.append(member(_rows(windows, rows)))
                places.append(rows)
        return torch.cat(parts, 1)[:, torch.cat(places).argsort()]

    def _past(
        self, x: Tensor, lengths: Tensor | Sequence[int] | None, steps: int
    ) -> tuple[Tensor, Tensor]:
        """Return the last P steps before each horizon, NaN where there is none, and its index."""
        first = past_lengths(x, lengths, steps)
        at = first - self.window + torch.arange(self.window, device=x.device).unsqueeze(1)
        read = _gathered(x, at.clamp(min=0))
        return read.where((at >= 0).unsqueeze(-1), torch.nan), first

    def _windows(self, x: Tensor, lengths: Tensor | Sequence[int] | None, steps: int) -> Windows:
        """Scale a batch of windows."""
        layout = self.layout
        n = layout.values
        past, first = self._past(x, lengths, steps)
        values = past[..., :n]
        scale = self._scale(values)
        observed = ~values.isnan()
        count = observed.sum(0).clamp(min=1)
        mean = values.where(observed, 0).sum(0) / count
        z = ((values - mean) / scale).where(observed, 0)
        ahead = torch.arange(steps, device=x.device).unsqueeze(1)
        paths = naive_paths(values, steps, self.seasons, self.means)
        base = paths.naive[int(self.naive)]
        others = torch.cat([paths.naive, paths.others]) - base
        spread = (z.square().sum(0) / count).sqrt()
        size = (scale / self.deviations).clamp(min=1e-6).log().clamp(-8, 8)
        if self.several:  # the sizes of many series are their names
            size = torch.zeros_like(size)
        known = self._known(x, first + ahead)
        rest = past[..., n:].nan_to_num(0.0)
        read = torch.cat([torch.asinh(z), observed.to(z), rest], -1)
        nothing = known.new_zeros(steps, x.size(1), n)
        return Windows(
            torch.cat([read, torch.cat([nothing, known], -1)]),
            torch.cat([nothing, self._known(x, self._repeated(first, ahead))], -1),
            torch.cat([spread.log1p(), size, self._recent_errors(values, scale)], -1),
            z,
            base,
            others / scale,
            scale,
        )

    def _recent_errors(self, values: Tensor, scale: Tensor) -> Tensor:
        """Return the logarithms of naive errors in units of ν over the window's end, (B, E n)."""
        steps = min(self.horizon, len(values) // 4)
        before = len(values) - steps
        paths = naive_paths(values[:before], steps, self.seasons, self.means, len(values))
        errors = (torch.cat([paths.naive, paths.others]) - values[before:]).abs() / scale
        observed = ~errors.isnan()
        mean = errors.where(observed, 0).sum(1) / observed.sum(1).clamp(min=1)
        return (mean + _LEAST_SCALE).log().clamp(max=8).movedim(0, 1).flatten(1)

    def _repeated(self, first: Tensor, ahead: Tensor) -> Tensor:
        """Return the index of the steps whose values the naive forecast repeats, (H, B)."""
        season = season_of(self.naive_name)
        if season is None:
            return (first - 1).expand(len(ahead), -1)
        return first - season + ahead % season

    def _known(self, x: Tensor, at: Tensor) -> Tensor:
        """Return what is known of steps, 0 in place of what is of the past alone."""
        layout = self.layout
        read = _gathered(x, at.clamp(min=0)).clone()
        read[..., : layout.values + layout.past] = 0.0
        read[..., layout.numbers : layout.numbers + len(layout.past_ids)] = 0.0
        return read

    def _scale(self, values: Tensor) -> Tensor:
        """Return ν, (B, n): the mean absolute difference of values a season apart."""
        season = min(self.seasons, default=1)
        season = season if season < len(values) else 1
        apart = (values[season:] - values[:-season]).abs()
        pairs = ~apart.isnan()
        difference = apart.where(pairs, 0).sum(0) / pairs.sum(0).clamp(min=1)
        observed = ~values.isnan()
        count = observed.sum(0).clamp(min=1)
        mean = values.where(observed, 0).sum(0) / count
        apart = (values - mean).where(observed, 0)
        largest = apart.abs().amax(0).clamp(min=1e-30)  # squares of large numbers are infinite
        spread = largest * ((apart / largest).square().sum(0) / count).sqrt()
        scale = torch.maximum(difference, _LEAST_SCALE * spread)
        rounding = 1e-6 * mean.abs()
        return scale.where(scale > rounding, self.deviations)

    def extra_repr(self) -> str:
        """Return the layout and the options."""
        return (
            f"{self.layout}, horizon={self.horizon}, window={self.window}, seasons={self.seasons}"
        )


def naive_count(window: int, seasons: Sequence[int]) -> int:
    """Return E, the number of naive forecasts that are combined."""
    return len(naive_names(seasons)) + combined_count(window, seasons)


def _gathered(x: Tensor, at: Tensor) -> Tensor:
    """Return the steps of each row, (T', B, columns), at an index (T', B)."""
    return x.gather(0, at.unsqueeze(-1).expand(-1, -1, x.size(-1)))


def _rows(windows: Windows, rows: Tensor) -> Windows:
    """Return some rows of a batch; of scales and features the first axis is the row."""
    by_row = {"features", "scale"}
    return Windows(
        *(
            part[rows] if name in by_row else part.index_select(part.dim() - 2, rows)
            for name, part in windows._asdict().items()
        )
    )
