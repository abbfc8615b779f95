"""Times torch.compile's first call in a fresh process: `compile_once.py WHO MODE STEPS`.

The compiler is started with a small product first, so that what it costs to start it, which is the
same for everyone, is known by itself. Prints JSON: the seconds of that start, the seconds from
torch.compile to the end of the layer's first call, those of the second call and of a call that is
not compiled, the number of graphs and of breaks between graphs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import elman

ROWS, SIZE, LAYERS = 8, 128, 2
MODULES: dict[str, Callable[[], nn.Module]] = {
    "Elman": lambda: elman.LSTM(SIZE, SIZE, LAYERS),
    "torch.nn": lambda: nn.LSTM(SIZE, SIZE, LAYERS),
}


def main(who: str, mode: str, steps: str) -> None:
    """Compile, call twice, and print what it took."""
    start, _ = _first_call(nn.Linear(SIZE, SIZE), torch.randn(ROWS, SIZE), mode)
    torch._dynamo.utils.counters.clear()
    module = MODULES[who]().train(mode == "training")
    x = torch.randn(int(steps), ROWS, SIZE)
    eager = _seconds(module, x, mode)
    first, compiled = _first_call(module, x, mode)
    counters = torch._dynamo.utils.counters
    facts = {
        "start": start,
        "compile": first,
        "second call": _seconds(compiled, x, mode),
        "eager": eager,
        "graphs": counters["stats"]["unique_graphs"],
        "breaks": sum(counters["graph_break"].values()),
    }
    print(json.dumps(facts))


def _first_call(module: nn.Module, x: Tensor, mode: str) -> tuple[float, Any]:
    begin = time.perf_counter()
    compiled = torch.compile(module)
    _seconds(compiled, x, mode)
    return time.perf_counter() - begin, compiled


def _seconds(module: Any, x: Tensor, mode: str) -> float:
    """Time one call, forward alone or forward and backward."""
    begin = time.perf_counter()
    with torch.inference_mode(mode == "forward"):
        result = module(x)
        outputs = result if isinstance(result, Tensor) else result[0]
        if mode == "training":
            outputs.sum().backward()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(*sys.argv[1:])
