"""Finding the task: from columns and settings to one of the task classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from elman.data.table import Table
from elman.errors import ExperimentError, as_option
from elman.experiment import Experiment
from elman.experiment.categories import WRITERS
from elman.experiment.data import NEXT, DataSpec
from elman.experiment.decoder import DecoderSpec
from elman.experiment.forecast import ForecastSpec
from elman.experiment.network import NetworkSpec
from elman.features.feature import Feature
from elman.features.kinds import feature_from_json
from elman.networks.objectives import OBJECTIVES
from elman.tasks.alignment import are_aligned, led_by_steps_of, steps_of
from elman.tasks.category import explain, infer_category, settle_category
from elman.tasks.dividing import Parts
from elman.tasks.fitting import fit_feature, make_feature, sample
from elman.tasks.forecast import ForecastTask, find_forecast
from elman.tasks.given import Given
from elman.tasks.joint import (
    JointTask,
    check_settings,
    data_of_target,
    have_own_answers,
    joint_task,
    network_of_target,
    note_of_missing,
    of_target,
    with_target,
)
from elman.tasks.layout import layout_of
from elman.tasks.mixing import input_feature
from elman.tasks.next_frame import NextFrameTask
from elman.tasks.next_step import NextStepTask
from elman.tasks.objective import describe_objective, objective_name, tag_scheme
from elman.tasks.other_ways import other_ways
from elman.tasks.prediction import FramesTask, PredictionTask
from elman.tasks.task import Task
from elman.tasks.writing import WritingTask
from elman.tasks.written_features import writable

WRITES = "conditional-language-model"
"""The objective of a target that is written."""

SHOWN = 3
"""Names listed in a note before the rest is counted."""

_OF_OBJECTIVE: Mapping[str, type[Task]] = {
    "roll": FramesTask,
    WRITES: WritingTask,
    "forecast": ForecastTask,
    "joint": JointTask,
    "step-joint": JointTask,
}
"""Objective → task class; any other objective predicts target columns."""
_NEXT: Mapping[str, type[Task]] = {"roll": NextFrameTask, "language-model": NextStepTask}
"""Objective → task class that predicts the next step of the input."""


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


def task_of(experiment: Experiment, given: Given, parts: Parts) -> tuple[Experiment, Task]:
    """Find the task of an experiment, and fit its features.

    Args:
        experiment: the experiment, without defaults.
        given: its data, as it was read.
        parts: into which that was divided.

    Returns:
        The experiment with the settings that follow from the data, and the task.

    Raises:
        ExperimentError: columns are missing, or a setting contradicts the data.
        DataError: a value is malformed.
    """
    data = given.layout.data.model_copy(update=dict(parts.settings))
    others = [part for part in (parts.valid, parts.test) if part is not None]
    task = find_task(
        data,
        experiment.network,
        parts.train,
        others,
        decoder=experiment.decoder,
        forecast=experiment.forecast,
    )
    task.check_targets(others)
    return experiment.model_copy(update={"data": data}), task


def find_task(
    data: DataSpec,
    network: NetworkSpec,
    train: Table,
    others: Sequence[Table] = (),
    *,
    decoder: DecoderSpec | None = None,
    forecast: ForecastSpec | None = None,
) -> Task:
    """Find the task, and fit the features on the training part.

    Args:
        data: the columns; their kinds and options, where they are not inferred.
        network: the category and the objective, where they are not inferred.
        train: the training part, from which alone scales and vocabularies are learned.
        others: the other parts, of which only the names of classes and tags are read: a rare tag
            may occur in the test part alone.
        decoder: whether input and target share a vocabulary, where the network writes.
        forecast: the distribution of a forecast.

    Raises:
        ExperimentError: columns are missing, or the settings contradict the data.
        DataError: a value cannot be taken; its file, row and column are named.
    """
    several = have_own_answers(data, data.target)
    check_settings(network, data.target if several else ())
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
        train,
        inputs,
        data.input_kind,
        data.input_options,
        as_target=False,
        next_step=True,
        beside=layout_of(data).beside(train),
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
    source: Any = input_feature(data, train, inputs)
    fit_feature(source, train, inputs)
    source = led_by_steps_of(train, source, targets)
    if source.parts:  # a value is the list of the cells in this order
        inputs = source.columns
    read = source, inputs, steps_of(train, source, inputs)
    if not have_own_answers(data, targets):
        if targets[0] in data.columns:
            data = data_of_target(data, targets[0])
        return _task_of(data, network, train, others, decoder, read, targets)
    tasks: dict[str, Task] = {}
    for name in targets:
        own = data_of_target(data, name), network_of_target(network, name)
        with of_target(name):
            tasks[name] = _task_of(
                *own, train, others, decoder, read, [name], is_one_of_several=True
            )
    return joint_task(tasks, network)


def _task_of(
    data: DataSpec,
    network: NetworkSpec,
    train: Table,
    others: Sequence[Table],
    decoder: DecoderSpec,
    read: tuple[Any, Sequence[str], Sequence[int] | None],
    targets: Sequence[str],
    *,
    is_one_of_several: bool = False,
) -> Task:
    """Find the task of predicting a target from an input.

    Args:
        data: the settings of the data.
        network: those of the network.
        train: the training part.
        others: the other parts.
        decoder: the settings of a decoder.
        read: feature and columns of the input, and the steps of a sample of rows.
        targets: columns of the target.
        is_one_of_several: whether it is one of several targets, and may be missing in some rows.
    """
    source, inputs, steps = read
    target = make_feature(
        train,
        targets,
        data.target_kind,
        data.target_options,
        as_target=True,
        steps=steps,
    )
    _refuse_spelling(target, "target_options")
    missing = []
    if is_one_of_several:
        known, *others = (with_target(target, part, targets[0]) for part in (train, *others))
        missing, train = note_of_missing(known, train), known
    fit_feature(target, train, targets, others if target.predicts_names else ())
    category = _category(network, train, (source, inputs), (target, targets))
    suitable = target.objectives
    notes = []
    if category in WRITERS and _same_numbers(data, train, source, inputs, target):
        source = make_feature(train, inputs, "symbols", {}, as_target=False)
        fit_feature(source, train, inputs)
        notes.append(
            f"{inputs[0]} is read as symbols, for {targets[0]} consists of the same whole numbers; "
            f"if it holds measurements, say {as_option('--input', f'{inputs[0]}:series')}."
        )
    if category in WRITERS:
        suitable = (WRITES,)
        source, target = writable(data, decoder, train, (source, inputs), (target, targets))
    notes += [*source.notes, *missing, *target.notes]
    notes += other_ways(category, data, train, source, target)
    name = objective_name(network.objective, target, suitable)
    objective = describe_objective(
        name, network, target, train, targets, is_one_of_several=is_one_of_several
    )
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


def _same_numbers(
    data: DataSpec, train: Table, source: Feature, inputs: Sequence[str], target: Any
) -> bool:
    """Tell whether an input of no given kind has the whole numbers that the target is written in.

    They are the tokens of one language then, not measurements over time.
    """
    if (
        data.input_kind
        or data.input_options
        or data.columns
        or source.kind != "series"
        or len(inputs) > 1
    ):
        return False
    if target.kind != "symbols" or not all(isinstance(name, int) for name in target.names):
        return False
    numbers = {float(n) for steps in sample(train).column(inputs[0]) for n in np.ravel(steps)}
    return len(numbers - set(map(float, target.names))) * 2 <= len(numbers)


def _refuse_no_next_step(source: Feature, columns: Sequence[str]) -> None:
    """Refuse an input without a next element, or with one that cannot be sampled."""
    forecast = (
        "To predict the value after some steps, name the column as the target and say "
        "--window STEPS (data.window)."
    )
    if source.has_steps and source.next_objective is None:
        raise ExperimentError(
            f"target = next is for texts, symbols and piano rolls, and column {', '.join(columns)} "
            f"holds {source.description}. {forecast}"
        )
    if not source.has_steps:
        raise ExperimentError(
            f"target = next predicts the next element of a sequence, and column "
            f"{', '.join(columns)} holds no sequences but one {source.kind} a row. If the rows are "
            "steps of sequences, name the column of sequence ids, --sequence-id COLUMN "
            f"(data.sequence_id). {forecast}"
        )
    _refuse_spelling(source, "input_options")


def _refuse_spelling(written: Feature, options: str) -> None:
    """Refuse words with their characters beside them where words are written."""
    for name in ("characters", "subwords"):
        if getattr(written, name, False):
            raise ExperimentError(
                f"data.{options}.{name} lets a network read how each word is spelt, and here the "
                "words are written; leave it out."
            )


def _never_learned(
    target: Any, columns: Sequence[str], train: Table, others: Sequence[Table]
) -> list[str]:
    """List the names that do not occur in the training part, and mark them in the feature."""
    seen = {index for value in train.values(columns) for index in target.ids(value)}
    first: dict[Any, str] = {}
    strange: set[int] = set()
    for table in others:
        for row, value in enumerate(table.values(columns)):
            unseen = set(target.ids(value)) - seen
            strange |= unseen
            names = [target.names[index] for index in unseen]
            if unseen and target.has_steps:  # symbols to be written share one id, the unknown one
                names = [name for name in target.names_in(value) if target.ids([name])[0] in unseen]
            for name in names:
                first.setdefault(name, table.where(row))
    if not first:
        return []
    target.mark_never_learned(strange)
    listed = [f"{name!r} ({place})" for name, place in first.items()][:SHOWN]
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return [f"not in the training rows, so never predicted: {', '.join(listed)}{more}."]


def _category(
    network: NetworkSpec,
    table: Table,
    source: tuple[Feature, Sequence[str]],
    target: tuple[Feature, Sequence[str]],
) -> str:
    """Infer the category; refuse a setting or a target that does not suit it."""
    has_steps = source[0].has_steps, target[0].has_steps
    aligned = None
    if all(has_steps):
        objective = OBJECTIVES.get(network.objective or "")
        suits = objective is not None and objective.name in target[0].objectives
        if suits and objective is not None and objective.targets == "sequence":
            aligned = True  # a transcription: its symbols come in the order of the input
        else:  # a text is written, never predicted a word a step
            per_step = any(OBJECTIVES[name].targets == "step" for name in target[0].objectives)
            aligned = per_step and are_aligned(table, source, target)
    inferred = infer_category(*has_steps, aligned)
    category = settle_category(network.category, inferred, source[0], target[0])
    if category in WRITERS and not target[0].writable:
        raise ExperimentError(
            f"this task is {category}: the target, {', '.join(target[1])}, is a sequence of its "
            f"own length, and Elman writes only texts and symbols, not {target[0].description}."
        )
    return category
