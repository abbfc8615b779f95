"""Rows whose next step is predicted: sequences, or the pieces of one text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from elman.data.arrow import is_text
from elman.data.line_ends import with_line_ends
from elman.data.table import Table
from elman.features.build import parse_kind
from elman.features.kinds import feature_class
from elman.tasks.fitting import infer
from elman.tasks.named_kinds import kinds_of_names, refuse_ambiguous_next
from elman.tasks.rows import RowsLayout


@dataclass(frozen=True)
class NextLayout(RowsLayout):
    """Rows without target columns: the target is the input shifted by one step."""

    def _targets(self, table: Table) -> list[str]:
        del table
        return []

    @property
    def _is_long(self) -> bool:
        return bool(self.data.sequence_id)

    def _as_lines(self, table: Table) -> Table:
        """End each text as a line, so that none runs into the next."""
        refuse_ambiguous_next(self.data.target, table.columns)
        if table.spans is not None:
            return table
        data = kinds_of_names(self.data, table.columns)
        if data is not self.data:
            return replace(self, data=data)._as_lines(table)
        (name, *others), _ = self.columns(table)
        if others or not is_text(table.column(name).type):
            return table
        if self.data.input_kind is None:
            kind = infer(table, [name], next_step=True).kind
        else:
            kind, _ = parse_kind(self.data.input_kind)
        return with_line_ends(table, name) if feature_class(kind).is_text else table

    @property
    def _reads_running_text(self) -> bool:
        """Whether a file of plain text is read as one text.

        It is not where a setting is given that suits only columns, or lines that are texts of
        their own.
        """
        data = kinds_of_names(self.data, ["text"])
        of_columns = (data.sequence_id, data.time, data.group, data.split_column)
        kind = "text" if data.input_kind is None else parse_kind(data.input_kind)[0]
        reads_text = feature_class(kind).is_text and data.input in ([], ["text"])
        return reads_text and data.split_order != "random" and not any(of_columns)

    def _is_running_text(self, table: Table) -> bool:
        return table.spans is not None

    def _is_one_sequence(self, table: Table) -> bool:
        del table
        return False
