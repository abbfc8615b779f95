"""Finding what is asked: from columns and settings to a task of one of the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

from elman.data.table import Table
from elman.errors import ExperimentError
from elman.experiment.categories import WRITERS
from elman.experiment.data import NEXT, DataSpec
from elman.experiment.decoder import DecoderSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.features.feature import Feature, feature_from_json
from elman.networks.objectives import OBJECTIVES
from elman.tasks.alignment import are_aligned, steps_of
from elman.tasks.category import explain, infer_category, settle_category
from elman.tasks.fitting import fit_feature, make_feature
from elman.tasks.forecast import ForecastTask, find_forecast
from elman.tasks.layout import layout_of
from elman.tasks.next_frame import NextFrameTask
from elman.tasks.next_step import NextStepTask
from elman.tasks.objective import describe_objective, objective_name, tag_scheme
from elman.tasks.prediction import FramesTask, PredictionTask
from elman.tasks.task import Task
from elman.tasks.writing import WritingTask
from elman.tasks.written_features import writable

WRITES = "conditional-language-model"
"""The objective of what is written."""

SHOWN = 3
"""Names listed in a note before the rest is counted."""

_OF_OBJECTIVE: Mapping[str, type[Task]] = {
    "roll": FramesTask,
    WRITES: WritingTask,
    "forecast": ForecastTask,
}
"""Objective → class of the task; that of any other predicts a target of its own columns."""
_NEXT: Mapping[str, type[Task]] = {"roll": NextFrameTask, "language-model": NextStepTask}
"""Objective → class of the task that predicts the next step of the input."""


def task_from_json(state: Mapping[str, Any]) -> Task:
    """Restore a task from `Task.to_json`.

    Raises:
        KeyError, ElmanError: the state is malformed.
    """
    targets = tuple(state["target_columns"])
    classes = _NEXT if targets == (NEXT,) else _OF_OBJECTIVE
    return classes.get(state["objective"]["name"], PredictionTask)(
        category=state["category"],
        input_columns=tuple(state["input_columns"]),
        target_columns=targets,
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
        others: the other parts, of which nothing is learned but which names a target may have:
            a rare tag may stand in the test part alone.
        decoder: of a network that writes: whether input and target share their vocabulary.
        forecast: of the next values of series: their distribution.

    Raises:
        ExperimentError: columns are missing, or what was asked contradicts the data.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    if data.horizon:
        return find_forecast(data, network, forecast or ForecastSpec(), train)
    inputs, targets = layout_of(data).columns(train)
    for part in others:
        part.require([*inputs, *targets])
    if not targets:
        return _find_next(data, network, train, inputs)
    return _find_target(data, network, train, others, decoder or DecoderSpec(), inputs, targets)


def _find_next(data: DataSpec, network: NetworkSpec, train: Table, inputs: Sequence[str]) -> Task:
    """Find the task of predicting the next step of the input."""
    feature = make_feature(
        train, inputs, data.input_kind, data.input_options, as_target=False, next_step=True
    )
    fit_feature(feature, train, inputs)
    _refuse_no_next_step(feature, inputs)
    name = objective_name(network.objective, feature, (feature.next_objective,))
    category = "many-to-many"
    return _NEXT[name](
        category=category,
        input_columns=tuple(inputs),
        target_columns=(NEXT,),
        input=feature,
        target=feature,
        objective=describe_objective(name, network, feature, train, inputs),
        sentence=explain(feature, None, category),
        notes=tuple(dict.fromkeys(feature.notes)),
    )


def _find_target(
    data: DataSpec,
    network: NetworkSpec,
    train: Table,
    others: Sequence[Table],
    decoder: DecoderSpec,
    inputs: Sequence[str],
    targets: Sequence[str],
) -> Task:
    """Find the task of predicting columns of the table."""
    source = make_feature(train, inputs, data.input_kind, data.input_options, as_target=False)
    fit_feature(source, train, inputs)
    target = make_feature(
        train,
        targets,
        data.target_kind,
        data.target_options,
        as_target=True,
        steps=steps_of(train, source, inputs),
    )
    _refuse_spelling(target, "target_options")
    fit_feature(target, train, targets, others if target.predicts_names else ())
    category = _category(network, train, (source, inputs), (target, targets))
    fitting = target.objectives
    if category in WRITERS:
        fitting = (WRITES,)
        source, target = writable(data, decoder, train, (source, inputs), (target, targets))
    notes = [*source.notes, *target.notes, *_other_ways(category, data, source, target)]
    name = objective_name(network.objective, target, fitting)
    objective = describe_objective(name, network, target, train, targets)
    if target.predicts_names:
        notes += _never_learned(target, targets, train, others)
    if "scheme" in signature(OBJECTIVES[name]).parameters:
        objective["scheme"], assumed = tag_scheme(target, (train, *others), targets)
        notes += assumed
    return _OF_OBJECTIVE.get(name, PredictionTask)(
        category=category,
        input_columns=tuple(inputs),
        target_columns=tuple(targets),
        input=source,
        target=target,
        objective=objective,
        sentence=explain(source, target, category),
        notes=tuple(dict.fromkeys(notes)),
    )


def _refuse_no_next_step(source: Feature, columns: Sequence[str]) -> None:
    """Refuse to ask for the next element of what has none, or none that can be sampled."""
    forecast = (
        "To forecast the value after some steps, name the column as the target and say "
        "--window STEPS (data.window)."
    )
    if source.has_steps and source.next_objective is None:
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
    met = {index for value in train.values(columns) for index in target.ids(value)}
    first: dict[int, str] = {}
    for table in others:
        for row, value in enumerate(table.values(columns)):
            for index in set(target.ids(value)) - met:
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
    """Infer the category; refuse what contradicts it, and what cannot be written."""
    has_steps = source[0].has_steps, target[0].has_steps
    aligned = None
    if all(has_steps):
        asked = OBJECTIVES.get(network.objective or "")
        in_order = asked is not None and asked.name in target[0].objectives
        if in_order and asked is not None and asked.targets == "sequence":
            aligned = True  # a transcription, whose symbols follow each other as the input does
        else:  # a text is written, never predicted a word a step
            per_step = any(OBJECTIVES[name].targets == "step" for name in target[0].objectives)
            aligned = per_step and are_aligned(table, source, target)
    found = infer_category(*has_steps, aligned)
    category = settle_category(network.category, found, source[0], target[0])
    if category in WRITERS and not target[0].writable:
        raise ExperimentError(
            f"this task is {category}: the answer, {', '.join(target[1])}, is a sequence of its "
            f"own length, and Elman writes texts and symbols alone, not {target[0].description}."
        )
    return category


def _other_ways(category: str, data: DataSpec, source: Feature, target: Any) -> list[str]:
    """Say what else a target may have been meant for: one to be written, or one that reads so."""
    if data.target_kind is not None:
        return []
    if source.is_text and target.reads_as_texts:
        return [
            f"if {data.target[0]} holds a text to be written, not one of {len(target.names)} "
            f"names, say --target {data.target[0]}:text."
        ]
    if category not in WRITERS:
        return []
    said = []
    if target.is_text:
        name = data.target[0]
        said.append(f"if {name} holds a name a row, not a text, say --target {name}:category.")
    if source.has_steps and not source.writable:
        said.append(
            "if the target's symbols follow each other as the input does, as in speech, set "
            "network.objective = 'ctc'."
        )
    return said
