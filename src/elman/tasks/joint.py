"""The task of predicting several targets of each row, or of each of its steps."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from elman.data.table import Table
from elman.errors import ExperimentError, OptionError, as_option, counted, unknown
from elman.experiment import Experiment
from elman.experiment.data import DataSpec
from elman.experiment.network import NetworkSpec
from elman.features.build import kind_class
from elman.features.feature import Feature
from elman.features.joint import JointFeature, lacks_target
from elman.tasks.category import explain
from elman.tasks.defaults import Settings, chosen_options
from elman.tasks.given_kinds import kind_given
from elman.tasks.prediction import PredictionTask
from elman.tasks.task import Task

SHARED = ("class_weights", "label_smoothing")
"""Options of objectives that apply to those targets for which they have a meaning."""


@dataclass(frozen=True)
class JointTask(PredictionTask):
    """Several targets per row, or per step: a class and a number; tags beside tags."""

    @cached_property
    def parts(self) -> tuple[PredictionTask, ...]:
        """The task of each target by itself, in order."""
        features: Any = self.target
        return tuple(
            PredictionTask(
                category=self.category,
                input_columns=self.input_columns,
                target_columns=(name,),
                input=self.input,
                target=feature,
                objective=state["objective"],
                sentence=explain(self.input, feature, self.category),
            )
            for (name, feature), state in zip(
                features.targets.items(), self.objective["parts"], strict=True
            )
        )

    @property
    def can_be_cut(self) -> bool:
        """Whether every target's sequence may end at any step."""
        return all(part.can_be_cut for part in self.parts)

    def chosen_settings(self, rows: int) -> Settings:
        """Return the settings that suit the first target of names; where there is none, the first.

        Names need the whole of a sequence, as a number does, and more regularisation.
        """
        parts = sorted(self.parts, key=lambda part: not part.target.predicts_names)
        return parts[0].chosen_settings(rows)

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return a default for every setting, with a kind for each target.

        Weights are selected by the loss, which all targets have a share in, unless a score is
        given.
        """
        settings = {
            name: value
            for name, value in super().settings(experiment, train).items()
            if not name.startswith("data.target_")
        }
        kinds = {
            part.target_columns[0]: {"kind": part.target.kind, **chosen_options(part.target)}
            for part in self.parts
        }
        inputs = settings.get("data.columns", experiment.data.columns)
        settings["data.columns"] = {**inputs, **kinds}
        if experiment.score is None:
            settings["training.select"] = "loss"
        return settings

    def check_targets(self, parts: Sequence[Table]) -> None:
        """Refuse a number that is malformed; a target may be missing."""
        for table in parts:
            for part in self.parts:
                part.check_targets([with_target(part.target, table, part.target_columns[0])])


def have_own_answers(data: DataSpec, targets: Sequence[str]) -> bool:
    """Tell whether several target columns are predicted each by itself.

    They are not where they are the values after a window, or where a kind is given that reads
    several columns together.

    Args:
        data: with the kinds that are given.
        targets: names of the columns.
    """
    if len(targets) < 2 or data.window or data.horizon:
        return False
    if data.target_kind is None or any("kind" in data.columns.get(name, {}) for name in targets):
        return True
    return "columns" not in inspect.signature(kind_class(data.target_kind)).parameters


def data_of_target(data: DataSpec, name: str) -> DataSpec:
    """Return the settings of the data in which one of several targets is the only one."""
    kind, options = kind_given(data, name, "target")
    return data.model_copy(
        update={"target": [name], "target_kind": kind, "target_options": options}
    )


def network_of_target(network: NetworkSpec, name: str) -> NetworkSpec:
    """Return the settings of the network in which one of several targets is the only one."""
    return network.model_copy(
        update={
            "objective": network.objectives.get(name),
            "objectives": {},
            "loss_weights": {},
        }
    )


def check_settings(network: NetworkSpec, targets: Sequence[str]) -> None:
    """Refuse settings of targets that there are not, or that do not say which they are of.

    Args:
        network: the settings.
        targets: the targets that are predicted each by itself; one, or none, elsewhere.

    Raises:
        ExperimentError: there is such a setting.
    """
    if twice := [name for name in targets if targets.count(name) > 1]:
        raise ExperimentError(f"{twice[0]!r} is named twice as a target; name it once.")
    for option in ("objectives", "loss_weights"):
        given = getattr(network, option)
        if given and len(targets) < 2:
            raise ExperimentError(
                f"network.{option} is for several targets, each with its own answers, and there is "
                f"one here; leave it out{', or set network.objective' * (option == 'objectives')}."
            )
        for name in given:
            if name not in targets:
                raise unknown("target", name, targets, error=ExperimentError)
    if network.objective is not None and len(targets) > 1:
        raise ExperimentError(
            f"network.objective = {network.objective!r} does not say which target it is for; say "
            f"--set objectives.{targets[0]}={network.objective} (network.objectives)."
        )


@contextmanager
def of_target(name: str) -> Iterator[None]:
    """Name the target in errors about its settings."""
    try:
        yield
    except (ExperimentError, OptionError) as error:
        raise type(error)(f"target {name}: {error}") from error


def with_target(feature: Feature, table: Table, name: str) -> Table:
    """Leave out the rows that lack a target."""
    column = table.column(name)
    rows = [row for row, cell in enumerate(column) if not lacks_target(feature, cell)]
    return table if len(rows) == len(table) else table.select(rows)


def note_of_missing(known: Table, train: Table) -> list[str]:
    """Say how many training rows lack a target."""
    missing = len(train) - len(known)
    if not missing:
        return []
    one = missing == 1
    return [
        f"missing in {missing:,} of {counted(len(train), 'training row')}, which "
        f"{'trains' if one else 'train'} the other targets only."
    ]


def joint_task(tasks: Mapping[str, Task], network: NetworkSpec) -> JointTask:
    """Make one task of those of several targets.

    Args:
        tasks: column → the task of predicting it alone, all with the same input.
        network: with the weights of the losses.

    Raises:
        ExperimentError: the targets cannot be predicted together, or an option of objectives has a
            meaning for none of them.
    """
    for name, task in tasks.items():
        _refuse_sequence(name, task, tasks)
    _refuse_unlike(tasks)
    first = next(iter(tasks.values()))
    for option in SHARED:
        asked = getattr(network, option) not in (0.0, "none")
        if asked and not any(option in task.objective for task in tasks.values()):
            raise ExperimentError(
                f"network.{option} has no meaning for the objectives "
                f"{', '.join(task.objective['name'] for task in tasks.values())}; leave it out."
            )
    feature = JointFeature({name: task.target for name, task in tasks.items()})
    shared = set(first.input.notes)
    notes = [
        f"{name}: {note}"
        for name, task in tasks.items()
        for note in task.notes
        if note not in shared
    ]
    return JointTask(
        category=first.category,
        input_columns=first.input_columns,
        target_columns=tuple(tasks),
        input=first.input,
        target=feature,
        objective={
            "name": feature.objectives[0],
            "parts": [
                {
                    "objective": dict(task.objective),
                    "columns": width,
                    "ids": bool(task.target.encoding.ids),
                    "weight": network.loss_weights.get(name, 1.0),
                }
                for (name, task), width in zip(tasks.items(), feature.widths, strict=True)
            ],
        },
        sentence=explain(first.input, feature, first.category),
        notes=(*dict.fromkeys([*first.input.notes, *notes]),),
    )


def _refuse_sequence(name: str, task: Task, tasks: Mapping[str, Task]) -> None:
    """Refuse a target that is neither one of a row nor one of each step."""
    if type(task) is PredictionTask and task.targets != "sequence":
        return
    others = " ".join(as_option("--target", other) for other in tasks if other != name)
    raise ExperimentError(
        f"several targets have one answer a row, or one a step of the input, and {name} "
        f"({task.target.description}) is written in steps of its own. Train two models: one with "
        f"{as_option('--target', name)}, one with {others}."
    )


def _refuse_unlike(tasks: Mapping[str, Task]) -> None:
    """Refuse targets of rows beside targets of steps."""
    by_step = {name for name, task in tasks.items() if task.target.has_steps}
    if len(by_step) in (0, len(tasks)):
        return
    of_rows = [name for name in tasks if name not in by_step]
    of_steps = [name for name in tasks if name in by_step]
    raise ExperimentError(
        f"{_listed(of_rows)} {'has' if len(of_rows) == 1 else 'have'} one answer a row, and "
        f"{_listed(of_steps)} one a step; one network gives either. Train two models: one with "
        f"{' '.join(as_option('--target', name) for name in of_rows)}, one with "
        f"{' '.join(as_option('--target', name) for name in of_steps)}."
    )


def _listed(names: Sequence[str]) -> str:
    """List names: `a`, `a and b`, `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
