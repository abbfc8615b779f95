"""The device that a network is trained on, by Lightning Fabric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from elman.errors import OptionError
from elman.experiment.training import TrainingSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def fabric_for(settings: TrainingSettings) -> Fabric:
    """Set up the device; Lightning is imported only now, as it takes seconds.

    Raises:
        OptionError: PyTorch does not see the device.
    """
    from lightning_fabric import Fabric

    accelerator = settings.accelerator
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(accelerator, True):
        raise OptionError(
            f"training.accelerator = {accelerator!r} asks for a device that PyTorch does not see "
            "here; use 'auto' or 'cpu'."
        )
    fabric = Fabric(accelerator=accelerator, devices=1, precision=settings.precision)
    fabric.launch()
    return fabric
