"""Recurrent neural networks on PyTorch: simple, LSTM and GRU, trained, compared and explained.

```python
import elman

rnn = elman.LSTM(64, 256, num_layers=2, bidirectional=True)
y, (h, c) = rnn(x, lengths=lengths)
```

The names below are imported when they are first used, so that `import elman` costs milliseconds
and PyTorch is loaded only by a program that needs it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elman.experiment import Experiment
    from elman.layers import GRU, LSTM, MLP, Bidirectional, SimpleRNN
    from elman.model import Model, load
    from elman.networks import ManyToMany
    from elman.run import train
    from elman.sequence.backend import backends

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "Bidirectional",
    "Experiment",
    "ManyToMany",
    "Model",
    "SimpleRNN",
    "__version__",
    "backends",
    "load",
    "train",
]

_HOME_OF = {
    "Bidirectional": "elman.layers",
    "Experiment": "elman.experiment",
    "GRU": "elman.layers",
    "LSTM": "elman.layers",
    "MLP": "elman.layers",
    "ManyToMany": "elman.networks",
    "Model": "elman.model",
    "SimpleRNN": "elman.layers",
    "backends": "elman.sequence.backend",
    "load": "elman.model",
    "train": "elman.run",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'elman' has no attribute {name!r}", name=name, obj=None)
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | set(__all__))
