"""From what somebody asked for, a kind and its options, to a feature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from elman.errors import OptionError, unknown
from elman.features.feature import Feature, feature_class


def parse_kind(text: str) -> tuple[str, dict[str, Any]]:
    """Read a kind as it is written on the command line: `text`, `text:char`, `audio:samples`.

    Returns:
        The kind, and the options that what stands behind the colon is short for.

    Raises:
        OptionError: there is no such kind, or it has no such variant; a near miss is offered.

    >>> parse_kind("text:char"), parse_kind("category")
    (('text', {'level': 'character'}), ('category', {}))
    """
    kind, colon, variant = text.partition(":")
    variants = feature_class(kind).variants
    if not colon:
        return kind, {}
    if not variants:
        raise OptionError(f"kind {kind!r} has no variants, got {text!r}; write {kind!r}.")
    if variant not in variants:
        raise unknown(f"{kind} variant", variant, variants)
    return kind, dict(variants[variant])


def build_feature(
    kind: str,
    options: Mapping[str, Any] | None = None,
    *,
    columns: Sequence[str] = (),
    as_target: bool = False,
) -> Feature:
    """Make a feature of a kind, not yet fitted.

    Args:
        kind: one of `KINDS`.
        options: arguments of its constructor.
        columns: names of the columns it is for. Their names reach the feature where they are
            several, or where the kind needs them; else a value is the one column's cell.
        as_target: whether it is to be predicted.

    Raises:
        OptionError: no such kind, no such option of it, it takes one column alone, or it cannot be
            predicted.
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
                f"kind {kind!r} is of one column, got {len(columns)}: {', '.join(columns)}. Name "
                f"one, or say kind 'record' or 'series'."
            )
        options["columns"] = list(columns)
    if as_target:
        feature.check_target(options)
        if "as_target" in inspect.signature(feature).parameters:
            options["as_target"] = True
    return feature(**options)  # type: ignore[no-any-return]
