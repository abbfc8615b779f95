"""The feature of the input columns: of one, of several of one kind, or of several kinds together.

| columns                                   | feature                                          |
| ----------------------------------------- | ------------------------------------------------ |
| one                                       | of its kind                                      |
| numbers and categories                    | a record                                         |
| series with the same steps, alone         | one series                                       |
| columns with the same steps               | aligned: side by side at each step               |
| several groups, no one with steps         | a context: a record, labels, pictures, …         |
| several groups, one or more with steps    | a mixture: sequences, and the others beside them |
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from elman.data.arrow import is_list
from elman.data.table import Table
from elman.errors import ExperimentError, OptionError
from elman.experiment.data import DataSpec
from elman.features.aligned import AlignedFeature
from elman.features.build import build_feature, parse_kind
from elman.features.checks import blank
from elman.features.feature import Feature
from elman.features.kinds import feature_class
from elman.features.mixture import ContextFeature, MixtureFeature
from elman.features.parts import Part
from elman.features.record import CELL_KINDS, RecordFeature
from elman.tasks.fitting import infer, make_feature, sample

Kinds = dict[str, tuple[str, dict[str, Any]]]
"""Column → its kind, and the options of that kind."""


def input_feature(data: DataSpec, train: Table, columns: Sequence[str]) -> Feature:
    """Build the feature of the input columns, not yet fitted.

    Args:
        data: kinds and options that were given.
        train: the training part.
        columns: the input columns.

    Raises:
        DataError: the kind of a column cannot be inferred.
        OptionError: a kind or an option is unknown.
        ExperimentError: what is said of all columns contradicts what is said of one.
    """
    said = [name for name in columns if name in data.columns]
    if _are_one(data, columns) and said:
        raise ExperimentError(
            f"data.input_kind = {data.input_kind!r} reads {', '.join(columns)} as one, and "
            f"data.columns speaks of {said[0]} alone; leave one of them out."
        )
    if _are_one(data, columns) or (len(columns) == 1 and not said):
        return _of_one_kind(data, train, columns, data.input_kind)
    kinds = {name: kind_of(data, train, name) for name in columns}
    of_kinds = {kind for kind, _ in kinds.values()}
    is_record = of_kinds <= set(CELL_KINDS)
    if data.input_options and len(of_kinds) > 1 and (said or not is_record):
        raise ExperimentError(
            "data.input_options are for columns of one kind; give those of each column in "
            f"data.columns, as in [data.columns.{columns[0]}]."
        )
    if not said and is_record and all(known == data.input_options for _, known in kinds.values()):
        return _of_one_kind(data, train, columns, "record")
    if not said and data.input_options and of_kinds == {"series"}:
        return _of_one_kind(data, train, columns, "series")
    return _of_groups(train, _groups(data, train, kinds))


def _of_groups(train: Table, groups: Sequence[Part]) -> Feature:
    """Build the feature of columns of several kinds."""
    sequences = [part for part in groups if part.has_steps]
    others = [part for part in groups if not part.has_steps]
    if len(groups) == 1:
        feature: Feature = groups[0].feature
        return feature
    if not sequences:
        return ContextFeature(others)
    sequences.sort(key=lambda part: -_mean_steps(train, part))  # the longest is the main one
    return MixtureFeature([*sequences, *others])


def _are_one(data: DataSpec, columns: Sequence[str]) -> bool:
    """Tell whether several columns are said to be of a kind that reads them as one."""
    if data.input_kind is None or len(columns) == 1:
        return False
    kind, _ = parse_kind(data.input_kind)
    return "columns" in signature(feature_class(kind)).parameters


def _of_one_kind(data: DataSpec, train: Table, columns: Sequence[str], kind: str | None) -> Feature:
    """Build the feature of columns that are read as one, of a kind that is given or inferred."""
    feature: Feature = make_feature(train, columns, kind, data.input_options, as_target=False)
    return feature


def kind_of(data: DataSpec, train: Table, name: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of a column, given or inferred, and its options.

    Raises:
        OptionError: there is no such kind, or it is that of several columns together.
        ExperimentError: two kinds are given.
    """
    own = dict(data.columns.get(name, {}))
    text = own.pop("kind", data.input_kind)
    given = {**data.input_options, **own}
    if text is None:
        inferred = infer(train, [name])
        return inferred.kind, {**inferred.options, **given}
    kind, options = parse_kind(str(text))
    if data.input_kind is not None and kind != parse_kind(data.input_kind)[0]:
        raise ExperimentError(
            f"column {name!r} is said to be of kind {text} in data.columns, and of kind "
            f"{data.input_kind} in data.input_kind; leave one of them out."
        )
    if feature_class(kind).of_columns:
        raise OptionError(
            f"column {name!r} is said to be a {kind}, and that is several columns together; say "
            f"{' or '.join(CELL_KINDS)}."
        )
    if not (options or given):
        options = feature_class(kind).seen_in(sample(train).column(name))
    return kind, {**options, **given}


def described_columns(feature: Feature, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the kind and the options of each column of a feature, as `data.columns` has them."""
    described = {}
    for name in columns:
        own = feature.feature_of(name)
        options = own.to_json().get("options", {}) if own.kind != "record" else {}
        kept = {
            option: value
            for option, value in options.items()
            if value is not None and not isinstance(value, dict)
            if option not in {"as_target", "columns"}
        }
        described[name] = {"kind": own.kind_of_column(name), **kept}
    return described


def _groups(data: DataSpec, train: Table, kinds: Kinds) -> list[Part]:
    """Group columns that are read together: numbers and categories, and those with equal steps."""
    records: dict[Any, list[str]] = {}
    for name, (kind, options) in kinds.items():
        if len(kinds) > 1 and kind in CELL_KINDS and set(options) <= {"scale"}:
            records.setdefault(options.get("scale", "standard"), []).append(name)
    parts: list[Part] = []
    for scale, names in records.items():
        of_each = {name: kinds[name][0] for name in names}
        parts.append(Part(tuple(names), RecordFeature(names, kinds=of_each, scale=scale)))
    simple = {name for names in records.values() for name in names}
    others = {name: kind for name, kind in kinds.items() if name not in simple}
    made: dict[str, Feature] = {}
    grouped = _with_equal_steps(data, train, others)
    if not parts and len(grouped) == 1 and _is_one_series(train, others):
        names = list(others)
        return [Part(tuple(names), build_feature(*others[names[0]], columns=names))]
    return parts + [_part(names, others, made) for names in grouped]


def _part(names: Sequence[str], kinds: Kinds, made: dict[str, Feature]) -> Part:
    """Build the part of columns that are read together; of one kind and options, one feature.

    Args:
        names: of the columns.
        kinds: their kinds.
        made: features that were built before, by what they were built of.
    """
    if len(names) == 1:
        kind, options = kinds[names[0]]
        key = repr((kind, sorted(options.items())))
        if feature_class(kind).has_steps:  # such columns share a vocabulary, and so weights
            return Part((names[0],), made.setdefault(key, build_feature(kind, options)))
        return Part((names[0],), build_feature(kind, options))
    parts = [Part((name,), build_feature(*kinds[name])) for name in names]
    return Part(tuple(names), AlignedFeature(parts))


def _is_one_series(train: Table, kinds: Kinds) -> bool:
    """Tell whether several columns are series that differ in nothing and lack no cell.

    Where a cell is missing, or something else is read beside them, they are aligned: the steps of a
    missing cell are those of the others.
    """
    first, *others = kinds.values()
    complete = all(train.arrow(name).null_count == 0 for name in kinds)
    return bool(others) and first[0] == "series" and complete and all(k == first for k in others)


def _with_equal_steps(data: DataSpec, train: Table, kinds: Kinds) -> list[list[str]]:
    """Group the columns whose cells are lists of equal lengths, row by row."""
    groups: list[tuple[list[int] | None, list[str]]] = []
    for name, (kind, _) in kinds.items():
        lengths = None
        listed = feature_class(kind).has_steps and not feature_class(kind).reads_files
        if data.side_by_side and listed and is_list(train.column(name).type):
            lengths = [-1 if blank(cell) else len(cell) for cell in sample(train).column(name)]
        for known, names in groups:
            if known is not None and lengths is not None and _agree(known, lengths):
                names.append(name)
                break
        else:
            groups.append((lengths, [name]))
    return [names for _, names in groups]


def _agree(one: Sequence[int], other: Sequence[int]) -> bool:
    """Tell whether two columns have equally many steps wherever neither is missing."""
    both = [(a, b) for a, b in zip(one, other, strict=True) if a >= 0 and b >= 0]
    return bool(both) and all(a == b for a, b in both)


def _mean_steps(train: Table, part: Part) -> float:
    """Return the mean length of a part's values in a sample: of texts, in characters."""
    lengths = [
        len(cell) if hasattr(cell, "__len__") else 0
        for cell in sample(train).column(part.columns[0])
    ]
    return float(np.mean(lengths)) if lengths else 0.0
