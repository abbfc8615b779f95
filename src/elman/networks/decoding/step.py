"""What decoding knows of a network: a step, and a state whose rows can be taken by index."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor, nn

from elman.errors import OptionError, ShapeError


class Step(Protocol):
    """A network that writes, one symbol a row and call."""

    def __call__(self, ids: Tensor, state: Any, /) -> tuple[Tensor, Any]:
        """Read the last symbols, score the next.

        Args:
            ids: the last symbol of every row, (N,).
            state: after all symbols before, its rows in axis 1.

        Returns:
            Scores of the next symbol, (N, V), before the softmax; the state after `ids`.
        """
        ...


def select_rows(state: Any, index: Tensor) -> Any:
    """Take rows of a state: reorder them, leave some out, repeat others.

    Args:
        state: tensors with the batch in axis 1, (·, B, …), in tuples, named tuples and lists of
            any depth; None stays None. What has a `select_rows` of its own is asked for it.
        index: of the rows taken, (N,), on the device of the state.

    Returns:
        The same nest with tensors (·, N, …).

    Raises:
        ShapeError: a tensor has no axis 1.
        OptionError: the nest holds something else.

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
                f"a state holds tensors with the batch in axis 1, (·, B, …), got {state.dim()} "
                "axes; give what has no axis before the batch one of size 1."
            )
        return state.index_select(1, index)
    if hasattr(state, "select_rows"):
        return state.select_rows(index)
    if isinstance(state, tuple | list):
        parts = [select_rows(part, index) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    raise OptionError(
        f"a state is made of tensors, tuples, lists and None, got {type(state).__name__}."
    )


def language_model_step(network: nn.Module) -> Step:
    """Make a step of a network that gives a prediction for every element it reads.

    Args:
        network: `network(ids (T, N), state) -> (outputs (T, N, V), state)`, as `ManyToMany`.
    """

    def step(ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        outputs, state = network(ids.unsqueeze(0), state)
        return outputs[0], state

    return step
