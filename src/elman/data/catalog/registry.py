"""The data sets by name: look one up, download it, read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from elman.data.catalog import storage
from elman.data.catalog.audio import AUDIO
from elman.data.catalog.classification import CLASSIFICATION
from elman.data.catalog.entry import Columns, DataSet
from elman.data.catalog.forecast_series import FORECAST_SERIES
from elman.data.catalog.forecasting import FORECASTING
from elman.data.catalog.images import IMAGES
from elman.data.catalog.language_modelling import LANGUAGE_MODELLING
from elman.data.catalog.polyphonic import ROLL_SETS as POLYPHONIC
from elman.data.catalog.polyphonic import RollSet, Splits
from elman.data.catalog.sensors import SENSORS
from elman.data.catalog.storage import Watch, unwatched
from elman.data.catalog.tagging import TAGGING
from elman.data.catalog.translation import TRANSLATION
from elman.errors import OptionError, unknown

if TYPE_CHECKING:
    from elman.data.table import Table

ROLL_SETS: Mapping[str, RollSet] = MappingProxyType({entry.name: entry for entry in POLYPHONIC})
"""The corpora of piano rolls by name."""
DATASETS: Mapping[str, DataSet] = MappingProxyType(
    {
        entry.name: entry
        for family in (
            POLYPHONIC,
            LANGUAGE_MODELLING,
            TAGGING,
            SENSORS,
            AUDIO,
            CLASSIFICATION,
            IMAGES,
            FORECASTING,
            FORECAST_SERIES,
            TRANSLATION,
        )
        for entry in family
    }
)
"""Every data set by name."""


def find(name: str) -> DataSet:
    """Look a data set up by name.

    Raises:
        OptionError: there is no such data set; a near miss is offered.
    """
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def fetch(name: str, watch: Watch = unwatched) -> Path:
    """Make sure a data set is on this machine, downloading it if it is not.

    Args:
        name: one of `DATASETS`.
        watch: called at the start of each download; may return a progress bar for it.

    Returns:
        The file it will be read from, or the folder where there are several files.

    Raises:
        OptionError: there is no such data set.
        DataError: a stored file is damaged, the download failed, or the set has to be put in
            place by hand.
    """
    dataset = find(name)
    copy = storage.locate(dataset) or storage.download(dataset, watch)
    storage.contents(dataset, copy)
    return copy.place


def tables(name: str) -> dict[str, Table]:
    """Read a named data set as tables, downloading it once if necessary.

    With ELMAN_DATA set, only `fetch` uses the network.

    Args:
        name: one of `DATASETS`.

    Returns:
        Split → its table, with the columns that the entry of the data set describes. Splits are
        the official ones, or those described in its entry. Where there is no `valid` or no
        `test`, hold a part of `train` out.

    Raises:
        OptionError: there is no such data set.
        DataError: it is not found, damaged, or cannot be downloaded.

    >>> chorales = tables("chorales")
    >>> {split: len(table) for split, table in chorales.items()}
    {'train': 229, 'valid': 76, 'test': 77}
    """
    from elman.data.table import Table

    return {
        split: Table.from_columns(columns, origin=f"{name} {split}")
        for split, columns in _read(find(name)).items()
    }


def load(name: str) -> Splits:
    """Read a corpus of piano rolls, downloading it once if necessary.

    Args:
        name: one of `ROLL_SETS`.

    Returns:
        Its pieces in the authors' splits.

    Raises:
        OptionError: there is no such data set, or it does not hold piano rolls.
        DataError: it is not found, damaged, or cannot be downloaded.

    >>> [len(part) for part in load("chorales")]
    [229, 76, 77]
    """
    dataset = find(name)
    if not isinstance(dataset, RollSet):
        raise OptionError(
            f"data set {name!r} holds no piano rolls ({dataset.task}). Read it with "
            f"`tables({name!r})`, or name one of {', '.join(ROLL_SETS)}."
        )
    splits = _read(dataset)
    return Splits(*(splits[part]["roll"] for part in Splits._fields))


def _read(dataset: DataSet) -> Mapping[str, Columns]:
    """Read a set from where it is stored, downloading it first where that is allowed."""
    copy = storage.locate(dataset)
    if copy is None:
        if os.environ.get("ELMAN_DATA") or dataset.download is None:
            raise storage.missing(dataset)
        copy = storage.download(dataset)
    return copy.layout.read(storage.contents(dataset, copy))
