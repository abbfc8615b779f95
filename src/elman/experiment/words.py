"""What pydantic finds wrong with settings and options, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from elman.errors import ElmanError, ExperimentError, OptionError, unknown

Options = TypeVar("Options", bound=BaseModel)

_KINDS = {
    "hidden_size": "must be a whole number from 1 up, or a list with one a layer",
    "zoneout": "must lie in [0, 1), or be a list of such numbers, one for each part of the state",
    "cell_options": "must be true, false, a number or a text",
    "input_options": "must be true, false, a number, a text or a list of texts",
    "target_options": "must be true, false, a number, a text or a list of texts",
}
"""Setting → what its value may be, where that is of several types."""

_LISTS = {"head": "must be a list of whole numbers from 1 up"}
"""Option → what it is, where it is a list. Of a setting the item that is wrong is named."""

_PLAIN: Mapping[Any, str] = {bool: "must be True or False", str: "must be a string"}

_RANGES = {
    ("ge", "lt"): "must lie in [{ge}, {lt})",
    ("ge",): "must be a number from {ge} up",
    ("gt",): "must be a positive number",
    ("gt", "le"): "must be a number in ({gt}, {le}]",
}
"""Bounds of a number that need not be whole → the words for them."""


def checked_options(model: type[Options], given: Mapping[str, Any], of: str) -> Options:
    """Check options that were given in Python.

    Args:
        model: of the options.
        given: name → value.
        of: what they are options of: `network`, or `decoder`.

    Raises:
        OptionError: an option is unknown, near miss first, or its value out of range.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise option_in_words(error, model, given, of) from error


def first_error(error: ValidationError) -> ErrorDetails:
    """Pick what is to be told of all that is wrong.

    An unknown key comes first: a misspelt one is often reported as missing, too.
    """
    return min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")


def in_words(
    error: ErrorDetails,
    origin: str,
    whole: type[BaseModel],
    sections: Mapping[str, type[BaseModel]],
) -> ElmanError:
    """Turn pydantic's account of what is wrong with an experiment into a sentence.

    Args:
        error: the account.
        origin: what the values came from.
        whole: the model of the whole specification.
        sections: name → model of each of its sections.
    """
    path = [str(part) for part in error["loc"]]
    name, kind, got = ".".join(path), error["type"], error["input"]
    model, key = (sections.get(path[0]), path[-1]) if len(path) > 1 else (whole, name)
    if kind == "extra_forbidden" and model:
        what = f"{path[0]} key" if len(path) > 1 else "key"
        wrong = unknown(what, key, model.model_fields, error=ExperimentError)
        return ExperimentError(f"{origin}: {wrong}")
    if len(path) > 1 and path[1] in _KINDS:
        return ExperimentError(f"{origin}: {path[0]}.{path[1]} {_KINDS[path[1]]}, got {got!r}.")
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


def option_in_words(
    wrong: ValidationError, model: type[BaseModel], given: Mapping[str, Any], of: str
) -> ElmanError:
    """Turn pydantic's account of what is wrong with options into a sentence.

    Arguments are those of `checked_options`.
    """
    error = first_error(wrong)
    if error["type"] == "value_error" and isinstance(error["ctx"]["error"], ElmanError):
        return error["ctx"]["error"]
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return unknown(f"{of} option", name, model.model_fields)
    field, got = model.model_fields[name], given[name]
    if error["type"] == "literal_error":
        return unknown(name, got, _choices(field.annotation))
    wanted = _KINDS.get(name) or _LISTS.get(name) or _wanted(field)
    return OptionError(f"{f'{of}.' if of == 'decoder' else ''}{name} {wanted}, got {got!r}.")


def _wanted(field: FieldInfo) -> str:
    """Say what a value of one type, or none, may be."""
    bounds = {
        bound: getattr(limit, bound)
        for limit in field.metadata
        for bound in ("gt", "ge", "lt", "le")
        if hasattr(limit, bound)
    }
    kind = next(iter({*get_args(field.annotation)} - {NoneType}), field.annotation)
    if kind is int:
        return f"must be a whole number of at least {bounds['ge']}"
    return _PLAIN.get(kind) or _RANGES[tuple(bounds)].format(**bounds)


def _choices(annotation: Any) -> list[str]:
    """List the words of a Literal, or of one that may be None."""
    words: list[str] = []
    for choice in get_args(annotation):
        words += [choice] if isinstance(choice, str) else _choices(choice)
    return words
