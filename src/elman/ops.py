"""The operators that exported, traced and packaged programs call, made known to PyTorch.

    elman::recurrence(tensors, call) → outputs
    elman::recurrence_backward(tensors, outputs, grads, call, given, wanted) → gradients
    elman::scan(a, b, start, fresh, lengths, resets, reverse, kind) → states, last
    elman::scan_backward(…, states, grad_states, grad_last) → gradients

PyTorch finds an operator by its name when it loads such a program, so it must know the names by
then. Importing this module is enough. `import elman` does it where PyTorch is loaded already, and
where Elman is installed PyTorch does it as it is imported (entry point `torch.backends`). What the
operators compute, `elman.sequence.operators` and `elman.sequence.linear_scan`, is loaded when one
is first called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_SCAN = (
    "Tensor? a, Tensor b, Tensor? start, Tensor? fresh, Tensor? lengths, Tensor? resets, "
    "bool reverse, str kind"
)
_SCHEMAS = {
    "recurrence": "(Tensor[] tensors, str call) -> Tensor[]",
    "recurrence_backward": "(Tensor[] tensors, Tensor[] outputs, Tensor[] grads, str call, "
    "str given, str wanted) -> Tensor[]",
    "scan": f"({_SCAN}) -> (Tensor, Tensor)",
    "scan_backward": f"({_SCAN}, Tensor states, Tensor? grad_states, Tensor? grad_last) -> "
    "(Tensor, Tensor, Tensor, Tensor)",
}
_HOMES = {  # by name: their room stands above this module
    "recurrence": "elman.sequence.operators",
    "scan": "elman.sequence.linear_scan",
}


def register() -> torch.library.Library:
    """Make the operators known to PyTorch, once; return the library that owns them."""
    import torch  # noqa: F401 - it calls this function itself, as it is imported

    return _registered()


@cache
def _registered() -> torch.library.Library:
    import torch

    library = torch.library.Library("elman", "DEF")
    for name, schema in _SCHEMAS.items():
        library.define(name + schema)
        home = _HOMES[name.removesuffix("_backward")]
        library.impl(name, _late(home, name), "CPU")
        torch.library.register_fake(f"elman::{name}", _late(home, f"{name}_shapes"), lib=library)
        if name.startswith("recurrence"):
            torch.library.register_vmap(f"elman::{name}", _late(home, f"{name}_each"), lib=library)
    for name, home in _HOMES.items():
        torch.library.register_autograd(
            f"elman::{name}",
            _late(home, "differentiate"),
            setup_context=_late(home, "set_up"),
            lib=library,
        )
    return library


def _late(home: str, name: str) -> Callable[..., Any]:
    """Return a function that imports its definition when it is first called."""

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(home), name)(*arguments, **named)

    return call


register()
