"""Files of the UEA/UCR archive, `.ts`, as the package aeon ships them (`pip install aeon`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines import warping_distances
from elman.data.sources import read_table


def files_of(name: str) -> tuple[Path, Path] | None:
    """Return the training and the test file of a set; None where aeon is not installed.

    Args:
        name: the archive's name, such as `JapaneseVowels`.
    """
    spec = find_spec("aeon")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "datasets" / "data" / name
    return folder / f"{name}_TRAIN.ts", folder / f"{name}_TEST.ts"


def nearest_neighbour(train: Path, test: Path) -> float:
    """Return the accuracy of the nearest training series under dynamic time warping."""
    known, asked = read_table(train), read_table(test)
    series = list(map(_steps, known.column("series")))
    labels = list(known.column("label"))
    nearest = [
        labels[int(warping_distances(_steps(each), series).argmin())]
        for each in asked.column("series")
    ]
    right = sum(a == b for a, b in zip(nearest, asked.column("label"), strict=True))
    return right / len(nearest)


def _steps(series: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(series, float).reshape(len(series), -1)
