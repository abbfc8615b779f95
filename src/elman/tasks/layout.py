"""How rows are laid out: as they are, to predict the next step, or as series to forecast.

A layout reads the data of an experiment, splits it into parts, says which columns are input and
which are target, and reads later rows as the training rows were.
"""

from __future__ import annotations

from elman.experiment.data import NEXT, DataSpec
from elman.tasks.next_layout import NextLayout
from elman.tasks.rows import RowsLayout
from elman.tasks.series import SeriesLayout


def layout_of(data: DataSpec) -> RowsLayout:
    """Return the layout that suits the settings of the data."""
    if data.horizon:
        return SeriesLayout(data)
    return NextLayout(data) if data.target == [NEXT] else RowsLayout(data)
