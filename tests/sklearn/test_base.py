"""scikit-learn estimators: parameters, seeds, and use in scikit-learn's tools."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.errors import ElmanError, OptionError
from letters import GOOD, LETTERS, SMALL, TAGS, TOKENS, WORDS, series

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from elman.sklearn import SequenceClassifier, SequenceRegressor, SequenceTagger
from elman.training.seeds import seed_everything


def test_the_same_random_state_gives_the_same_numbers_twice_in_one_process() -> None:
    first, second, other = (
        SequenceClassifier(**SMALL | {"random_state": seed}).fit(WORDS, LETTERS)
        for seed in (5, 5, 6)
    )
    assert np.array_equal(first.predict_proba(WORDS), second.predict_proba(WORDS))
    assert not np.array_equal(first.predict_proba(WORDS), other.predict_proba(WORDS))
    assert first.result_.seed == 5


def test_without_a_random_state_the_seed_comes_from_the_global_generator() -> None:
    seeds = []
    for _ in range(2):
        seed_everything(3)
        classifier = SequenceClassifier(**SMALL | {"random_state": None})
        seeds.append([classifier.fit(WORDS, LETTERS).result_.seed for _ in range(2)])
    assert seeds[0] == seeds[1]
    assert seeds[0][0] != seeds[0][1]


def test_a_fit_leaves_the_global_generators_as_they_were() -> None:
    seed_everything(11)
    expected = torch.rand(3), np.random.rand(3)  # noqa: NPY002
    seed_everything(11)
    SequenceClassifier(**SMALL).fit(WORDS, LETTERS)
    assert torch.equal(torch.rand(3), expected[0])
    assert np.array_equal(np.random.rand(3), expected[1])  # noqa: NPY002


@pytest.mark.slow
def test_sequences_of_different_lengths_are_cross_validated() -> None:
    X, y = series(), ["down", "up"] * 12
    estimator = SequenceClassifier(**GOOD)
    assert cross_val_score(estimator, X, y, cv=2, error_score="raise").mean() > 0.7
    probabilities = cross_val_predict(clone(estimator), X, y, cv=2, method="predict_proba")
    assert probabilities.shape == (24, 2)
    assert cross_val_score(SequenceTagger(**SMALL), TOKENS, TAGS, cv=2).shape == (2,)


def test_a_grid_search_takes_parameters_and_numbers_of_numpy() -> None:
    search = GridSearchCV(
        SequenceClassifier(**SMALL),
        {"cell": ["gru", "simple"], "learning_rate": np.geomspace(1e-4, 1e-2, 2)},
        cv=2,
        error_score="raise",
    ).fit(WORDS, LETTERS)
    chosen = search.best_estimator_.model_.experiment
    assert chosen.network.cell == search.best_params_["cell"]
    assert chosen.training.learning_rate == search.best_params_["learning_rate"]
    sized = SequenceClassifier(**SMALL | {"hidden_size": np.arange(3, 5)}).fit(WORDS, LETTERS)
    assert sized.model_.experiment.network.hidden_size == [3, 4]


def test_the_estimators_work_at_the_end_of_a_pipeline() -> None:
    lower = FunctionTransformer(lambda words: [word.lower() for word in words])
    pipeline = make_pipeline(lower, SequenceClassifier(**GOOD))
    pipeline.fit([word.upper() for word in WORDS], LETTERS)
    assert pipeline.predict(["BaaB", "yXXy"]).tolist() == ["ab", "xy"]
    rows = np.arange(48.0).reshape(24, 2)
    scaled = make_pipeline(StandardScaler(), SequenceRegressor(epochs=2, random_state=1))
    assert scaled.fit(rows, rows[:, 0]).predict(rows).shape == (24,)


def test_settings_reach_the_experiment_and_parameters_left_out_are_chosen_by_the_task() -> None:
    settings = {"pooling": "attention", "data.input_options": {"lowercase": True}}
    classifier = SequenceClassifier(**SMALL | {"settings": settings}).fit(WORDS, LETTERS)
    experiment = classifier.model_.experiment
    assert experiment.network.pooling == "attention"
    options = experiment.data.input_options
    assert (options["level"], options["lowercase"]) == ("character", True)
    assert (experiment.network.cell, experiment.network.bidirectional) == ("gru", True)
    assert classifier.result_.rows == {"train": 22, "valid": 2}
    half = SequenceClassifier(validation_fraction=0.5, **SMALL).fit(WORDS, LETTERS)
    assert half.result_.rows == {"train": 12, "valid": 12}


@pytest.mark.usefixtures("pages")
def test_a_run_is_kept_in_a_given_directory_and_never_overwritten(tmp_path: Path) -> None:
    classifier = SequenceClassifier(directory=tmp_path / "run", **SMALL).fit(WORDS, LETTERS)
    assert elman.load(tmp_path / "run").predict(WORDS) == classifier.predict(WORDS).tolist()
    assert (tmp_path / "run" / "report.html").is_file()
    with pytest.raises(OptionError, match="already holds a run, and every fit is a new run"):
        classifier.fit(WORDS, LETTERS)


def test_progress_is_shown_if_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    SequenceClassifier(**SMALL).fit(WORDS, LETTERS)
    assert capsys.readouterr() == ("", "")
    SequenceClassifier(verbose=True, **SMALL).fit(WORDS, LETTERS)
    progress = capsys.readouterr().err
    assert "input: characters; target: one of 2 classes → many-to-one" in progress
    assert "SequenceClassifier: seed 1" in progress


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"cell": "gur"}, "unknown cell 'gur'; did you mean 'gru'?"),
        ({"input_kind": "txt"}, "did you mean 'text'?"),
        ({"epochs": 0}, "training.epochs must be greater than or equal to 1, got 0"),
        ({"validation_fraction": 1.5}, "validation_fraction must lie between 0 and 1, got 1.5"),
        ({"random_state": -1}, "random_state must lie in 0 … 4294967295, got -1"),
        ({"settings": {"epochs": 3}}, "which is a parameter: use SequenceClassifier(epochs=…)"),
        ({"settings": {"seed": 3}}, "use SequenceClassifier(random_state=…)"),
        ({"settings": {"poling": "max"}}, "unknown setting 'poling'; did you mean 'pooling'?"),
        ({"settings": {"data.name": "imdb"}}, "no effect if X and y are passed"),
        ({"settings": {"target_kind": "text"}}, "no effect if X and y are passed"),
    ],
)
def test_a_wrong_parameter_is_refused_in_words(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ElmanError, match=re.escape(words)):
        SequenceClassifier(**SMALL | parameters).fit(WORDS, LETTERS)


def test_without_scikit_learn_the_import_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("elman.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "elman\[sklearn\]"'):
        importlib.import_module("elman.sklearn")
