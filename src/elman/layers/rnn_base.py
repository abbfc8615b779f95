"""torch.nn.RNNBase by type and attributes: code that looks for recurrent layers finds Elman's.

`model.apply(init)`, pruning and converters ask `isinstance(part, torch.nn.RNNBase)` and read
`all_weights` or `mode`. None of torch.nn's own code runs: it keeps lists of the weights beside the
parameters, and here the parameters are the only place where weights are.

A layer is no instance of `torch.nn.LSTM`, `GRU` or `RNN`. `torch.compile` refuses instances of
these three, and who asks for one may take its weights for those of torch.nn's equation, which
peepholes or layer norm change.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from elman.layers.options import RecurrentOptions
from elman.layers.parameters import parameter_shapes, places

_MODES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("RNN_TANH", "simple", {"nonlinearity": "tanh"}),
    ("RNN_RELU", "simple", {"nonlinearity": "relu"}),
    ("LSTM", "lstm", {"peephole": False, "coupled_gates": False}),
    ("GRU", "gru", {"reset_after": True}),
)
"""torch.nn's modes, each with the cell and its options that compute the same."""


class RNNBase(nn.RNNBase):
    """The attributes of torch.nn.RNNBase, read from the options and the parameters."""

    __constants__: list[str] = []  # noqa: RUF012 — torch.nn's has names for TorchScript

    options: RecurrentOptions

    def __init__(self) -> None:
        nn.Module.__init__(self)

    @property
    def mode(self) -> str:  # type: ignore[override]
        """LSTM, GRU, RNN_TANH or RNN_RELU where torch.nn computes the same, or what differs."""
        return torch_mode(self.options) or (
            f"{self.options.cell.name}({', '.join(self.options.said())})"
        )

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction, in torch.nn's order, its own first."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _all_weights(self) -> list[list[str]]:  # type: ignore[override]
        options = self.options
        return [
            [name + place.suffix for name in parameter_shapes(options, place.layer)]
            for place in places(options)
        ]

    @property
    def _flat_weights_names(self) -> list[str]:  # type: ignore[override]
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        # A tuple: what is written into a list would be lost.
        return tuple([getattr(self, name, None) for name in self._flat_weights_names])

    def flatten_parameters(self) -> None:
        """Do nothing: torch.nn's call to lay cuDNN's weights side by side, kept for its callers."""

    def _init_flat_weights(self) -> None:
        """Do nothing: the weights are read where they are."""

    def _update_flat_weights(self) -> None:
        """Do nothing: the weights are read where they are."""

    def _weights_have_changed(self) -> bool:
        return False

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        return nn.Module._apply(self, fn, recurse)

    def __setattr__(self, name: str, value: Any) -> None:
        nn.Module.__setattr__(self, name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        nn.Module.__setstate__(self, state)

    def _replicate_for_data_parallel(self) -> Any:
        return nn.Module._replicate_for_data_parallel(self)


def torch_mode(options: RecurrentOptions) -> str | None:
    """Return torch.nn's mode that computes the same in evaluation; None where it has none.

    >>> from elman.cells import cell
    >>> torch_mode(RecurrentOptions(cell("lstm", peephole=True), 3, 5)) is None
    True
    """
    if options.layer_norm or options.residual or options.learn_initial_state:
        return None
    if any(options.zoneouts) or len(set(options.hidden_sizes)) > 1:
        return None
    cell = options.cell
    for mode, name, own in _MODES:
        if cell.name == name and dict(cell.options) == own:
            return mode
    return None
