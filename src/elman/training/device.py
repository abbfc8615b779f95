"""The device that a network is trained on, by Lightning Fabric."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import torch

from elman.errors import OptionError
from elman.experiment.training import TrainingSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def fabric_for(settings: TrainingSettings) -> Fabric:
    """Set up the device, once a process.

    Raises:
        OptionError: PyTorch does not see the device.
    """
    accelerator = settings.accelerator
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(accelerator, True):
        raise OptionError(
            f"training.accelerator = {accelerator!r} asks for a device that PyTorch does not see "
            "here; use 'auto' or 'cpu'."
        )
    return _launched(accelerator, settings.precision)


@cache
def _launched(accelerator: str, precision: Literal["32-true", "bf16-mixed"]) -> Fabric:
    """Launch Lightning, which takes seconds to import and keeps nothing of what it trains.

    Each time it would look for plug-ins in every package that is installed.
    """
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
    fabric.launch()
    return fabric
