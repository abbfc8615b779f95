"""Settings by name, as in `training.epochs=100`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from elman.errors import ExperimentError, unknown

RIVALS = {
    "network.hidden_size": "network.parameters",
    "network.parameters": "network.hidden_size",
    "data.name": "data.files",
    "data.files": "data.name",
}
"""Setting → the setting that must not be given beside it."""

TABLES = ("_options", ".columns", ".objectives", ".loss_weights", "tune.space")
"""Ends of the names of settings that are tables, whose keys are not fixed."""

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^.]+')


def parse_overrides(assignments: Iterable[str]) -> dict[str, Any]:
    """Read settings written as `name=value`, each value as in TOML.

    A single word needs no quotes, nor do the name of a time zone, a format of times that begins
    with `%`, a single mark, and the score of one of several targets.

    Raises:
        ExperimentError: a setting has no `=`, or its value is not TOML.

    >>> parse_overrides(["network.hidden_size=[64, 32]", "cell=lstm"])
    {'network.hidden_size': [64, 32], 'cell': 'lstm'}
    >>> parse_overrides(["time_zone=Europe/Berlin", "time_format=%d/%m/%Y"])
    {'time_zone': 'Europe/Berlin', 'time_format': '%d/%m/%Y'}
    >>> parse_overrides(["time_format=%d/%m/%Y %H:%M"])
    {'time_format': '%d/%m/%Y %H:%M'}
    >>> parse_overrides(["decimal=,"])
    {'decimal': ','}
    >>> parse_overrides(["score=accuracy of priority"])
    {'score': 'accuracy of priority'}
    """
    overrides = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ExperimentError(
                f"a setting is written name=value, as in training.epochs=100; got {assignment!r}."
            )
        overrides[name.strip()] = _parse_value(value.strip(), assignment)
    return overrides


def complete_name(name: str, known: list[str]) -> str:
    """Complete a setting's name with its section.

    Args:
        name: full name of a setting, or its last part.
        known: full names of all settings.

    Raises:
        ExperimentError: there is no such setting; the nearest name is offered.
    """
    tables = [full for full in known if full.endswith(TABLES)]
    if name in known or any(name.startswith(f"{table}.") for table in tables):
        return name
    short = {full.rsplit(".", 1)[-1]: full for full in known}
    if name in short:
        return short[name]
    first, _, rest = name.partition(".")
    if rest and short.get(first) in tables:
        return f"{short[first]}.{rest}"
    raise unknown("setting", name, known if "." in name else short, error=ExperimentError)


def path_of(name: str) -> list[str]:
    """Split the full name of a setting at its dots; a part that has dots itself stands in quotes.

    >>> path_of("training.epochs"), path_of('data.columns."date.of.birth".kind')
    (['training', 'epochs'], ['data', 'columns', 'date.of.birth', 'kind'])
    """
    return [json.loads(part) if part.startswith('"') else part for part in _PART.findall(name)]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name every value by its path: {"a": {"b": 1}} gives {"a.b": 1}."""
    named: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            named |= flat(value, f"{prefix}{name}.")
        else:
            named[f"{prefix}{name}"] = value
    return named


def _parse_value(text: str, assignment: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if re.fullmatch(r"[A-Za-z][\w.%:/+-]*|%[^'\"]+|[.,;|/]|\w+ of \S.*", text):
            return text
        raise ExperimentError(
            f"the value in {assignment!r} must be written as in TOML: 0.1, 100, true, "
            f'"text" or [64, 32]; got {text!r}.'
        ) from error
