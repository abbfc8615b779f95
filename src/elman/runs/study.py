"""The study of a search: an Optuna study in a database, and what it may be gone on with."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

from elman.errors import ExperimentError, OptionError, import_extra, unknown
from elman.experiment import Experiment
from elman.models.trained_on import DataRecord
from elman.runs.search_space import Space, declared_space, differences

Pruner = Literal["median", "halving", "none"]
PRUNERS = ("median", "halving", "none")
FEWEST = 4
"""Trials with a score that say something about importance."""
STUDY = "study.db"
SEARCH = "search"
"""Name of what a study keeps of its search."""

_PATHS = ("data.files", "data.valid_files", "data.test_files")
"""Settings that may differ from machine to machine; the rows are compared by their content."""


def pruner_of(name: str, epochs: int) -> Any:
    """Return what ends trials early.

    Args:
        name: `median` ends a trial whose best epoch so far is worse than the median of the others,
            after a fifth of the epochs; `halving` keeps the best quarter at each of several stages;
            `none` ends none.
        epochs: maximum number of epochs of a trial.

    Raises:
        OptionError: there is no such pruner.
    """
    pruners = import_extra("optuna", "tune", "a search").pruners
    if name not in PRUNERS:
        raise unknown("pruner", name, PRUNERS)
    if name == "median":
        warm = max(1, epochs // 5)  # epochs count from 1
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1 + warm)
    return pruners.SuccessiveHalvingPruner() if name == "halving" else pruners.NopPruner()


def open_study(
    directory: Path,
    storage: str | None,
    pruner: Any,
    *,
    experiment: Experiment,
    space: Space,
    data: DataRecord,
) -> Any:
    """Open the study of a search, or begin it.

    Args:
        directory: of the search; its name is that of the study.
        storage: address of a database that several machines share; None for a file in the
            directory.
        pruner: what ends trials early.
        experiment: whose settings are varied.
        space: setting → the values to try.
        data: what the trials are trained on.

    Raises:
        OptionError: the database cannot be opened.
        ExperimentError: the study is that of another search.
    """
    optuna = import_extra("optuna", "tune", "a search")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = directory / STUDY
    try:
        study = optuna.create_study(
            study_name=directory.name,
            storage=storage or f"sqlite:///{file.resolve()}",
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )
    except _errors() as error:
        where = "--storage" if storage else str(file)
        raise OptionError(
            f"{where} is no database that a search can use: {_first_line(error)} An address looks "
            "like postgresql://user:password@host/name or sqlite:///shared/searches.db."
        ) from error
    about = {
        "experiment": experiment.model_dump(exclude_none=True, exclude_unset=True, mode="json"),
        "space": {name: each.to_value() for name, each in space.items()},
        "data": data.model_dump(mode="json"),
    }
    there = study.user_attrs.get(SEARCH)
    if there is None:
        study.set_user_attr(SEARCH, about)
    else:
        _refuse_another(json.loads(json.dumps(there)), directory, experiment, space, data)
    return study


def _errors() -> tuple[type[Exception], ...]:
    """List what a database that is not there, or not one, raises."""
    sqlalchemy = import_extra("sqlalchemy.exc", "tune", "a search")
    return (sqlalchemy.SQLAlchemyError, ImportError, ValueError, RuntimeError)


def _first_line(error: Exception) -> str:
    return f"{str(error).strip().splitlines()[0].rstrip('.')}."


def _refuse_another(
    there: dict[str, Any], directory: Path, experiment: Experiment, space: Space, data: DataRecord
) -> None:
    """Raise ExperimentError if a study is that of another search, or of other data."""
    begun_with = Experiment.from_values(there["experiment"], origin=f"the search in {directory}")
    different = [
        each
        for each in experiment.differences(begun_with)
        if each.partition(" = ")[0] not in _PATHS
    ]
    different += differences(space, declared_space(there["space"], begun_with))
    if different:
        raise ExperimentError(
            f"{directory} holds another search: here {'; '.join(different)}. Choose another "
            "directory (--out) for this one."
        )
    changed = DataRecord.model_validate(there["data"]).difference(data)
    if changed:
        raise ExperimentError(
            f"the data is no longer what the search in {directory} was begun with ({changed}); "
            "restore it, or search in another directory (--out)."
        )


def importance_of(study: Any) -> dict[str, float]:
    """Return the share of the differences in score that each setting explains.

    Empty where fewer than `FEWEST` trials have a score, or all have the same.
    """
    optuna = import_extra("optuna", "tune", "a search")
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < FEWEST or len({trial.value for trial in complete}) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}
