"""Recurrent neural networks on PyTorch: simple, LSTM and GRU, trained, compared and explained.

```python
import elman

rnn = elman.LSTM(64, 256, num_layers=2, bidirectional=True)
y, (h, c) = rnn(x, lengths=lengths)

model = elman.train("reviews.csv", target="label")
model.predict(["a fine film"])
```

Public names are imported on their first use, so that `import elman` takes milliseconds and
PyTorch is loaded only by programs that need it.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elman.data.sources import read_table
    from elman.experiment import Experiment
    from elman.layers import (
        GRU,
        LRU,
        LSTM,
        MLP,
        SLSTM,
        Bidirectional,
        MinGRU,
        MinLSTM,
        SimpleRNN,
    )
    from elman.layers.dropout import LockedDropout
    from elman.layers.weight_dropout import apply_weight_dropout
    from elman.models.model import Model, load
    from elman.networks import (
        EncoderDecoder,
        ManyToMany,
        ManyToOne,
        OneToMany,
        OneToOne,
        build_network,
    )
    from elman.networks.objectives import CRF, CTC
    from elman.runs.search import tune
    from elman.runs.train import train
    from elman.sequence.backend import backends
    from elman.training.callbacks import Callback, StopTraining

__version__ = "0.1.0"

__all__ = [
    "CRF",
    "CTC",
    "GRU",
    "LRU",
    "LSTM",
    "MLP",
    "SLSTM",
    "Bidirectional",
    "Callback",
    "EncoderDecoder",
    "Experiment",
    "LockedDropout",
    "ManyToMany",
    "ManyToOne",
    "MinGRU",
    "MinLSTM",
    "Model",
    "OneToMany",
    "OneToOne",
    "SimpleRNN",
    "StopTraining",
    "__version__",
    "apply_weight_dropout",
    "backends",
    "build_network",
    "load",
    "read_table",
    "train",
    "tune",
]

_HOME_OF = {
    "Bidirectional": "elman.layers",
    "Callback": "elman.training.callbacks",
    "CRF": "elman.networks.objectives",
    "CTC": "elman.networks.objectives",
    "EncoderDecoder": "elman.networks",
    "Experiment": "elman.experiment",
    "GRU": "elman.layers",
    "LRU": "elman.layers",
    "LSTM": "elman.layers",
    "LockedDropout": "elman.layers.dropout",
    "MLP": "elman.layers",
    "ManyToMany": "elman.networks",
    "ManyToOne": "elman.networks",
    "MinGRU": "elman.layers",
    "MinLSTM": "elman.layers",
    "Model": "elman.models.model",
    "OneToMany": "elman.networks",
    "OneToOne": "elman.networks",
    "SLSTM": "elman.layers",
    "SimpleRNN": "elman.layers",
    "StopTraining": "elman.training.callbacks",
    "apply_weight_dropout": "elman.layers.weight_dropout",
    "backends": "elman.sequence.backend",
    "build_network": "elman.networks",
    "load": "elman.models.model",
    "read_table": "elman.data.sources",
    "train": "elman.runs.train",
    "tune": "elman.runs.search",
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


if "torch" in sys.modules:  # programs that were exported or traced find the operators by name
    importlib.import_module("elman.ops")
