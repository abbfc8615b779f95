"""One member of a forecaster that reads segments."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from elman.features.forecast_columns import Layout
from elman.layers.recurrent import RecurrentLayer
from elman.networks.inputs import Inputs

_SPREAD = -1.0
"""First raw output of what is no location: a narrow distribution."""


class Windows(NamedTuple):
    """A batch of windows, scaled."""

    steps: Tensor
    """Numbers and ids of the past, then of the horizon, (P + H, B, columns)."""
    before: Tensor
    """Known numbers and ids of the step whose value the naive forecast repeats, (H, B, columns)."""
    features: Tensor
    """What is known of the window's scale, and of how well naive forecasts did at its end,
    (B, (2 + E) n)."""
    scaled: Tensor
    """z, 0 where a value is not observed, (P, B, n)."""
    base: Tensor
    """The naive forecast, (H, B, n)."""
    paths: Tensor
    """The other naive forecasts less this one, in units of ν, (E, H, B, n)."""
    scale: Tensor
    """ν, (B, n)."""


class SegmentReader(nn.Module):
    """One member of a `SegmentForecaster`: from windows to what is added to the naive forecast."""

    def __init__(
        self,
        inputs: Inputs,
        recurrent: RecurrentLayer,
        trunk: nn.Module,
        layout: Layout,
        *,
        horizon: int,
        window: int,
        segment: int,
        paths: int,
        outputs: int,
        location: int,
        dropout: float = 0.0,
        device: torch.device | str | None = None,
    ) -> None:
        """Assemble a member.

        Args:
            inputs: takes the numbers of a step, `own_numbers(layout)`, and `layout.ids`.
            recurrent: reads `read_size(inputs, layout, segment, paths)` numbers a segment.
            trunk: maps its output to the vector that the output layers read.
            layout: meaning of the columns of a step.
            horizon: H.
            window: P, a multiple of the segment.
            segment: steps read at a time.
            paths: E, number of naive forecasts.
            outputs: raw outputs of each of the n values.
            location: index of that which shifts a value.
            dropout: dropout of the recurrent output in training.
            device: device of the parameters.
        """
        super().__init__()
        self.inputs, self.recurrent, self.trunk = inputs, recurrent, trunk
        self.layout, self.segment, self.location = layout, segment, location
        self.dropout = nn.Dropout(dropout)
        n, size = layout.values, recurrent.output_size
        with torch.no_grad():
            size = self.trunk(torch.zeros(1, size, device=device)).size(-1)
        self.head = nn.Linear(size, horizon * n * outputs, device=device)
        self.linear = nn.Linear(window, horizon, bias=False, device=device)
        self.mixture = nn.Linear(size, 2 * paths, device=device)
        known = known_size(inputs, layout)
        self.ahead = self.step = self.join = None
        if known:
            self.step = nn.Linear(2 * known, size, device=device)
            self.join = nn.Linear(size, size, bias=False, device=device)
            self.ahead = nn.Linear(size, n * outputs, bias=False, device=device)
            nn.init.zeros_(self.ahead.weight)
        for layer in (self.head, self.linear, self.mixture):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.mixture.bias)
        nn.init.constant_(self.head.bias, _SPREAD)
        with torch.no_grad():
            self.head.bias.view(horizon, n, outputs)[..., location] = 0.0

    def forward(self, windows: Windows) -> Tensor:
        """Return the raw outputs of windows, (H, B, n, P), around the naive forecast."""
        steps, horizon = len(windows.steps), len(windows.base)
        past = steps - horizon
        vectors = self.inputs(windows.steps)
        own, known = self._divided(vectors[:past])
        segments = own.unflatten(0, (-1, self.segment)).movedim(1, 2).flatten(2)
        means = known.unflatten(0, (-1, self.segment)).mean(1)
        features = windows.features.expand(len(segments), -1, -1)
        hidden, _ = self.recurrent(torch.cat([segments, means, features], -1))
        state = self.trunk(self.dropout(hidden[-1]))
        n = self.layout.values
        raw = self.head(state).unflatten(-1, (-1, n, self.head.out_features // self._of_head))
        raw = raw.movedim(1, 0)[:horizon]
        if self.ahead is not None and self.step is not None and self.join is not None:
            _, there = self._divided(vectors[past:])
            _, before = self._divided(self.inputs(windows.before))
            joined = torch.tanh(
                self.step(torch.cat([there, there - before], -1)) + self.join(state)
            )
            raw = raw + self.ahead(joined).unflatten(-1, (n, -1))
        return self._located(raw, state, windows)

    @property
    def _of_head(self) -> int:
        return self.linear.out_features * self.layout.values

    def _located(self, raw: Tensor, state: Tensor, windows: Windows) -> Tensor:
        """Add the linear map of the window and the mixture of naive forecasts to the location."""
        horizon = len(raw)
        added = torch.einsum("pbn,hp->hbn", windows.scaled, self.linear.weight[:horizon])
        share = torch.linspace(0, 1, self.linear.out_features, device=raw.device)[:horizon]
        first, later = self.mixture(state).unflatten(-1, (2, -1)).unbind(1)
        weights = first + share.view(-1, 1, 1) * later
        added = added + torch.einsum("ehbn,hbe->hbn", windows.paths, weights)
        moved = torch.zeros_like(raw)
        moved[..., self.location] = added
        return raw + moved

    def _divided(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Divide steps, (T, B, size), into what is of the past alone and what is known ahead."""
        layout = self.layout
        numbers = 2 * layout.values + layout.past
        end = numbers + layout.known
        ids = end + sum(table.embedding_dim for table in self.inputs.tables[: len(layout.past_ids)])
        own = torch.cat([vectors[..., :numbers], vectors[..., end:ids]], -1)
        return own, torch.cat([vectors[..., numbers:end], vectors[..., ids:]], -1)


def own_numbers(layout: Layout) -> int:
    """Return how many numbers the inputs of a member read at a step, beside the ids."""
    return 2 * layout.values + layout.past + layout.known


def known_size(inputs: Inputs, layout: Layout) -> int:
    """Return the size of what is known of a step ahead."""
    tables = inputs.tables[len(layout.past_ids) :]
    return layout.known + sum(table.embedding_dim for table in tables)


def read_size(inputs: Inputs, layout: Layout, segment: int, paths: int) -> int:
    """Return how many numbers the recurrent part reads at a segment, beside E naive forecasts."""
    known = known_size(inputs, layout)
    return segment * (inputs.size - known) + known + (2 + paths) * layout.values
