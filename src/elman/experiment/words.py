"""Sentences for the errors that pydantic finds in settings and options."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from elman.errors import ElmanError, ExperimentError, OptionError, unknown

Options = TypeVar("Options", bound=BaseModel)

_RULES = {
    "convolutions": "must be a list of layers, each with channels and, if need be, kernel and "
    "stride, all from 1 up, as in [{ channels = 64, kernel = 8, stride = 2 }]",
    "hidden_size": "must be a whole number from 1 up, or a list with one a layer",
    "zoneout": "must lie in [0, 1), or be a list of such numbers, one for each part of the state",
    "cell_options": "must be true, false, a number or a string",
    "input_options": "must be true, false, a number, a string or a list of strings",
    "target_options": "must be true, false, a number, a string or a list of strings",
}
"""Setting → the rule for its value, if several types are allowed."""

_LIST_RULES = {"head": "must be a list of whole numbers from 1 up"}
"""Option → the rule for its value, if it is a list. For a setting, the wrong item is named."""

_TYPE_RULES: Mapping[Any, str] = {bool: "must be True or False", str: "must be a string"}

_RANGES = {
    ("ge", "lt"): "must lie in [{ge}, {lt})",
    ("ge",): "must be a number from {ge} up",
    ("gt",): "must be a positive number",
    ("gt", "le"): "must be a number in ({gt}, {le}]",
}
"""Bounds of a real number → the rule in words."""


def checked_options(model: type[Options], values: Mapping[str, Any], owner: str) -> Options:
    """Check options that are passed in Python.

    Args:
        model: model of the options.
        values: name → value.
        owner: what the options belong to: `network` or `decoder`.

    Raises:
        OptionError: an option is unknown, or its value is out of range.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise option_in_words(error, model, values, owner) from error


def first_error(error: ValidationError) -> ErrorDetails:
    """Pick the error to report.

    An unknown key comes first: a misspelt key is often reported as missing too.
    """
    return min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")


def in_words(
    error: ErrorDetails,
    origin: str,
    whole: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> ElmanError:
    """Turn pydantic's error about an experiment into a sentence.

    Args:
        error: the error, as pydantic describes it.
        origin: where the values came from, such as a file.
        whole: model of the whole specification.
        sections: name of each section → its model.
    """
    path = [str(part) for part in error["loc"]]
    name, kind, got = ".".join(path), error["type"], error["input"]
    model, key = (sections.get(path[0]), path[-1]) if len(path) > 1 else (whole, name)
    if kind == "extra_forbidden" and model and len(path) < 3:
        noun = f"{path[0]} key" if len(path) > 1 else "key"
        cause = unknown(noun, key, model.model_fields, error=ExperimentError)
        return ExperimentError(f"{origin}: {cause}")
    if len(path) > 1 and path[1] in _RULES:
        return ExperimentError(f"{origin}: {path[0]}.{path[1]} {_RULES[path[1]]}, got {got!r}.")
    if kind == "literal_error" and model:
        choices = _choices(model.model_fields[key].annotation)
        return ExperimentError(f"{origin}: {unknown(key, got, choices)}")
    if kind == "missing":
        return ExperimentError(f"{origin} lacks {name}; it has no default.")
    if kind == "value_error":
        place = f"{origin}: {name}" if name else origin
        return ExperimentError(f"{place}: {error['ctx']['error']}.")
    message = error["msg"].replace("Input should be", "must be", 1)
    return ExperimentError(f"{origin}: {name} {message}, got {got!r}.")


def option_in_words(
    invalid: ValidationError, model: type[BaseModel], values: Mapping[str, Any], owner: str
) -> ElmanError:
    """Turn pydantic's errors about options into a sentence.

    The other arguments are those of `checked_options`.
    """
    error = first_error(invalid)
    if error["type"] == "value_error" and isinstance(error["ctx"]["error"], ElmanError):
        return error["ctx"]["error"]
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        return unknown(f"{owner} option", name, model.model_fields)
    field, got = model.model_fields[name], values[name]
    if error["type"] == "literal_error":
        return unknown(name, got, _choices(field.annotation))
    rule = _RULES.get(name) or _LIST_RULES.get(name) or _rule(field)
    return OptionError(f"{f'{owner}.' if owner == 'decoder' else ''}{name} {rule}, got {got!r}.")


def _rule(field: FieldInfo) -> str:
    """Say in words which values a field of one type takes."""
    bounds = {
        bound: getattr(limit, bound)
        for limit in field.metadata
        for bound in ("gt", "ge", "lt", "le")
        if hasattr(limit, bound)
    }
    kind = next(iter({*get_args(field.annotation)} - {NoneType}), field.annotation)
    if kind is int:
        return f"must be a whole number of at least {bounds['ge']}"
    return _TYPE_RULES.get(kind) or _RANGES[tuple(bounds)].format(**bounds)


def _choices(annotation: Any) -> list[str]:
    """List the choices of a Literal, or of a Literal or None."""
    choices: list[str] = []
    for choice in get_args(annotation):
        choices += [choice] if isinstance(choice, str) else _choices(choice)
    return choices
