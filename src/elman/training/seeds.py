"""Seeding the random generators, and saving and restoring their states.

A random seed reproduces a run on the same processor, with the same number of threads and the same
version of PyTorch. On GPUs some of PyTorch's kernels are not deterministic.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from elman.experiment.training import checked_seed

_PREFIX = "generator."


def seed_everything(seed: int) -> None:
    """Seed the global random generators of Python, NumPy and PyTorch.

    Args:
        seed: 0 … 2³² − 1.

    Raises:
        OptionError: the seed is outside that range.
    """
    random.seed(checked_seed(seed))
    np.random.seed(seed)
    torch.manual_seed(seed)


def generator_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the states of the global generators, as tensors and as JSON values."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {
        f"{_PREFIX}torch": torch.get_rng_state(),
        f"{_PREFIX}numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
    }
    if torch.cuda.is_available():
        for index, state in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"{_PREFIX}cuda.{index}"] = state
    version, words, python_gauss = random.getstate()
    values = {
        "python": [version, list(words), python_gauss],
        "numpy": [kind, int(position), int(has_gauss), float(gauss)],
    }
    return tensors, values


def restore_generators(tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    """Restore the states of the global generators that `generator_state` returned."""
    torch.set_rng_state(tensors[f"{_PREFIX}torch"])
    cuda = [name for name in tensors if name.startswith(f"{_PREFIX}cuda.")]
    if torch.cuda.is_available() and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([tensors[f"{_PREFIX}cuda.{i}"] for i in range(len(cuda))])
    kind, position, has_gauss, gauss = values["numpy"]
    keys = tensors[f"{_PREFIX}numpy"].numpy().astype(np.uint32)
    np.random.set_state((kind, keys, position, has_gauss, gauss))
    version, words, python_gauss = values["python"]
    random.setstate((version, tuple(words), python_gauss))
