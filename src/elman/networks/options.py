"""Which options of a network have a meaning in which category."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from pydantic import BaseModel

from elman.errors import OptionError, unknown
from elman.experiment.categories import CATEGORIES, Category
from elman.experiment.decoder import DecoderSpec
from elman.experiment.network import NetworkOptions


def known_category(name: str) -> Category:
    """Return the record of a category.

    Raises:
        OptionError: there is no such category.
    """
    if name not in CATEGORIES:
        raise unknown("category", name, CATEGORIES)
    return CATEGORIES[name]


def check_meaning(category: Category, options: NetworkOptions) -> None:
    """Refuse options that have no meaning in a category, instead of ignoring them.

    Raises:
        OptionError: an option has no meaning in the category, or there is no hidden size.
    """
    _refuse(category, _changed(options), category.meaningless)
    if category.recurrent and options.hidden_size is None:
        raise OptionError(f"{category.spoken} needs a hidden_size; give one.")


def check_meaning_of_decoder(category: Category, writing: DecoderSpec) -> None:
    """Refuse options of a decoder that have no meaning in a category.

    Raises:
        OptionError: an option has no meaning in the category.
    """
    changed = {f"decoder.{name}": value for name, value in _changed(writing).items()}
    without = {f"decoder.{name}" for name in category.meaningless_of_decoder}
    _refuse(category, changed, without if category.writes else changed.keys())


def _changed(options: BaseModel) -> dict[str, Any]:
    """Return the options that differ from their defaults, in their order."""
    defaults = {name: field.default for name, field in type(options).model_fields.items()}
    given = options.model_dump()
    return {name: value for name, value in given.items() if value != defaults[name]}


def _refuse(category: Category, changed: dict[str, Any], meaningless: Set[str]) -> None:
    for name, value in changed.items():
        if name in meaningless:
            raise OptionError(
                f"{name}={value!r} has no meaning in {category.spoken}; leave it out."
            )
