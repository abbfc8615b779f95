"""Building a feature from its kind and options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from elman.errors import OptionError, unknown
from elman.features.feature import Feature
from elman.features.kinds import KINDS, feature_class


def parse_kind(text: str) -> tuple[str, dict[str, Any]]:
    """Read a kind as written on the command line: `text`, `text:char`, `date:%d/%m/%Y`.

    Returns:
        The kind, and the options that the variant after the colon stands for.

    Raises:
        OptionError: there is no such kind or variant; the nearest name is offered.

    >>> parse_kind("text:char"), parse_kind("category")
    (('text', {'level': 'character'}), ('category', {}))
    """
    kind, colon, variant = text.partition(":")
    variants = feature_class(kind).variants
    if not colon:
        return kind, {}
    if variant and (option := feature_class(kind).free_variant):
        return kind, {option: variant}
    if not variants:
        raise OptionError(f"kind {kind!r} has no variants, got {text!r}; write {kind!r}.")
    if variant not in variants:
        raise unknown(f"{kind} variant", variant, variants)
    return kind, dict(variants[variant])


def kind_class(text: str) -> type[Any]:
    """Return the class of a kind as written on the command line, with or without its variant.

    Raises:
        OptionError: there is no such kind; the nearest name is offered.
    """
    return feature_class(text.partition(":")[0])


def full_kind(text: str) -> str:
    """Complete a variant that only one kind of column has: `char` is `text:char`.

    Raises:
        OptionError: there is no such kind or variant; the nearest name is offered.
    """
    variants = {name: feature_class(name).variants for name in KINDS}
    full = [f"{name}:{text}" for name, known in variants.items() if text in known]
    if not full and text.partition(":")[0] not in KINDS:
        raise unknown(
            "kind of column", text, {*KINDS, *(v for known in variants.values() for v in known)}
        )
    return full[0] if len(full) == 1 else text


def build_feature(
    kind: str,
    options: Mapping[str, Any] | None = None,
    *,
    columns: Sequence[str] = (),
    as_target: bool = False,
) -> Feature:
    """Build a feature of a kind, not yet fitted.

    Args:
        kind: one of `KINDS`.
        options: arguments of the kind's constructor.
        columns: names of the feature's columns. They are passed on if there are several, or if the
            kind needs them; otherwise a value is the cell of the only column.
        as_target: whether the feature is predicted.

    Raises:
        OptionError: the kind or an option is unknown, the kind takes only one column, or it cannot
            be predicted.
    """
    feature = feature_class(kind)
    known = [name for name in inspect.signature(feature).parameters if name != "as_target"]
    options = dict(options or {})
    for option in options:
        if option not in known:
            if not known:
                raise OptionError(f"kind {kind!r} has no options, got {option!r}.")
            raise unknown(f"{kind} option", option, known)
    if len(columns) > 1 or (columns and kind == "record"):
        if "columns" not in known:
            raise OptionError(
                f"kind {kind!r} takes one column, got {len(columns)}: {', '.join(columns)}. Name "
                f"one, or set the kind to 'record' or 'series'."
            )
        options["columns"] = list(columns)
    if as_target:
        feature.check_target(options)
        if "as_target" in inspect.signature(feature).parameters:
            options["as_target"] = True
    return feature(**options)  # type: ignore[no-any-return]
