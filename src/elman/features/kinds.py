"""All kinds of columns by name: those of Elman, and those of other packages."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from elman.errors import DataError, unknown
from elman.features.feature import Feature
from elman.plugins import Registry


class _BuiltIn(Mapping[str, type[Any]]):
    """Kind → its class, imported when first asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, kind: str) -> type[Any]:
        module, name = self._places[kind].split(":")
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _what_is_wrong(name: str, entry: Any) -> str | None:
    if not (isinstance(entry, type) and issubclass(entry, Feature)):
        return "must be a subclass of elman.features.feature.Feature"
    return None if entry.kind == name else f"is a feature of another kind, {entry.kind!r}"


KINDS: Registry[type[Any]] = Registry(
    "elman.features",
    _BuiltIn(
        {
            "audio": "elman.features.audio:AudioFeature",
            "category": "elman.features.category:CategoryFeature",
            "date": "elman.features.date:DateFeature",
            "frames": "elman.features.image:FramesFeature",
            "image": "elman.features.image:ImageFeature",
            "labels": "elman.features.labels:LabelsFeature",
            "number": "elman.features.number:NumberFeature",
            "record": "elman.features.record:RecordFeature",
            "roll": "elman.features.roll:RollFeature",
            "series": "elman.features.series:SeriesFeature",
            "symbols": "elman.features.symbols:SymbolsFeature",
            "text": "elman.features.text:TextFeature",
        }
    ),
    _what_is_wrong,
)
"""Kind → its class; kinds of other packages, too."""

_OF_TASKS = _BuiltIn(
    {
        "aligned": "elman.features.aligned:AlignedFeature",
        "context": "elman.features.mixture:ContextFeature",
        "forecast": "elman.features.forecast:ForecastFeature",
        "joint": "elman.features.joint:JointFeature",
        "mixture": "elman.features.mixture:MixtureFeature",
    }
)
"""Kinds that no column is said to be of: a task makes them of several."""


def feature_class(kind: str) -> type[Any]:
    """Return the class of a kind of feature.

    Raises:
        OptionError: there is no such kind; a near miss is offered.
        PluginError: the kind is of another package, and cannot be used.
    """
    if kind not in KINDS:
        raise unknown("kind of column", kind, KINDS)
    return KINDS[kind]


def feature_from_json(state: Mapping[str, Any]) -> Any:
    """Restore a fitted feature of any kind.

    Raises:
        DataError: the state is malformed.
    """
    kind = state.get("kind")
    if not isinstance(kind, str) or not (kind in _OF_TASKS or kind in KINDS):
        raise DataError(f"a feature's state must say its kind, got {kind!r}.")
    return (_OF_TASKS[kind] if kind in _OF_TASKS else KINDS[kind]).from_json(state)
