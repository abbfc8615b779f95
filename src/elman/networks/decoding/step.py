"""What decoding needs of a network: a step function, and a state whose rows can be selected."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, nn

from elman.errors import OptionError, ShapeError


class Step(Protocol):
    """One step of a network that predicts symbols in turn."""

    def __call__(self, ids: Tensor, state: Any, /) -> tuple[Tensor, Any]:
        """Read the last symbols and score the next ones.

        Args:
            ids: the last symbol of every row, (N,).
            state: state after all previous symbols, with rows in axis 1.

        Returns:
            Scores of the next symbol, (N, V), before the softmax; the state after `ids`.
        """
        ...


def select_rows(state: Any, index: Tensor) -> Any:
    """Select rows of a state, in any order and with repetitions.

    Args:
        state: tensors with the batch in axis 1, (·, B, …), in tuples, named tuples and lists of
            any depth; None stays None. The `select_rows` method of an object is used.
        index: indices of the rows, (N,), on the device of the state.

    Returns:
        The same structure with tensors (·, N, …).

    Raises:
        ShapeError: a tensor has no axis 1.
        OptionError: the structure holds any other value.

    >>> import torch
    >>> h, c = select_rows((torch.tensor([[5, 6, 7]]), None), torch.tensor([2, 0, 0]))
    >>> h.tolist(), c
    ([[7, 5, 5]], None)
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        if state.dim() < 2:
            raise ShapeError(
                f"a state's tensors must have the batch in axis 1, (·, B, …), got {state.dim()} "
                "axes; add a first axis of size 1."
            )
        return state.index_select(1, index)
    if hasattr(state, "select_rows"):
        return state.select_rows(index)
    if isinstance(state, tuple | list):
        parts = [select_rows(part, index) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    raise OptionError(
        f"a state must consist of tensors, tuples, lists and None, got {type(state).__name__}."
    )


def language_model_step(network: nn.Module) -> Step:
    """Make a step function from a network with one output for every element it reads.

    Args:
        network: `network(ids (T, N), state) -> (outputs (T, N, V), state)`, as `ManyToMany`.
    """

    def step(ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        outputs, state = network(ids.unsqueeze(0), state)
        return outputs[0], state

    return step
