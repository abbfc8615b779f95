"""The data of an experiment: a data set or files, the columns, and how rows are split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NEXT = "next"
"""The target of a network that predicts the next element of its input."""

Option = bool | int | float | str | list[str] | None


def _listed(value: Any) -> Any:
    """Make a list of a single name."""
    return [value] if isinstance(value, str) else value


Length = Annotated[int, Field(ge=1)]

Season = Length | list[Length]
"""A length in steps, or several."""

Names = Annotated[list[str], BeforeValidator(_listed)]
"""Names of columns or files; a single one may be written without brackets."""


class DataSpec(BaseModel):
    """The data: where it comes from, which columns are used, and how rows are split.

    Give either `name` or `files`, or neither if the data is passed in Python.

    Attributes:
        name: name of a data set in `elman.data.catalog`.
        files: data files: paths, patterns or a folder. All must have the same columns.
        format: file format; by default it follows from the names of the files.
        decimal: decimal mark of numbers written as text, `.` or `,`, where `1,234` may be either
            1.234 or 1234; or that of each column, by its name; found in the data by default.
        units: column of numbers → the currency or `%` that stands in its cells, of those that have
            one; found in the data. Later rows in other units are refused.
        words_as_missing: columns of numbers whose cells that are no numbers are read as missing;
            by default those whose kind is given and that have at most 5 % such cells.
        encoding: encoding of text files that are not UTF-8, such as `cp1251`; by default it is
            detected, and what was assumed is said.
        input: columns that the network reads, as NAME or NAME:KIND; by default those usual for the
            data set, or all columns except the target.
        target: columns to predict, likewise, or `next` for the next element of the input.
        ignore: columns that are neither read nor predicted.
        columns: name of a column → its kind, as in `kind = "text:char"`, and the options of that
            kind; inferred from the data by default. For columns of several kinds together. A column
            named here is read in any case, also where the check of the data would leave it out.
        side_by_side: whether input columns with equally many steps in every row are read together
            at each step; else each is a sequence of its own.
        input_kind: kind of the input, such as `text`; inferred from the data by default.
        target_kind: kind of the target, such as `category`; inferred from the data by default.
        input_options: options of the input feature, such as `level = "character"` for a text.
        target_options: options of the target feature.
        sequence_id: column of a long table, one row a time step, that names each row's sequence.
            `file` is the file that a row comes from, where the files have no such column.
        wide: `rows` if each row of a table is a series, its columns the steps; `columns` if each
            column of numbers is one. By default it follows from the columns' names.
        join_files: whether several files are parts of one long table; by default each is a
            sequence of its own wherever rows are steps and no `sequence_id` is given.
        per_sequence: columns of a long table with one value a sequence, or a series, not one a
            step; found in the data by default.
        time: column with the time of each row of a long table, or of each step.
        time_of_day: column with the time of day, where `time` has the date alone.
        time_format: how times are written, where the column does not say: strptime's directives,
            such as `%d/%m/%Y %H:%M`; `epoch seconds`, `epoch milliseconds`; or `number`, which
            keeps plain numbers. Also of the dates by which `split_order = "time"` splits; a date
            that is read as input has its own, in `columns`.
        time_zone: zone of times that are written without one, in which the calendar counts and
            forecasts are given, such as `Europe/Berlin`.
        window: window length in steps; 0 reads whole sequences, or, for a forecast, chooses a
            length that suits the horizon.
        season: season length in steps, or several, the shortest first: a day and a week; by
            default those found in the data. MASE compares with the value one season before, the
            shortest one.
        horizon: number of steps ahead to forecast, from a long table; 0 for no forecast.
        known: columns whose future values are known, such as prices or holidays, as NAME or
            NAME:KIND.
        frequency: time between the steps of a forecast, such as `hour`, `15 minutes`,
            `working day` or `month`; read from `time` by default.
        valid_files: validation files, in place of a share of `files`.
        test_files: test files, in place of a share of `files`.
        valid_fraction: share of the rows used for validation, unless files or a column say which.
        test_fraction: share of the rows used for testing, unless files or a column say which.
        split_column: column that holds `train`, `valid` or `test` for every row.
        group: column whose equal values stay in one part of the split: a speaker, a user.
        split_order: `random`, with equal shares of each class; or `time`, with the latest rows
            for testing.
        duplicates: `together` keeps rows with the same text or sequence in one part of a random
            split; `apart` divides them like any others.
        max_rows: maximum number of training rows, sampled at random; 0 for all.
        strict: whether what would be assumed about the data is refused instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str | None = None
    files: Names = []
    format: str | None = None
    decimal: Literal[".", ","] | dict[str, Literal[".", ","]] | None = None
    units: dict[str, str] | None = None
    words_as_missing: Names = []
    encoding: str | None = None
    input: Names = []
    target: Names = []
    ignore: Names = []
    columns: dict[str, dict[str, Option]] = {}
    side_by_side: bool = True
    input_kind: str | None = None
    target_kind: str | None = None
    input_options: dict[str, Option] = {}
    target_options: dict[str, Option] = {}
    sequence_id: str | None = None
    wide: Literal["rows", "columns"] | None = None
    join_files: bool = False
    per_sequence: Names | None = None
    time: str | None = None
    time_of_day: str | None = None
    time_format: str | None = None
    time_zone: str | None = None
    window: int = Field(default=0, ge=0)
    season: Season = 1
    horizon: int = Field(default=0, ge=0)
    known: Names = []
    frequency: str | None = None
    valid_files: Names = []
    test_files: Names = []
    valid_fraction: float = Field(default=0.1, gt=0, lt=1)
    test_fraction: float = Field(default=0.1, ge=0, lt=1)
    split_column: str | None = None
    group: str | None = None
    split_order: Literal["random", "time"] | None = None
    duplicates: Literal["together", "apart"] = "together"
    max_rows: int = Field(default=0, ge=0)
    strict: bool = False

    @model_validator(mode="after")
    def _refuse_what_contradicts_itself(self) -> DataSpec:
        if self.name is not None and self.files:
            raise ValueError("give either name, a data set, or files; got both")
        if self.name is not None and self.sequence_id:
            raise ValueError("sequence_id is for files; a data set knows its own sequences")
        if self.season != 1 and not (self.window or self.horizon):
            raise ValueError(
                f"season = {self.season} has no effect without a window or a horizon; "
                "set one of them, or leave season out"
            )
        for name in ("time_of_day", "time_format", "time_zone"):
            value = getattr(self, name)
            sorts = name == "time_format" and self.split_order == "time" and not self.horizon
            if value is not None and self.time is None and self.name is None and not sorts:
                of_input = f"; of a date that is read as input, say --read COLUMN:date:{value}"
                raise ValueError(
                    f"{name} = {value!r} is for a column of times; set time too"
                    f"{of_input if name == 'time_format' and '%' in value else ''}"
                )
        self._refuse_settings_of_the_other_case()
        if self.wide == "columns" and not (self.horizon or self.window):
            raise ValueError(
                "wide = 'columns' makes series to forecast; set horizon, the steps ahead, or window"
            )
        if self.join_files and self.sequence_id:
            raise ValueError(
                f"join_files makes several files one sequence, and sequence_id = "
                f"{self.sequence_id!r} says which rows make one; leave one of them out"
            )
        if self.per_sequence and not self.sequence_id:
            raise ValueError("per_sequence is for long tables; set sequence_id too")
        return self

    def _refuse_settings_of_the_other_case(self) -> None:
        """Refuse forecast settings without a horizon, and settings that no forecast has."""
        meaningless = {"known": self.known, "frequency": self.frequency}
        if self.horizon:
            meaningless = {
                "group": self.group,
                "input_kind": self.input_kind,
                "target_kind": self.target_kind,
                "split_order": self.split_order if self.split_order == "random" else None,
            }
            if self.predicts_next:
                raise ValueError(
                    f"target = 'next' predicts one step of the input, and horizon = {self.horizon} "
                    "asks for several; name the columns to forecast as target"
                )
        for name, value in meaningless.items():
            if value:
                raise ValueError(
                    f"{name} = {value!r} has no effect in a forecast; leave it out"
                    if self.horizon
                    else f"{name} = {value!r} is for forecasts; set horizon, the steps ahead, too"
                )

    @property
    def predicts_next(self) -> bool:
        """Whether the target is the next element of the input."""
        return self.target == [NEXT]

    @property
    def seasons(self) -> list[int]:
        """The lengths of the seasons, the shortest first; none where it is 1."""
        lengths = self.season if isinstance(self.season, list) else [self.season]
        return sorted({length for length in lengths if length > 1})

    @property
    def title(self) -> str:
        """A short name of the data."""
        if self.name is not None:
            return self.name
        if not self.files:
            return "data"
        stem = self.files[0].rstrip("/").rsplit("/", 1)[-1].split(".")[0]
        return stem.strip("*?[]") or "data"
