"""The layouts of a JSON file that is one value, and the rows in each.

[{…}, {…}]                                    objects
{"a": […], "b": […]}                          columns
{"data": [{…}, {…}], …}                       objects under one key
{"columns": […], "data": [[…], […]], …}       pandas' orientation `split`
{"a": {"0": …, "1": …}, "b": {…}}             pandas' `columns`
{"0": {"a": …, "b": …}, "1": {…}}             pandas' `index`
{"schema": {…}, "data": [{…}, {…}]}           pandas' `table`
[[…], […]]                                    pandas' `values`
{"data": [{"paragraphs": [{"qas": […]}]}]}    SQuAD: a row is a question
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from elman.data.sources.gathered import KINDS
from elman.errors import DataError

DEEPEST_WRAPPER = 4
"""Greatest number of objects within each other in which a list of rows is looked for."""

Row = dict[str, Any]

_INTEGER = re.compile(r"-?[0-9]{1,18}")

_EXPECTED = "{} must contain a list of objects, or an object with a list for every column"


class Layout(NamedTuple):
    """The rows of a value, and what was assumed."""

    rows: list[Row]
    notes: list[str]


def rows_of(value: Any, name: str) -> Layout:
    """Return the rows of a JSON value.

    Args:
        value: a list or an object.
        name: name of the file, for errors and notes.

    Raises:
        DataError: the value has none of the layouts, or fits several.
    """
    if isinstance(value, list):
        return _of_list(value, name)
    if not isinstance(value, dict) or not value:
        empty = "" if value or not isinstance(value, dict) else " that is empty"
        raise DataError(f"{_EXPECTED.format(name)}, got {kind_of(value)}{empty}.")
    return (
        _of_squad(value, name)
        or _of_split(value, name)
        or _of_table(value, name)
        or _of_columns(value, name)
        or _of_labelled(value, name)
        or _of_wrapper(value, name)
    )


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value: `a list`."""
    return "null" if value is None else KINDS[type(value)]


def _of_list(value: list[Any], name: str) -> Layout:
    """Return the rows of a list: of objects, or of lists, pandas' orientation `values`."""
    if not value:
        raise DataError(f"{_EXPECTED.format(name)}, got a list that is empty.")
    if isinstance(value[0], list):
        return _of_values(value, name)
    for number, row in enumerate(value):
        if not isinstance(row, dict):
            raise DataError(
                f"{name}, row {number}: a row must be an object such as "
                f'{{"text": …, "label": …}}, got {kind_of(row)}.'
            )
    articles = all(isinstance(row.get("paragraphs"), list) for row in value)
    return _questions(value, name) if articles else Layout(value, [])


def _of_values(value: list[Any], name: str) -> Layout:
    """Return rows that are lists; the first has the names if only there a column is text."""
    width = len(value[0])
    for number, row in enumerate(value):
        if not isinstance(row, list) or len(row) != width:
            got = len(row) if isinstance(row, list) else kind_of(row)
            raise DataError(
                f"{name}, row {number}: expected a list of {width} values, as in row 0, got {got}. "
                "Every list must hold a value for every column."
            )
    first, below = value[0], list(zip(*value[1:], strict=True))
    is_header = (
        all(type(field) is str for field in first)
        and len(set(first)) == width
        and any(all(type(field) is not str for field in column) for column in below)
    )
    names = first if is_header else [f"column_{number}" for number in range(1, width + 1)]
    which = "its first list has the names" if is_header else "it names no columns; they"
    note = f"{name} is a list of lists, one a row; {which}" + (
        "." if is_header else f" are {', '.join(names)}."
    )
    rows = value[1:] if is_header else value
    return Layout([dict(zip(names, row, strict=True)) for row in rows], [note])


def _of_squad(value: Row, name: str) -> Layout | None:
    """Return the questions of a data set in SQuAD's form."""
    articles = value.get("data")
    if not isinstance(articles, list) or not articles:
        return None
    for article in articles:
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            return None
    return _questions(articles, name)


def _questions(articles: list[Any], name: str) -> Layout:
    rows = []
    for article in articles:
        for number, paragraph in enumerate(article["paragraphs"]):
            about = f"{name}, paragraph {number} of the article {article.get('title')!r}"
            if not isinstance(paragraph, dict) or not isinstance(paragraph.get("qas"), list):
                raise DataError(f"{about}: SQuAD needs a list of questions, 'qas', in it.")
            for question in paragraph["qas"]:
                if not isinstance(question, dict):
                    raise DataError(f"{about}: a question must be an object, got {question!r}.")
                context = {"title": article.get("title"), "context": paragraph.get("context")}
                rows.append({"id": question.get("id"), **context, **question})
    if not rows:
        raise DataError(f"{name} is in SQuAD's form and holds no questions.")
    note = f"{name} is in SQuAD's form; a row is a question, with the context and the title."
    return Layout(rows, [note])


def _of_split(value: Row, name: str) -> Layout | None:
    """Return the rows of pandas' orientation `split`: names and values apart."""
    known = {"columns", "data", "index", "index_names", "column_names"}
    if not {"columns", "data"} <= value.keys() <= known:
        return None
    names, data = value["columns"], value["data"]
    if not isinstance(names, list) or not isinstance(data, list):
        return None
    if not data or not all(isinstance(row, list) for row in data):
        return None
    names = _names(names, name)
    for number, row in enumerate(data):
        if len(row) != len(names):
            raise DataError(
                f"{name}, row {number}: 'columns' names {len(names)} columns, and the row has "
                f"{len(row)} values. Every row must have a value for every column."
            )
    rows = [dict(zip(names, row, strict=True)) for row in data]
    return _with_index(rows, value.get("index"), name)


def _of_table(value: Row, name: str) -> Layout | None:
    """Return the rows of pandas' orientation `table`: objects with a schema."""
    schema, data = value.get("schema"), value.get("data")
    if not isinstance(schema, dict) or "fields" not in schema or not isinstance(data, list):
        return None
    key = schema.get("primaryKey")
    layout = _of_list(data, name)
    if key != ["index"] or not all("index" in row for row in layout.rows):
        return layout
    index = [row["index"] for row in layout.rows]
    rows = [{n: v for n, v in row.items() if n != "index"} for row in layout.rows]
    return _with_index(rows, index, name)


def _of_columns(value: Row, name: str) -> Layout | None:
    """Return the rows of an object with a list for every column."""
    lists = {key: part for key, part in value.items() if isinstance(part, list)}
    tables = [key for key, part in lists.items() if _holds_objects(part)]
    if len(lists) < len(value) or len(tables) == len(value):
        return None
    if len({len(part) for part in lists.values()}) > 1:
        if tables:
            return None
        lengths = ", ".join(f"{key!r} has {len(part)}" for key, part in lists.items())
        raise DataError(f"the columns of {name} must have equally many rows: {lengths}.")
    rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    if not rows:
        raise DataError(f"{name}: there are no rows.")
    return Layout(rows, [])


def _of_labelled(value: Row, name: str) -> Layout | None:
    """Return the rows of an object of objects, pandas' orientations `columns` and `index`.

    In `columns` the keys of the inner objects are the labels of rows, in `index` those of the
    outer one. Labels of rows are numbers where names of columns are not; else every column holds
    values of one kind; where both readings fit, the rows are those that are more.
    """
    parts = list(value.values())
    guessed = False
    if not all(isinstance(part, dict) and part for part in parts):
        return None
    inner = list(dict.fromkeys(key for part in parts for key in part))
    numbered = _are_numbers(value), _are_numbers(inner)
    alike = all(part.keys() == parts[0].keys() for part in parts)
    if not alike and not any(numbered):
        return None
    if numbered == (False, True):
        by_column = True
    elif numbered == (True, False):
        by_column = False
    elif len(value) < 2:
        return None
    else:
        uniform = _is_uniform(parts), _is_uniform([_inner(value, key) for key in inner])
        if uniform[0] == uniform[1] and len(value) == len(inner):
            return None
        by_column = uniform[0] if uniform[0] != uniform[1] else len(inner) > len(value)
        guessed = uniform[0] == uniform[1]
    labels = inner if by_column else list(value)
    rows = [_inner(value, label) for label in inner] if by_column else parts
    layout = _with_index(rows, _numbers(labels), name)
    if guessed:
        how = "inner keys" if by_column else "outer keys"
        layout.notes.append(
            f"{name} is an object of objects; its {how}, which are more, were read as the rows."
        )
    return layout


def _inner(value: Row, key: str) -> Row:
    """Return what every object of an object holds under a key."""
    return {outer: part.get(key) for outer, part in value.items()}


def _is_uniform(columns: list[Row]) -> bool:
    """Tell whether each of some columns, from the labels of rows to values, is of one kind."""
    kinds = [{kind_of(v) for v in column.values() if v is not None} for column in columns]
    return all(len(of_column) < 2 for of_column in kinds)


def _of_wrapper(value: Row, name: str) -> Layout:
    """Return the rows of the only list of objects that lies within an object."""
    found = list(_lists_of_objects(value, ()))
    if len(found) == 1:
        ((path, rows),) = found
        others = [key for key in value if key != path[0]]
        left_out = f"; left out: {', '.join(map(repr, others))}" if others else ""
        note = f"the rows of {name} are the objects in {'.'.join(path)!r}{left_out}."
        layout = _of_list(rows, name)
        return Layout(layout.rows, [note, *layout.notes])
    if found:
        paths = ", ".join(repr(".".join(path)) for path, _ in found)
        raise DataError(
            f"{name} holds several lists of objects: {paths}. Write the one to be read to a file "
            "of its own."
        )
    raise DataError(
        f"{_EXPECTED.format(name)}, got an object of {', '.join(map(repr, list(value)[:8]))}. A "
        "single row stands in a list, or in a file of the suffix .jsonl."
    )


def _lists_of_objects(value: Row, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the lists of objects within an object, with their keys."""
    for key, part in value.items():
        if _holds_objects(part):
            yield (*path, key), part
        elif isinstance(part, dict) and len(path) < DEEPEST_WRAPPER:
            yield from _lists_of_objects(part, (*path, key))


def _holds_objects(value: Any) -> bool:
    """Tell whether a value is a list of objects and nothing else."""
    return isinstance(value, list) and bool(value) and all(isinstance(e, dict) for e in value)


def _with_index(rows: list[Row], index: Any, name: str) -> Layout:
    """Add the labels of rows as a column `index`, unless they only count the rows from 0."""
    if index is None or [str(label) for label in index] == [str(n) for n in range(len(rows))]:
        return Layout(rows, [])
    if len(index) != len(rows):
        raise DataError(
            f"{name}: 'index' has {len(index)} labels, and there are {len(rows)} rows. There must "
            "be one a row."
        )
    column = next(n for n in ("index", "level_0", "row_label") if not any(n in row for row in rows))
    note = f"the labels of the rows of {name} are in a column {column!r}."
    return Layout([{column: of, **row} for of, row in zip(index, rows, strict=True)], [note])


def _names(names: list[Any], name: str) -> list[str]:
    """Return the names of columns as strings, names of several levels joined by dots."""
    texts = [".".join(map(str, n)) if isinstance(n, list) else str(n) for n in names]
    repeated = next((text for text in texts if texts.count(text) > 1), None)
    if repeated is not None:
        raise DataError(
            f"{name} has {texts.count(repeated)} columns named {repeated!r}. Give every column a "
            "name of its own."
        )
    return texts


def _are_numbers(keys: Any) -> bool:
    return all(_INTEGER.fullmatch(key) for key in keys)


def _numbers(labels: list[str]) -> list[Any]:
    """Turn labels into whole numbers if all are written as such."""
    whole = _are_numbers(labels) and all(str(int(label)) == label for label in labels)
    return [int(label) for label in labels] if whole else list(labels)
