"""Settings by name, as in `training.epochs=100`; and what is wrong with one, in words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from elman.errors import ElmanError, ExperimentError, unknown

RIVALS = {
    "network.hidden_size": "network.parameters",
    "network.parameters": "network.hidden_size",
    "data.name": "data.files",
    "data.files": "data.name",
}
"""Settings of which at most one is given."""

_KINDS = {
    "network.hidden_size": "must be a whole number from 1 up, or a list with one a layer",
    "network.cell_options": "must be true, false, a number or a text",
    "data.input_options": "must be true, false, a number, a text or a list of texts",
    "data.target_options": "must be true, false, a number, a text or a list of texts",
}
"""What values of several types may be, in words."""


def parse_overrides(assignments: Iterable[str]) -> dict[str, Any]:
    """Read `setting=value` texts, each value written as in TOML.

    A single word needs no quotes.

    Raises:
        ExperimentError: a text is no assignment, or its value is not TOML.

    >>> parse_overrides(["network.hidden_size=[64, 32]", "cell=lstm"])
    {'network.hidden_size': [64, 32], 'cell': 'lstm'}
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
        name: of a setting in full, or its last part.
        known: every setting in full.

    Raises:
        ExperimentError: no setting is called that; a near miss is offered.
    """
    if name in known or any(name.startswith(f"{table}.") for table in known if "_options" in table):
        return name
    short = {full.rsplit(".", 1)[-1]: full for full in known}
    if name in short:
        return short[name]
    raise unknown("setting", name, known if "." in name else short, error=ExperimentError)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name every value by its path: {"a": {"b": 1}} gives {"a.b": 1}."""
    named: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            named |= flat(value, f"{prefix}{name}.")
        else:
            named[f"{prefix}{name}"] = value
    return named


def in_words(
    error: ErrorDetails,
    origin: str,
    whole: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> ElmanError:
    """Turn pydantic's account of what is wrong into a sentence.

    Args:
        error: the account.
        origin: what the values came from.
        whole: the model of the whole specification.
        sections: name → model of each of its sections.
    """
    path = [str(part) for part in error["loc"]]
    name, kind, got = ".".join(path), error["type"], error["input"]
    for several, words in _KINDS.items():
        if name.startswith(several):
            return ExperimentError(f"{origin}: {several} {words}, got {got!r}.")
    model, key = (sections.get(path[0]), path[-1]) if len(path) > 1 else (whole, name)
    if kind == "extra_forbidden" and model:
        what = f"{path[0]} key" if len(path) > 1 else "key"
        wrong = unknown(what, key, model.model_fields, error=ExperimentError)
        return ExperimentError(f"{origin}: {wrong}")
    if kind == "literal_error" and model:
        choices = _choices(model.model_fields[key].annotation)
        return ExperimentError(f"{origin}: {unknown(key, got, choices)}")
    if kind == "missing":
        return ExperimentError(f"{origin} lacks {name}; it has no default.")
    if kind == "value_error":
        where = f"{origin}: {name}" if name else origin
        return ExperimentError(f"{where}: {error['ctx']['error']}.")
    message = error["msg"].replace("Input should be", "must be", 1)
    return ExperimentError(f"{origin}: {name} {message}, got {got!r}.")


def _choices(annotation: Any) -> list[str]:
    """List the words of a Literal, or of one that may be None."""
    words: list[str] = []
    for choice in get_args(annotation):
        words += [choice] if isinstance(choice, str) else _choices(choice)
    return words


def _parse_value(text: str, assignment: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if re.fullmatch(r"[A-Za-z][\w.-]*", text):
            return text
        raise ExperimentError(
            f"the value in {assignment!r} must be written as in TOML: 0.1, 100, true, "
            f'"text" or [64, 32]; got {text!r}.'
        ) from error
