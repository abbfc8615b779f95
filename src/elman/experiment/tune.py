"""What a search for better settings varies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class TuneSpec(BaseModel):
    """What `elman tune` varies; of no effect in a single run.

    Attributes:
        space: setting → the values to try, a list or a range, as in
            `learning_rate = { low = 1e-4, high = 1e-2, log = true }`; empty for a space that suits
            the task.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    space: dict[str, Any] = {}
