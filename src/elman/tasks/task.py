"""What is asked of what: the columns, their features, the category, and the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment.categories import WRITERS
from elman.experiment.data import NEXT, DataSpec
from elman.experiment.decoder import DecoderSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.features.feature import Feature, feature_from_json
from elman.features.guesses import FEW_CLASSES
from elman.features.roll import RollFeature
from elman.networks.objectives import Objective, objective_from_json
from elman.tasks.alignment import are_aligned, steps_of
from elman.tasks.category import explain, infer_category, settle_category
from elman.tasks.columns import choose_columns
from elman.tasks.fitting import fit_feature, make_feature
from elman.tasks.forecast import find_series_task
from elman.tasks.objective import describe_objective, objective_name, tag_scheme
from elman.tasks.writing import WRITABLE, writable

SHOWN = 3
"""Names listed in a note before the rest is counted."""

NAMED = frozenset({"category", "labels", "symbols"})
"""Kinds of target whose answers are names."""


@dataclass(frozen=True)
class Task:
    """What a network is asked: fitted features of its input and target, and what joins them.

    Attributes:
        category: one of the five, see `features.inference`.
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

    @property
    def forecasts(self) -> bool:
        """Whether the next values of series are asked for."""
        return bool(self.objective["name"] == "forecast")

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
    data: DataSpec,
    network: NetworkSpec,
    train: Table,
    others: Sequence[Table] = (),
    *,
    decoder: DecoderSpec | None = None,
    forecast: ForecastSpec | None = None,
) -> Task:
    """Say what is asked, and fit the features on the training part.

    Args:
        data: which columns; kinds and options where they are not to be inferred.
        network: the category and the objective, where they are not to be inferred.
        train: the training part, all that scales and vocabularies are learned from.
        others: the other parts, of which nothing is learned but which names an answer may have:
            a rare tag may stand in the test part alone.
        decoder: of a network that writes: whether input and answer share their vocabulary.
        forecast: of the next values of series: their distribution.

    Raises:
        ExperimentError: columns are missing, or what was asked contradicts the data.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    if data.horizon:
        return Task(**find_series_task(data, network, forecast or ForecastSpec(), train))
    inputs, targets = choose_columns(data, train)
    for part in others:
        part.require([*inputs, *targets])
    source: Any = make_feature(
        train,
        inputs,
        data.input_kind,
        data.input_options,
        as_target=False,
        next_step=data.predicts_next,
    )
    fit_feature(source, train, inputs)
    if data.predicts_next:
        _refuse_unwritable(source, inputs)
        target, category, notes = source, "many-to-many", list(source.notes)
    else:
        target = make_feature(
            train,
            targets,
            data.target_kind,
            data.target_options,
            as_target=True,
            steps=steps_of(train, source, inputs),
        )
        _refuse_spelling(target, "target_options")
        fit_feature(target, train, targets, others if target.kind in NAMED else ())
        category = _category(network, train, (source, inputs), (target, targets))
        if category in WRITERS:
            pair = (source, inputs), (target, targets)
            source, target = writable(data, decoder or DecoderSpec(), train, *pair)
        notes = [*source.notes, *target.notes, *_other_ways(category, data, source, target)]
    name = objective_name(
        network.objective, target, predicts_next=data.predicts_next, category=category
    )
    objective = describe_objective(name, network, target, train, targets)
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
        sentence=explain(source, None if data.predicts_next else target, category),
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


def _refuse_unwritable(source: Feature, columns: Sequence[str]) -> None:
    """Refuse to ask for the next element of what has none, or none that can be drawn."""
    forecast = (
        "To forecast the value after some steps, name the column as the target and say "
        "--window STEPS (data.window)."
    )
    if source.has_steps and source.kind not in {"text", "symbols", "roll"}:
        raise ExperimentError(
            f"target = next is for texts, symbols and piano rolls, and column {', '.join(columns)} "
            f"holds {source.description}. {forecast}"
        )
    if not source.has_steps:
        raise ExperimentError(
            f"target = next asks for the next element of a sequence, and column "
            f"{', '.join(columns)} holds no sequences but one {source.kind} a row. If the rows are "
            "steps of sequences, name the column that tells these apart, --sequence-id COLUMN "
            f"(data.sequence_id). {forecast}"
        )
    _refuse_spelling(source, "input_options")


def _refuse_spelling(written: Feature, options: str) -> None:
    """Refuse words with their characters beside them where words are written."""
    if getattr(written, "characters", False):
        raise ExperimentError(
            f"data.{options}.characters lets a network read how each word is spelt, and here the "
            "words are written; leave it out."
        )


def _never_learned(
    target: Any, columns: Sequence[str], train: Table, others: Sequence[Table]
) -> list[str]:
    """Say which names stand in the other parts alone, so that nothing was learned of them."""

    def ids(value: Any) -> list[int]:
        encoded = target.encode(value)
        found = encoded.nonzero() if target.kind == "labels" else encoded
        return [int(index) for index in found.reshape(-1)]

    met = {index for value in train.values(columns) for index in ids(value)}
    first: dict[int, str] = {}
    for table in others:
        for row, value in enumerate(table.values(columns)):
            for index in set(ids(value)) - met:
                first.setdefault(index, table.where(row))
    if not first:
        return []
    listed = [f"{target.names[index]!r} ({place})" for index, place in first.items()][:SHOWN]
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return [f"never in the training part, so never answered: {', '.join(listed)}{more}."]


def _category(
    network: NetworkSpec,
    table: Table,
    source: tuple[Feature, Sequence[str]],
    target: tuple[Feature, Sequence[str]],
) -> str:
    """Infer the category; refuse what contradicts it, and what is not there yet."""
    has_steps = source[0].has_steps, target[0].has_steps
    aligned = None
    if all(has_steps) and network.objective == "ctc":
        aligned = True
    elif all(has_steps):  # a text is written, never answered a word a step
        aligned = target[0].kind != "text" and are_aligned(table, source, target)
    found = infer_category(*has_steps, aligned)
    category = settle_category(network.category, found, source[0], target[0])
    if category in WRITERS and target[0].kind not in WRITABLE:
        raise ExperimentError(
            f"this task is {category}: the answer, {', '.join(target[1])}, is a sequence of its "
            f"own length, and Elman writes texts and symbols alone, not {target[0].description}."
        )
    return category


def _other_ways(category: str, data: DataSpec, source: Feature, target: Any) -> list[str]:
    """Say what else a target may have been meant for: one to be written, or one that reads so."""
    if data.target_kind is not None:
        return []
    if target.kind == "category" and source.kind == "text" and _reads_as_texts(target):
        return [
            f"if {data.target[0]} holds a text to be written, not one of {len(target.names)} "
            f"names, say --target {data.target[0]}:text."
        ]
    if category not in WRITERS:
        return []
    said = []
    if target.kind == "text":
        name = data.target[0]
        said.append(f"if {name} holds a name a row, not a text, say --target {name}:category.")
    if category == "encoder-decoder" and source.kind in {"audio", "series", "frames"}:
        said.append(
            "if the target's symbols follow each other as the input does, as in speech, set "
            "network.objective = 'ctc'."
        )
    return said


def _reads_as_texts(target: Any) -> bool:
    """Tell a target of many names of several words each, as short sentences that repeat are."""
    words = sum(len(str(name).split()) for name in target.names)
    return len(target.names) > FEW_CLASSES and words >= 2 * len(target.names)
