"""Averages of the weights over updates: exponential, or uniform from some epoch on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn

from elman.experiment.training import TrainingSettings


def averages(settings: TrainingSettings, costs: Sequence[float]) -> bool:
    """Tell whether the weights are averaged from now on.

    Args:
        settings: training settings.
        costs: validation costs so far, one per finished epoch, lower is better.
    """
    if settings.average_decay:
        return True
    patience = settings.average_patience
    return patience > 0 and any(is_stuck(costs[:n], patience) for n in range(len(costs) + 1))


def is_stuck(costs: Sequence[float], patience: int) -> bool:
    """Tell whether the last cost is worse than the best that is over `patience` epochs older.

        v(t) > min(v(1), …, v(t − n − 1))                   n the patience, t the last epoch

    Source: the non-monotonic criterion of Merity et al. 2017, arXiv:1708.02182, algorithm 1.

    >>> is_stuck([3.0, 2.0, 2.5, 2.5], patience=2), is_stuck([3.0, 2.0, 2.5, 2.5, 2.5], patience=2)
    (False, True)
    """
    older = costs[: -patience - 1]
    return bool(older) and costs[-1] > min(older)


def averaged(network: nn.Module, settings: TrainingSettings) -> AveragedModel:
    """Start an average of a network's weights over the following updates.

        w̄ ← decay · w̄ + (1 − decay) · w                     with `average_decay`
        w̄ ← w̄ + (w − w̄) / n, the n-th time                 with `average_patience`

    Source: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging".
    """
    decay = settings.average_decay
    update = get_ema_multi_avg_fn(decay) if decay else get_swa_multi_avg_fn()
    return _Average(network, multi_avg_fn=update)


class _Average(AveragedModel):
    """An average that finds the weights of both networks once, not at every update."""

    _pairs: tuple[list[Tensor], list[Tensor]] | None = None

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Update the average; the first time it becomes a copy of the weights.

        Args:
            model: the network, the same at every call.
        """
        if self._pairs is None:
            self._pairs = list(self.module.parameters()), list(model.parameters())
        own, new = self._pairs
        alike = len({(weight.dtype, weight.device) for weight in (*own, *new)}) == 1
        if not (alike and self.n_averaged) or any(True for _ in model.buffers()):
            super().update_parameters(model)
            return
        assert self.multi_avg_fn is not None
        self.multi_avg_fn(own, new, self.n_averaged)
        self.n_averaged += 1
