"""How rows are laid out: as they are, with the next step asked for, or as series to be forecast.

A layout reads what an experiment names, divides it into parts, says which columns are input and
which are target, and reads later rows as the training rows were.
"""

from __future__ import annotations

from elman.experiment.data import NEXT, DataSpec
from elman.tasks.next_layout import NextLayout
from elman.tasks.rows import RowsLayout
from elman.tasks.series import SeriesLayout


def layout_of(data: DataSpec) -> RowsLayout:
    """Choose the layout that the settings of the data ask for."""
    if data.horizon:
        return SeriesLayout(data)
    return NextLayout(data) if data.target == [NEXT] else RowsLayout(data)
