"""One-to-one: one prediction for a row without steps, such as measurements or an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from elman.errors import OptionError, ShapeError
from elman.layers.mlp import MLP
from elman.networks.context import Context
from elman.networks.inputs import Inputs
from elman.networks.objectives.objective import Objective


class OneToOne(nn.Module):
    """Feed-forward layers on a row: y = mlp(inputs(x))."""

    def __init__(self, inputs: Inputs | Context, mlp: MLP, objective: Objective) -> None:
        """Assemble the network from its parts.

        Args:
            inputs: turns encoded values into vectors.
            mlp: maps (B, inputs.size) to (B, objective.output_size).
            objective: objective of the outputs, one a row.

        Raises:
            OptionError: the parts do not fit together.
        """
        super().__init__()
        sizes = [mlp.sizes[0], mlp.sizes[-1]]
        if sizes != [inputs.size, objective.output_size] or objective.per_step:
            raise OptionError(
                f"OneToOne needs an MLP from the inputs' {inputs.size} values to the objective's "
                f"{objective.output_size}, and an objective per row; got an MLP from "
                f"{sizes[0]} to {sizes[1]} and {type(objective).__name__}."
            )
        self.inputs = inputs
        self.mlp = mlp
        self.objective = objective

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Tensor | Sequence[int] | None = None
    ) -> tuple[Tensor, None]:
        """Run the network over a batch of rows.

        Args:
            x: encoded values, (B, …); see `Inputs.forward`.
            state: None; the network has no state.
            lengths: None, or one a row, as in a batch of any category; they are not used.

        Returns:
            The outputs, (B, O), and None in place of a state.

        Raises:
            ShapeError: the input has the wrong axes, or there is not one length a row.
            OptionError: a state is given.
        """
        if state is not None:
            raise OptionError("a one-to-one network has no state; leave it out.")
        vectors = self.inputs(x)
        if vectors.dim() != 2:
            raise ShapeError(
                f"a one-to-one network reads rows without steps, got {tuple(x.shape)}."
            )
        if lengths is not None and len(lengths) != len(vectors):
            raise ShapeError(f"lengths must be (B,) = ({len(vectors)},), got {len(lengths)}.")
        return self.mlp(vectors), None
