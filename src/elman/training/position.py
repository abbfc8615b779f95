"""How far training has come within an epoch."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

CARRIED = "carried."
"""What the names of the tensors of a carried state begin with."""


class Position(NamedTuple):
    """What a training run knows in the middle of an epoch, beside its weights.

    Args:
        batch: batches that are done.
        window: windows of the next batch that are done, where it is cut in time.
        total: the sum of the losses until now, each times its weight.
        weight: the sum of these weights.
        rate: the last learning rate.
        seconds: wall-clock seconds of training until now.
        state: the recurrent state at the end of the last window, which the next may continue.
    """

    batch: int = 0
    window: int = 0
    total: float = 0.0
    weight: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    state: Any = None

    def split(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Split it into a JSON document and tensors, from which `joined` makes it again."""
        tensors: dict[str, Tensor] = {}
        facts = self._asdict()
        facts["state"] = _taken_apart(self.state, tensors)
        return facts, tensors

    @classmethod
    def joined(cls, facts: dict[str, Any], tensors: dict[str, Tensor]) -> Position:
        """Make a position of what `split` returned."""
        return cls(**{**facts, "state": _put_together(facts["state"], tensors)})


def detached(state: Any) -> Any:
    """Detach a recurrent state, a tensor or nested tuples and lists of them, from its graph."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detached(part) for part in state]
    if isinstance(state, tuple):
        parts = [detached(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def _taken_apart(state: Any, tensors: dict[str, Tensor]) -> Any:
    """Put the tensors of a state into a dict; return its form, with their names."""
    if isinstance(state, Tensor):
        name = f"{CARRIED}{len(tensors)}"
        tensors[name] = state
        return name
    if isinstance(state, tuple | list):
        return [isinstance(state, tuple), [_taken_apart(part, tensors) for part in state]]
    return state


def _put_together(form: Any, tensors: dict[str, Tensor]) -> Any:
    """Make a state of its form."""
    if isinstance(form, str):
        return tensors[form]
    if isinstance(form, list):
        is_tuple, parts = form
        whole = [_put_together(part, tensors) for part in parts]
        return tuple(whole) if is_tuple else whole
    return form
