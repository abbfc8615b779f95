"""Inferring the kind of a column from its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, NoneType
from typing import Any, NamedTuple

import numpy as np

from elman.data.table import Table
from elman.data.times import looks_like_times
from elman.errors import DataError, OptionError, as_option, counted
from elman.features import guesses
from elman.features.checks import blank, shown
from elman.features.guesses import Guess, Whole
from elman.features.kinds import feature_class
from elman.features.proposal import most_telling

_DATE = re.compile(r"\s*\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d.*)?\s*$")


class Inferred(NamedTuple):
    """The inferred kind of a column."""

    kind: str
    options: dict[str, Any]
    """Arguments of the feature's constructor, for `build.build_feature`."""
    why: str
    """The reason, in words: `6 different names, repeated`."""


_GUESSES: Mapping[str, Callable[[guesses.Sample], Guess]] = {
    "strings": guesses.strings,
    "numbers": guesses.numbers,
    "true and false": lambda _: Guess("category", {}, "true and false"),
    "lists of strings": guesses.lists_of_strings,
    "lists of numbers": guesses.lists_of_numbers,
    "rows of numbers over time": guesses.arrays,
    "arrays of three axes": guesses.arrays,
    "arrays of four axes": lambda _: Guess("frames", {}, "arrays of four axes"),
    "pictures": lambda _: Guess("image", {}, "pictures"),
    "lists of pictures": lambda _: Guess("frames", {}, "lists of pictures"),
    "sounds": lambda _: Guess("audio", {}, "samples with their rate"),
    "bytes": guesses.contents,
}


def infer_kind(
    values: Sequence[Any],
    *,
    name: str,
    as_target: bool = False,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
    whole: Whole | None = None,
) -> Inferred:
    """Infer the kind of a column from a sample of its values.

    Args:
        values: a sample of a few hundred to a few thousand values from the whole column.
        name: name of the column, for errors.
        as_target: whether the column is predicted. A target of few distinct whole numbers is a
            category; such an input is a number.
        steps: for a target, the number of steps of each value's input, which distinguishes tags,
            one a step, from labels.
        next_step: whether the next element of each value is predicted. Strings are then read as
            characters, so that nothing is lost and generated text needs no spacing rules.
        whole: what is known of the whole column; by default the sample is all of it.

    Raises:
        DataError: all values are missing, values have different types (an example of each is
            shown), or no kind reads their type.
    """
    if steps is not None and len(steps) != len(values):
        raise OptionError(f"steps must be one a value, {len(values)}, got {len(steps)}.")
    try:
        examples, empty, kept = _types_of(values, name)
    except _TimesFound as found:
        raise _times(name, found.value, as_target, is_date=found.is_date) from None
    if not examples:
        raise DataError(
            f"column {name!r} is empty in {counted(len(values), 'row')}, so its kind cannot be "
            f"inferred; leave it out: {as_option('--ignore', name)} in place of naming it."
        )
    if empty is not None and not examples.keys() & {*_LISTS, *_AXES}:
        examples["empty lists"] = empty
    if len(examples) > 1:
        (one, (first, a)), (other, (second, b)) = list(examples.items())[:2]
        raise DataError(
            f"column {name!r} mixes {one} and {other}: {shown(a)} in row {first} of the sample, "
            f"{shown(b)} in row {second}; make them one type, or set the kind."
        )
    (type_,) = examples
    sample = guesses.Sample(
        [values[place] for place in kept],
        as_target,
        None if steps is None else [steps[place] for place in kept],
        whole,
    )
    if type_ == "strings" and _hold_times(sample, next_step):
        raise _times(name, sample.values[0], as_target)
    guess = _GUESSES[type_](sample)
    if next_step and type_ == "strings" and guess.kind in {"text", "category"}:
        return Inferred("text", {"level": "character"}, "strings, read as characters")
    if next_step and guess.kind == "symbols":  # the symbols to predict must all be known
        return Inferred("symbols", {}, guess.why)
    return Inferred(guess.kind, guess.options, guess.why)


def _types_of(
    values: Sequence[Any], name: str
) -> tuple[dict[str, tuple[int, Any]], tuple[int, Any] | None, list[int]]:
    """Find the types of values.

    Returns:
        Type → place and value of its first example; those of the first empty list; and the places
        of the values that are not missing.
    """
    examples: dict[str, tuple[int, Any]] = {}
    if {*map(type, values)} <= {str, NoneType}:  # as in most columns
        kept = [place for place, value in enumerate(values) if value and not value.isspace()]
        return {"strings": (kept[0], values[kept[0]])} if kept else {}, None, kept
    empty: tuple[int, Any] | None = None
    kept = []
    for place, value in enumerate(values):
        if blank(value):
            continue
        type_ = _type_of(value, name)
        if type_ != "nothing":
            examples.setdefault(type_, (place, value))
        elif empty is None:
            empty = place, value
        kept.append(place)
    return examples, empty, kept


def infer_columns(
    columns: Mapping[str, Sequence[Any]],
    *,
    as_target: bool = False,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
    whole: Mapping[str, Whole] = MappingProxyType({}),
    beside: Mapping[str, Sequence[Any]] = MappingProxyType({}),
) -> Inferred:
    """Infer the kind of one column, or of several together, from samples of their values.

    Several columns of numbers and categories are a record, and several series are one series; as a
    target, several columns must be numbers or series.

    Args:
        columns: name → sample of the column's values.
        as_target: as for `infer_kind`.
        steps: as for `infer_kind`.
        next_step: as for `infer_kind`.
        whole: name of a column → what is known of all of it.
        beside: samples of further columns, which are not read; one of them may be proposed where
            the others cannot be combined.

    Raises:
        OptionError: there is no column.
        DataError: as for `infer_kind`, or the columns cannot be combined.
    """
    if not columns:
        raise OptionError("at least one column must be named, got none.")
    inferred = {
        name: infer_kind(
            values,
            name=name,
            as_target=as_target and len(columns) == 1,
            steps=steps,
            next_step=next_step,
            whole=whole.get(name),
        )
        for name, values in columns.items()
    }
    if len(inferred) == 1:
        (only,) = inferred.values()
        return only
    kind_of = {name: each.kind for name, each in inferred.items()}
    kinds = set(kind_of.values())
    if kinds == {"series"}:
        return Inferred("series", {}, f"{len(inferred)} columns of numbers over time")
    if as_target and kinds == {"number"}:
        return Inferred("number", {}, f"{len(inferred)} columns of numbers")
    if not as_target and kinds <= {"number", "category"}:
        count = sum(kind == "number" for kind in kind_of.values())
        why = f"{count} columns of numbers, {len(kind_of) - count} of categories"
        return Inferred("record", {"kinds": kind_of}, why)
    raise _not_combinable(kind_of, as_target, {**columns, **beside})


def _not_combinable(
    kinds: Mapping[str, str], as_target: bool, samples: Mapping[str, Sequence[Any]]
) -> DataError:
    """Build the error for columns that cannot be combined, with a proposal of one of them."""
    (first, kind), *others = kinds.items()
    listed = [f"{first} looks like {feature_class(kind).plural}"]
    listed += [f"{name} like {feature_class(kind).plural}" for name, kind in others]
    beside = [name for name in samples if name not in kinds]
    if beside:
        listed.append(f"beside them {', '.join(beside)} would not be read")
    simple = {"number"} if as_target else {"number", "category"}
    telling = [name for name in samples if kinds.get(name) not in simple]
    chosen = first if as_target and not telling else most_telling(samples, telling)
    role, verb = ("target", "predicted") if as_target else ("input", "read")
    rest = [name for name, kind in kinds.items() if kind in simple and name != chosen]
    together = " ".join(as_option(f"--{role}", name) for name in rest)
    several = f" Or name those that can be {verb} together: {together}." if rest else ""
    return DataError(
        f"columns that are {verb} together must all be numbers"
        f"{'' if as_target else ' and categories'}, or all series; {', '.join(listed)}. Name one: "
        f"{as_option(f'--{role}', chosen)} on the command line, {role}={chosen!r} in Python, "
        f"data.{role} in TOML.{several}"
    )


def _type_of(value: Any, name: str) -> str:
    """Name the type of a value, or `nothing` for an empty list."""
    import datetime

    if isinstance(value, str):
        return "strings"
    if isinstance(value, bool | np.bool_):
        return "true and false"
    if isinstance(value, int | float | np.number) or type(value).__name__ == "Decimal":
        return "numbers"
    if isinstance(value, bytes):
        return "bytes"
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | np.datetime64):
        raise _TimesFound(value, is_date=not isinstance(value, datetime.time | datetime.timedelta))
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        return "pictures"
    if isinstance(value, Mapping):
        return _type_of_mapping(value, name)
    if isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]) and not np.ndim(value[1]):
        return "sounds"
    if hasattr(value, "__len__"):
        return _type_of_list(value, name)
    raise DataError(f"column {name!r} holds {shown(value)}, which no kind of column can read.")


def _hold_times(sample: guesses.Sample, next_step: bool) -> bool:
    """Tell whether strings are dates or times; those that are predicted, only in ISO form."""
    texts = sample.values
    if not all(isinstance(text, str) for text in texts):
        return False
    if sample.as_target or next_step:
        return all(_DATE.match(text) for text in texts)
    return looks_like_times(Table.from_columns({"x": list(texts[:100])}, "the sample"), "x")


class _TimesFound(Exception):
    """A value that is a date or a time."""

    def __init__(self, value: Any, *, is_date: bool) -> None:
        super().__init__()
        self.value = value
        self.is_date = is_date


def _times(name: str, value: Any, as_target: bool, *, is_date: bool = True) -> DataError:
    """Build the error for a column of times; as input, the calendar of single dates can be read."""
    found = f"column {name!r} holds times, such as {shown(value)}, "
    if as_target:
        return DataError(
            f"{found}which cannot be predicted. Name another column as the target; to forecast its "
            f"next N values, name this one as their time: {as_option('--time', name)} --horizon N."
        )
    if is_date:
        return DataError(
            f"{found}which are read as input by their calendar alone: "
            f"{as_option('--input', f'{name}:date')}. Or name it as the time (--time on the "
            "command line), or leave it out."
        )
    return DataError(
        f"{found}which no kind of column reads; leave it out: {as_option('--ignore', name)} in "
        "place of naming it."
    )


def _type_of_mapping(value: Mapping[str, Any], name: str) -> str:
    """Name the type of a mapping: Hugging Face's sounds and pictures."""
    if "sampling_rate" in value:
        return "sounds"
    if isinstance(value.get("path"), str):
        return "strings" if blank(value.get("bytes")) else "bytes"
    if isinstance(value.get("bytes"), bytes):
        return "bytes"
    raise DataError(
        f"column {name!r} holds mappings, such as {shown(value)}; make each of their entries a "
        f"separate column."
    )


def _type_of_list(value: Any, name: str) -> str:
    """Name the type of a list or array, from its first element that is not missing."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        axes = value.ndim
    else:
        first = next((element for element in value if not blank(element)), None)
        if first is None:
            return "nothing"
        try:
            inner = _type_of(first, name)
        except _TimesFound as found:
            raise _TimesFound(found.value, is_date=False) from None
        if inner == "nothing":
            return inner
        if inner in {"strings", "pictures"}:
            return f"lists of {inner}"
        axes = 1 + {"numbers": 0, "true and false": 0, **_AXES}.get(inner, 9)
    for words, count in _AXES.items():
        if axes == count:
            return words
    raise DataError(
        f"column {name!r} holds {shown(value)}, a list that no kind of column can read."
    )


_LISTS = {"lists of strings", "lists of pictures"}
"""Types of lists, beside those of numbers."""

_AXES = {
    "lists of numbers": 1,
    "rows of numbers over time": 2,
    "arrays of three axes": 3,
    "arrays of four axes": 4,
}
