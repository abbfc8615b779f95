"""What is asked of what: the columns, their features, the category, and the objective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from elman.columns import choose_columns, require_columns, values
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, counted
from elman.experiment.data import NEXT, DataSpec
from elman.experiment.network import NetworkSpec
from elman.features.build import build_feature, parse_kind
from elman.features.feature import Feature, feature_from_json
from elman.features.inference import explain, infer_category, infer_columns, settle_category
from elman.features.roll import RollFeature
from elman.networks.objectives import Objective, objective_from_json
from elman.target import describe_objective, objective_name, tag_scheme

SHOWN = 3
"""Names listed in a note before the rest is counted."""

SAMPLE = 1_000
"""Rows that kinds are inferred from and lengths compared in."""

NAMED = frozenset({"category", "labels", "symbols"})
"""Kinds of target whose answers are names."""


@dataclass(frozen=True)
class Task:
    """What a network is asked: fitted features of its input and target, and what joins them.

    Attributes:
        category: one-to-one, many-to-one or many-to-many.
        input_columns: whose cells are a row's input, in this order.
        target_columns: whose cells are its target; `next` alone where that is the input moved on.
        input: feature of the input.
        target: feature of the target.
        objective: name and options of what the outputs are for.
        sentence: all of this in words, for whoever watches.
        notes: what was assumed, a sentence each.
    """

    category: str
    input_columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    input: Feature
    target: Feature
    objective: Mapping[str, Any]
    sentence: str
    notes: tuple[str, ...] = ()

    @property
    def predicts_next(self) -> bool:
        """Whether the target is the next element of the input."""
        return self.target_columns == (NEXT,)

    def make_objective(self) -> Objective:
        """Build the objective, with new weights where it has any."""
        return objective_from_json(self.objective)

    def to_json(self) -> dict[str, Any]:
        """Describe the task in JSON values, for `from_json`."""
        return {
            "category": self.category,
            "input_columns": list(self.input_columns),
            "target_columns": list(self.target_columns),
            "input": self.input.to_json(),
            "target": self.target.to_json(),
            "objective": dict(self.objective),
            "sentence": self.sentence,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Task:
        """Restore a task from `to_json`.

        Raises:
            KeyError, ElmanError: the state is malformed.
        """
        return cls(
            category=state["category"],
            input_columns=tuple(state["input_columns"]),
            target_columns=tuple(state["target_columns"]),
            input=feature_from_json(state["input"]),
            target=feature_from_json(state["target"]),
            objective=state["objective"],
            sentence=state["sentence"],
        )


def find_task(
    data: DataSpec, network: NetworkSpec, train: Table, others: Sequence[Table] = ()
) -> Task:
    """Say what is asked, and fit the features on the training part.

    Args:
        data: which columns; kinds and options where they are not to be inferred.
        network: the category and the objective, where they are not to be inferred.
        train: the training part, all that scales and vocabularies are learned from.
        others: the other parts, of which nothing is learned but which names an answer may have:
            a rare tag may stand in the test part alone.

    Raises:
        ExperimentError: columns are missing, or what was asked contradicts the data.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    inputs, targets = choose_columns(data, train)
    require_columns([*inputs, *targets], others)
    source = _feature(
        train,
        inputs,
        data.input_kind,
        data.input_options,
        as_target=False,
        next_step=data.predicts_next,
    )
    _fit(source, train, inputs)
    if data.predicts_next:
        _refuse_unwritable(source, inputs)
        target, category = source, "many-to-many"
    else:
        target = _feature(
            train,
            targets,
            data.target_kind,
            data.target_options,
            as_target=True,
            steps=_steps(train, source, inputs),
        )
        _fit(target, train, targets, others if target.kind in NAMED else ())
        category = _category(data, network, train, (source, inputs), (target, targets))
    name = objective_name(network.objective, target, predicts_next=data.predicts_next)
    sentence = explain(source, None if data.predicts_next else target, category)
    objective = describe_objective(name, network, target, train, targets)
    notes = [*source.notes, *(target.notes if targets else [])]
    if targets and target.kind in NAMED:
        notes += _never_learned(target, targets, train, others)
    if name == "crf":
        objective["scheme"], assumed = tag_scheme(target, (train, *others), targets)
        notes += assumed
    return Task(
        category=category,
        input_columns=tuple(inputs),
        target_columns=tuple(targets) or (NEXT,),
        input=source,
        target=target,
        objective=objective,
        sentence=sentence,
        notes=tuple(dict.fromkeys(notes)),
    )


def roll_task() -> Task:
    """The task of a corpus of piano rolls: the next frame, given all frames before it."""
    feature = RollFeature()
    return Task(
        category="many-to-many",
        input_columns=("roll",),
        target_columns=(NEXT,),
        input=feature,
        target=feature,
        objective={"name": "roll"},
        sentence=explain(feature, None, "many-to-many"),
    )


def sample(table: Table) -> Table:
    """Return rows from all over a table, at most `SAMPLE`, in their order."""
    if len(table) <= SAMPLE:
        return table
    return table.select(np.linspace(0, len(table) - 1, SAMPLE).astype(np.int64))


def _feature(
    table: Table,
    columns: Sequence[str],
    kind: str | None,
    options: Mapping[str, Any],
    *,
    as_target: bool,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
) -> Any:
    """Make the feature of some columns, its kind inferred where it is not given."""
    if kind is None:
        samples = {name: list(sample(table).column(name)) for name in columns}
        try:
            inferred = infer_columns(samples, as_target=as_target, steps=steps, next_step=next_step)
        except DataError as error:
            raise DataError(f"{table.source}: {error}") from error
        kind, found = inferred.kind, dict(inferred.options)
    else:
        kind, found = parse_kind(kind)
    found |= options
    if next_step and kind == "text" and found.get("level", "word") == "word":
        found = {"line_ends": True} | found  # as characters and byte pairs have them
    return build_feature(kind, found, columns=columns, as_target=as_target)


def _fit(feature: Any, table: Table, columns: Sequence[str], others: Sequence[Table] = ()) -> None:
    """Fit a feature; the place of a value that it cannot take is said."""
    tables = [table, *(other for other in others if set(columns) <= set(other.columns))]
    met: tuple[Table, int] | None = None

    def given() -> Iterator[Any]:
        nonlocal met
        for each in tables:
            for row, value in enumerate(values(each, columns)):
                met = each, row
                yield value
        met = None  # after the last value none is to blame

    try:
        feature.fit(given())
    except DataError as error:
        place = met[0].where(met[1]) if met else table.source
        raise DataError(f"{place}, column {', '.join(columns)}: {error}") from error


def _refuse_unwritable(source: Feature, columns: Sequence[str]) -> None:
    """Refuse to ask for the next element of what has none, or none that can be drawn."""
    if source.has_steps and source.kind not in {"text", "symbols", "roll"}:
        raise ExperimentError(
            f"target = next is for texts, symbols and piano rolls, and column {', '.join(columns)} "
            f"holds {source.description}. To forecast the value after some steps, name the column "
            "as the target and say --window STEPS (data.window)."
        )
    if not source.has_steps:
        raise ExperimentError(
            f"target = next asks for the next element of a sequence, and column "
            f"{', '.join(columns)} holds no sequences but one {source.kind} a row."
        )


def _never_learned(
    target: Any, columns: Sequence[str], train: Table, others: Sequence[Table]
) -> list[str]:
    """Say which names stand in the other parts alone, so that nothing was learned of them."""

    def ids(value: Any) -> list[int]:
        encoded = target.encode(value)
        found = encoded.nonzero() if target.kind == "labels" else encoded
        return [int(index) for index in found.reshape(-1)]

    met = {index for value in values(train, columns) for index in ids(value)}
    first: dict[int, str] = {}
    for table in others:
        for row, value in enumerate(values(table, columns)):
            for index in set(ids(value)) - met:
                first.setdefault(index, table.where(row))
    if not first:
        return []
    listed = [f"{target.names[index]!r} ({place})" for index, place in first.items()][:SHOWN]
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return [f"never in the training part, so never answered: {', '.join(listed)}{more}."]


def _category(
    data: DataSpec,
    network: NetworkSpec,
    table: Table,
    source: tuple[Feature, Sequence[str]],
    target: tuple[Feature, Sequence[str]],
) -> str:
    """Infer the category; refuse what contradicts it, and what is not there yet."""
    has_steps = source[0].has_steps, target[0].has_steps
    aligned = None
    if all(has_steps) and network.objective != "ctc":
        aligned = _aligned(table, source, target)
    elif all(has_steps):
        aligned = True
    found = infer_category(*has_steps, aligned)
    if found in {"encoder-decoder", "one-to-many"}:
        raise _own_length(found, data, target[0], target[1][0])
    return settle_category(network.category, found, source[0], target[0])


def _own_length(category: str, data: DataSpec, target: Feature, column: str) -> ExperimentError:
    """Build the error for a target that is a sequence of its own length, with the ways out."""
    said = (
        f"this task is {category}: the answer is a sequence of its own length, which Elman does "
        "not write yet."
    )
    if category == "encoder-decoder":
        said += " If target and input are aligned in order, as in speech, set "
        said += "network.objective = 'ctc'."
    if data.target_kind is None and target.kind == "text":
        said += f" If {column} holds a name a row, not a text, say --target {column}:category."
    return ExperimentError(said)


def _steps(table: Table, source: Feature, columns: Sequence[str]) -> list[int] | None:
    """Count the steps of a sample of inputs; None where they have none."""
    if not source.has_steps:
        return None
    return [len(source.encode(value)) for value in values(sample(table), columns)]


def _aligned(
    table: Table,
    source: tuple[Feature, Sequence[str]],
    target: tuple[Feature, Sequence[str]],
) -> bool:
    """Tell whether input and target have equally many steps, row by row.

    Raises:
        DataError: they have in most rows, and not in one, which is named.
    """
    some = sample(table)
    unequal = []
    pairs = zip(values(some, source[1]), values(some, target[1]), strict=True)
    for row, (x, y) in enumerate(pairs):
        steps = len(source[0].encode(x)), len(target[0].encode(y))
        if steps[0] != steps[1]:
            unequal.append((row, *steps))
    if unequal and len(unequal) * 10 <= len(some):
        raise unequal_steps(some, unequal[0], source[1], target[1])
    return not unequal


def unequal_steps(
    table: Table, found: tuple[int, int, int], inputs: Sequence[str], targets: Sequence[str]
) -> DataError:
    """Build the error for a row whose input and target differ in length.

    Args:
        table: that holds the row.
        found: the row, the steps of its input and those of its target.
        inputs: columns of the input.
        targets: columns of the target.
    """
    row, x_steps, y_steps = found
    return DataError(
        f"{table.where(row)}: {', '.join(inputs)} has {counted(x_steps, 'step')} and "
        f"{', '.join(targets)} has {y_steps}, and they must have equally many. Correct or "
        "remove the row."
    )
