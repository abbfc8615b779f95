"""The JSON of a feature: its kind, its options, and what it has learned."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from elman.errors import DataError, OptionError
from elman.features.checks import shown

F = TypeVar("F")
Types = type | tuple[type, ...]


def feature_state(
    kind: str, options: Mapping[str, Any], learned: Mapping[str, Any]
) -> dict[str, Any]:
    """Build a feature's JSON, as `restore` reads it."""
    return {"kind": kind, "options": dict(options), "learned": dict(learned)}


def options_of(feature: object) -> dict[str, Any]:
    """Return a feature's options: the attributes named like its constructor's arguments."""
    return {name: getattr(feature, name) for name in inspect.signature(type(feature)).parameters}


def restore(
    feature: type[F], state: Mapping[str, Any], entries: Mapping[str, Types]
) -> tuple[F, dict[str, Any]]:
    """Build a feature with the options in its JSON.

    Args:
        feature: class of the feature, which must have the kind of the state.
        state: the JSON of `feature_state`.
        entries: names of what was learned → their types.

    Returns:
        The feature with these options, and what it had learned, for the caller to set.

    Raises:
        DataError: the state has another kind, an entry is missing, unknown or of a wrong type, or
            an option is wrong.
    """
    kind: str = feature.kind  # type: ignore[attr-defined]
    if state.get("kind") != kind:
        raise malformed(kind, f"its kind is {state.get('kind')!r}")
    options, learned = state.get("options"), state.get("learned")
    if not isinstance(options, Mapping) or not isinstance(learned, Mapping):
        raise malformed(kind, "it must hold 'options' and 'learned'")
    if wrong := set(options) - set(inspect.signature(feature).parameters):
        raise malformed(kind, f"it has the unknown options {sorted(wrong)}")
    check_entries(kind, learned, entries)
    try:
        return feature(**options), dict(learned)
    except (OptionError, TypeError) as error:
        raise malformed(kind, str(error)) from error


def check_entries(kind: str, state: Mapping[str, Any], entries: Mapping[str, Types]) -> None:
    """Refuse JSON that has other entries than these, or entries of other types."""
    if set(state) != set(entries):
        raise malformed(kind, f"it must hold {sorted(entries)}, got {sorted(map(str, state))}")
    for name, types in entries.items():
        if not isinstance(state[name], types):
            raise malformed(kind, f"its entry {name!r} cannot be {shown(state[name])}")


def malformed(kind: str, why: str) -> DataError:
    """Build the error for JSON that does not describe a feature."""
    return DataError(f"the state of a feature of kind {kind!r} is malformed: {why}.")
