"""Columns written as `NAME:KIND`, told from columns whose names hold a colon."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from elman.errors import ExperimentError, OptionError, as_option
from elman.experiment.data import NEXT, DataSpec
from elman.features.build import full_kind, parse_kind


def kinds_of_names(data: DataSpec, columns: Collection[str]) -> DataSpec:
    """Split the kinds off the names of input and target columns.

    A name is first of all that of a column: `doc:text` is the column `doc:text` where there is
    one. Else it is the column `doc`, of the kind `text`. A name that is neither is left as it is,
    to be refused as that of no column, without the kind.

    Where all columns of a role are said to be of one kind, it is that of the role, and they are
    read as one. Else each has its own kind, in `data.columns`.

    Args:
        data: names of columns as they were written.
        columns: names of the columns that there are.

    Raises:
        OptionError: there is no such kind, or a column is said to be of two.
    """
    if data.horizon:
        return _kinds_of_forecast(data, columns)
    update: dict[str, Any] = {}
    if any(name not in columns for name in data.columns):
        update["columns"] = _columns_of_names(data.columns, columns)
    of_columns = dict(update.get("columns", data.columns))
    for role, names, given in (
        ("input", data.input, data.input_kind),
        ("target", data.target, data.target_kind),
    ):
        pairs = [(name, "") if given else _split(name, columns) for name in names]
        kinds = [kind for _, kind in pairs if kind]
        if not kinds:
            continue
        update[role] = [name for name, _ in pairs]
        if len(set(kinds)) == 1 and len(kinds) == len(pairs):
            kind, options = parse_kind(full_kind(kinds[0]))
            update[f"{role}_kind"] = kind
            update[f"{role}_options"] = options | getattr(data, f"{role}_options")
            continue
        for name, kind in pairs:
            if kind:
                of_columns[name] = _with_kind(of_columns, name, full_kind(kind))
        update["columns"] = of_columns
    return data.model_copy(update=update) if update else data


def _with_kind(columns: Mapping[str, Mapping[str, Any]], name: str, kind: str) -> dict[str, Any]:
    """Return what is said of a column, its kind among it.

    Raises:
        OptionError: it is said to be of another kind elsewhere.
    """
    parse_kind(kind)
    return _joined(name, {"kind": kind}, columns.get(name, {}))


def _joined(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Join what is said of a column in two places; of `date` and `date:%d/%m/%Y` the latter holds.

    Raises:
        OptionError: it is said to be of two kinds.
    """
    joined = {**one, **other}
    if "kind" in one and "kind" in other:
        kinds = sorted({str(one["kind"]), str(other["kind"])}, key=len)
        if len(kinds) == 2 and not kinds[1].startswith(f"{kinds[0]}:"):
            raise OptionError(
                f"column {name!r} is said to be of kind {one['kind']} here, and of kind "
                f"{other['kind']} in data.columns; leave one of them out."
            )
        joined["kind"] = kinds[-1]
    return joined


def _kinds_of_forecast(data: DataSpec, columns: Collection[str]) -> DataSpec:
    """Split the kinds off the names of a forecast's columns, each of its own, into `columns`."""
    kinds = _columns_of_names(data.columns, columns)
    update: dict[str, Any] = {"columns": kinds} if kinds != data.columns else {}
    for role in ("input", "target", "known"):
        pairs = [_split(name, columns) for name in getattr(data, role)]
        said = {name: _with_kind(kinds, name, full_kind(kind)) for name, kind in pairs if kind}
        if said:
            kinds |= said
            update |= {role: [name for name, _ in pairs], "columns": kinds}
    return data.model_copy(update=update) if update else data


def kind_of(data: DataSpec, name: str, *, as_target: bool = False) -> str | None:
    """Return the kind that was said of a column; None where it is to be inferred.

    Args:
        data: the settings, their names told from kinds.
        name: of the column.
        as_target: whether it is predicted, or read.
    """
    said = data.columns.get(name, {}).get("kind")
    if said is not None:
        return str(said)
    return data.target_kind if as_target else data.input_kind


def notes_of_colons(data: DataSpec, columns: Collection[str]) -> list[str]:
    """Say of each column whose name reads as `NAME:KIND` of another column that it was taken."""
    notes = []
    for role, names in (("input", data.input), ("target", data.target)):
        for text in names:
            name, kind = _split(text, set(columns) - {text})
            if text in columns and kind and name in columns:
                notes.append(
                    f"{text!r} is a column, and is read; for column {name!r} of kind {kind} say "
                    f"{as_option(f'--{role}', name)} --set {role}_kind={kind}."
                )
    return notes


def refuse_ambiguous_next(targets: Sequence[str], columns: Collection[str]) -> None:
    """Refuse `next` as the target where a column has this name.

    Raises:
        ExperimentError: it is ambiguous.
    """
    if list(targets) == [NEXT] and NEXT in columns:
        raise ExperimentError(
            "target = next is the next element of the input, and there is a column named 'next', "
            "too. Rename the column to predict it, or remove it to predict the next element."
        )


def _columns_of_names(
    given: Mapping[str, Mapping[str, Any]], columns: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Split the kinds off the names of columns that were named with them, as in `zip:number`.

    Raises:
        OptionError: a column is said to be of two kinds.
    """
    named = dict[str, dict[str, Any]]()
    for text, options in given.items():
        name, kind = _split(text, columns)
        said = {"kind": full_kind(kind), **options} if kind else options
        named[name] = _joined(name, named.get(name, {}), said)
    return named


def _split(text: str, columns: Collection[str]) -> tuple[str, str]:
    """Return the name and the kind in a text, the longest name that a column has."""
    if text in columns or ":" not in text:
        return text, ""
    parts = text.split(":")
    for end in range(len(parts) - 1, 0, -1):
        name = ":".join(parts[:end])
        if name in columns:
            return name, ":".join(parts[end:])
    name, _, kind = text.partition(":")
    try:
        full_kind(kind)
    except OptionError:
        return text, ""
    return name, kind
