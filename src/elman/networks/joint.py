"""One of several targets of a network, as a network of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from elman.networks.objectives.joint import JointObjective


class OneOfSeveral(nn.Module):
    """A trained network seen as one of a single target; it shares the weights.

    y = those outputs of the network that are of the target
    """

    def __init__(self, network: nn.Module, place: int) -> None:
        """Choose a target.

        Args:
            network: with the objective of several targets.
            place: of the target, counted from 0.
        """
        super().__init__()
        objective: Any = network.objective
        assert isinstance(objective, JointObjective), "only several targets can be told apart"
        part = objective.parts[place]
        self.network = network
        self.inputs = getattr(network, "inputs", None)
        self.objective = part.objective
        self._outputs = part.outputs

    def forward(
        self, x: Any, state: Any = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, Any]:
        """Run the network; return the outputs of the target, (…, O), and the state."""
        outputs, state = self.network(x, state, lengths=lengths)
        return outputs[..., self._outputs], state
