"""What is learned from: a named data set or files, which columns, and how they are split."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NEXT = "next"
"""The target of a network that predicts the next element of its input."""

Option = bool | int | float | str | list[str] | None


def _listed(value: Any) -> Any:
    """Let one name stand for a list of one."""
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_listed)]
"""Names of columns or files; one may be written without brackets."""


class DataSpec(BaseModel):
    """What is learned from, and which part of it for what.

    Give `name` or `files`, or neither where the data is handed over in Python.

    Attributes:
        name: of a data set in `elman.data.catalog`.
        files: to read: paths, patterns or a folder; all of the same columns.
        format: of the files, where their names do not tell.
        input: columns that the network reads; none for what the data set is known for.
        target: columns that it answers with, or `next`: the next element of the input.
        input_kind: of the input, as in `elman.features`; none to infer it from the data.
        target_kind: of the target, likewise.
        input_options: of the input's feature, as `level = "character"` of a text.
        target_options: of the target's feature.
        sequence_id: column of a long table, a row a time step, that names each row's sequence.
        per_sequence: columns of a long table that say one thing a sequence, not one a step; none
            to see it from the data.
        time: column with the time of a row of a long table, or of a step.
        window: steps of a long series that one answer is read from; 0 takes sequences as they are,
            and for a forecast a length that suits its horizon.
        season: steps of a season of that series; MASE compares with the value one season before.
        horizon: steps ahead to be forecast, of the series of a long table; 0 for no forecast.
        known: columns of numbers that a forecast may know of the steps ahead: prices, holidays.
        frequency: how far the steps of a forecast's series lie apart, as `hour`, `15 minutes`,
            `working day` or `month`; none to see it from `time`.
        valid_files: files to select weights by, in place of a part of `files`.
        test_files: files to measure by, in place of a part of `files`.
        valid_fraction: part of the rows to select weights by, where nothing else says which.
        test_fraction: part of the rows to measure by, where nothing else says which.
        split_column: column that says `train`, `valid` or `test` of every row.
        group: column whose values are never divided between the parts: a speaker, a user.
        split_order: `random`, with classes in equal shares; or `time`, the latest rows for test.
        max_rows: of the training part, so many drawn at random; 0 for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str | None = None
    files: Names = []
    format: str | None = None
    input: Names = []
    target: Names = []
    input_kind: str | None = None
    target_kind: str | None = None
    input_options: dict[str, Option] = {}
    target_options: dict[str, Option] = {}
    sequence_id: str | None = None
    per_sequence: Names | None = None
    time: str | None = None
    window: int = Field(default=0, ge=0)
    season: int = Field(default=1, ge=1)
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
    max_rows: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _refuse_what_contradicts_itself(self) -> DataSpec:
        if self.name is not None and self.files:
            raise ValueError("give name, a named data set, or files, one of the two; got both")
        if self.name is not None and self.sequence_id:
            raise ValueError("sequence_id is for files; a named data set knows its own sequences")
        if self.season != 1 and not (self.window or self.horizon):
            raise ValueError(
                f"season = {self.season} has no effect without a window, as nothing is forecast; "
                "set window, or leave season out"
            )
        self._refuse_what_no_forecast_has()
        if self.per_sequence and not self.sequence_id:
            raise ValueError("per_sequence belongs to a long table; name its sequence_id too")
        return self

    def _refuse_what_no_forecast_has(self) -> None:
        """Refuse settings of a forecast without a horizon, and others beside one."""
        only = {"known": self.known, "frequency": self.frequency}
        if self.horizon:
            only = {
                "per_sequence": self.per_sequence,
                "group": self.group,
                "input_kind": self.input_kind,
                "target_kind": self.target_kind,
                "split_order": self.split_order if self.split_order == "random" else None,
            }
            if self.predicts_next:
                raise ValueError(
                    f"target = 'next' is one step of what is read, and horizon = {self.horizon} "
                    "asks for several; name the columns to be forecast"
                )
        for name, value in only.items():
            if value:
                raise ValueError(
                    f"{name} = {value!r} has no meaning in a forecast of numbers, in the order of "
                    "time; leave it out"
                    if self.horizon
                    else f"{name} = {value!r} is for a forecast; set horizon, the steps ahead, too"
                )

    @property
    def predicts_next(self) -> bool:
        """Whether the target is the next element of the input."""
        return self.target == [NEXT]

    @property
    def title(self) -> str:
        """A short name of what is learned from."""
        if self.name is not None:
            return self.name
        if not self.files:
            return "data"
        stem = self.files[0].rstrip("/").rsplit("/", 1)[-1].split(".")[0]
        return stem.strip("*?[]") or "data"
