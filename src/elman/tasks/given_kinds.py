"""The kind and the options that the settings give to a column."""

from __future__ import annotations

from typing import Any, Literal

from elman.experiment.data import DataSpec
from elman.features.build import full_kind, parse_kind


def kind_given(
    data: DataSpec, name: str, role: Literal["input", "target"]
) -> tuple[str | None, dict[str, Any]]:
    """Return the kind and the options of a column: its own, else those of its role.

    Args:
        data: with `columns`, and the kinds and options of both roles.
        name: of the column.
        role: whether it is input or target.

    Returns:
        The kind, None where it is to be inferred; and the options.

    Raises:
        OptionError: there is no such kind; the nearest is offered.

    >>> data = DataSpec(columns={"tags": {"kind": "labels", "separator": ";"}})
    >>> kind_given(data, "tags", "target"), kind_given(data, "text", "input")
    (('labels', {'separator': ';'}), (None, {}))
    """
    own = dict(data.columns.get(name, {}))
    kind = own.pop("kind", None)
    if kind is None:
        return getattr(data, f"{role}_kind"), {**getattr(data, f"{role}_options"), **own}
    kind, options = parse_kind(full_kind(str(kind)))
    return kind, {**options, **own}
