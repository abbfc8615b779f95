"""A feature as JSON: its kind, its options, and what it has learned."""

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
    """Lay out a feature's JSON, as `restore` reads it."""
    return {"kind": kind, "options": dict(options), "learned": dict(learned)}


def options_of(feature: object) -> dict[str, Any]:
    """Return a feature's options: attributes with the names of its constructor's arguments."""
    return {name: getattr(feature, name) for name in inspect.signature(type(feature)).parameters}


def restore(
    feature: type[F], state: Mapping[str, Any], entries: Mapping[str, Types]
) -> tuple[F, dict[str, Any]]:
    """Make a feature with the options of its JSON.

    Args:
        feature: its class, whose `kind` the state must be of.
        state: as `feature_state` laid it out.
        entries: what it has learned, each with the types it may be of.

    Returns:
        The feature with these options, and the entries of what it had learned, which the caller
        gives back to it.

    Raises:
        DataError: the state is of another kind, an entry is missing, of a wrong type or too many,
            or an option cannot be taken.
    """
    kind: str = feature.kind  # type: ignore[attr-defined]
    if state.get("kind") != kind:
        raise malformed(kind, f"it says kind {state.get('kind')!r}")
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


def check_entries(kind: str, found: Mapping[str, Any], entries: Mapping[str, Types]) -> None:
    """Refuse JSON whose entries are not exactly the named ones, or not of their types."""
    if set(found) != set(entries):
        raise malformed(kind, f"it must hold {sorted(entries)}, got {sorted(map(str, found))}")
    for name, types in entries.items():
        if not isinstance(found[name], types):
            raise malformed(kind, f"its entry {name!r} cannot be {shown(found[name])}")


def malformed(kind: str, why: str) -> DataError:
    """Build the error for JSON that does not describe a feature."""
    return DataError(f"the state of a feature of kind {kind!r} is malformed: {why}.")
