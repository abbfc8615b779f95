"""A linear forecast beside the recurrent one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from elman.layers.options import checked_size


class AutoregressiveHighway(nn.Module):
    """A linear function of a row's last p steps, added to the output of the recurrent part.

        y = head(…) + b + Σₖ A(k) x(T − k)                    k = 0 … p − 1

    A recurrent part saturates: it cannot follow a series that grows beyond the training values.
    The linear part can. Steps before a row's start count as zero, the mean of the training rows. A
    is initialised to zero, so that an untrained network predicts as one without a highway.

    Source: the autoregressive component of Lai et al. 2018, arXiv:1703.07015, §3.6.
    """

    def __init__(
        self, steps: int, input_size: int, output_size: int, *, device: str | None = None
    ) -> None:
        """Create the linear part.

        Args:
            steps: p.
            input_size: numbers a step, the first columns of the input.
            output_size: O.
            device: device of the parameters.
        """
        super().__init__()
        self.steps = checked_size("steps", steps)
        self.input_size = checked_size("input_size", input_size)
        self.linear = nn.Linear(steps * input_size, output_size, device=device)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the linear part, (B, O), of inputs (T, B, …) whose rows have `lengths` steps."""
        back = torch.arange(self.steps, device=x.device).unsqueeze(1)
        times = lengths.to(x.device) - 1 - back
        rows = torch.arange(x.size(1), device=x.device)
        if len(x) == 0:
            last = x.new_zeros(self.steps, x.size(1), self.input_size)
        else:
            last = x[times.clamp(min=0), rows, : self.input_size]
            last = last.where((times >= 0).unsqueeze(-1), 0)
        flat = last.transpose(0, 1).reshape(x.size(1), self.steps * self.input_size)
        linear: Tensor = self.linear(flat)
        return linear

    def extra_repr(self) -> str:
        """Return the number of steps."""
        return f"steps={self.steps}"
