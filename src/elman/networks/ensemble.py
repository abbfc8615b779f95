"""Several networks of the same form, whose answer is the mean of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError


class Ensemble(nn.Module):
    """Networks with one answer a row; theirs is averaged as their objective says.

        y = mean(y₁, …, y_M)                              of classes: log (1/M) Σₘ softmax(yₘ)

    Each member is trained by itself. A row is read from its start: there is no state to carry.

    Source: Hansen & Salamon 1990, doi:10.1109/34.58871.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        """Join networks.

        Args:
            members: networks of the same form and objective, M of them.

        Raises:
            OptionError: there are fewer than two, or they have one answer a step.
        """
        super().__init__()
        if len(members) < 2:
            raise OptionError(f"an ensemble needs at least two networks, got {len(members)}.")
        first: Any = members[0]
        if first.objective is None or first.objective.targets != "row":
            raise OptionError(
                "an ensemble averages networks with one answer a row, and these have one a step, "
                "or write; use one network."
            )
        self.members = nn.ModuleList(members)

    @property
    def objective(self) -> Any:
        """The objective of every member."""
        return self._first.objective

    @property
    def inputs(self) -> Any:
        """The inputs of the first member."""
        return self._first.inputs

    @property
    def recurrent(self) -> Any:
        """The recurrent part of the first member."""
        return self._first.recurrent

    @property
    def _first(self) -> Any:
        return self.members[0]

    def forward(
        self, x: Any, state: None = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, None]:
        """Run all members over a batch.

        Args:
            x: see the members.
            state: None; each row is read from its start.
            lengths: steps of each row, (B,); None means T for all.

        Returns:
            The averaged outputs, (B, O), and None, for there is no state.

        Raises:
            OptionError: a state is given.
        """
        if state is not None:
            raise OptionError("several networks read a row from its start; leave state out.")
        outputs = [member(x, lengths=lengths)[0] for member in self.members]
        return self.objective.mean(torch.stack(outputs)), None


def members_of(network: nn.Module) -> list[Any]:
    """Return the members of an ensemble; of any other network, itself."""
    return list(network.members) if isinstance(network, Ensemble) else [network]
