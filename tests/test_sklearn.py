"""The estimators of scikit-learn: its own checks, and what they promise of sequences."""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array

import elman
from elman.errors import DataError, ElmanError, OptionError

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from elman.sklearn import SequenceClassifier, SequenceRegressor, SequenceTagger
from elman.training.seeds import seed_everything

GUIDE = Path(__file__).parents[1] / "docs" / "scikit-learn.md"

LISTS_ARE_SEQUENCES = "a list of lists is a list of sequences, so X.T is two sequences, and read"
TAGS_ARE_NESTED = "y is a list of tags for every sample, and the check gives a number for each"

NOT_FOR_CLASSIFIERS = {"check_classifiers_train": LISTS_ARE_SEQUENCES}
STEPLESS = "an array (N, 0) is N sequences without steps, which a tagger takes"
NOT_FOR_TAGGERS = {"check_estimators_empty_data_messages": STEPLESS} | dict.fromkeys(
    [
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_fit_returns_self",
        "check_estimators_overwrite_params",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_pipeline_consistency",
        "check_positive_only_tag_during_fit",
        "check_readonly_memmap_input",
    ],
    TAGS_ARE_NESTED,
)

QUICK: dict[str, Any] = {"batch_size": 64, "learning_rate": 0.02, "settings": {"head": [16]}}
CHECKED = [
    SequenceClassifier(epochs=2, random_state=1, **QUICK),
    SequenceRegressor(epochs=2, random_state=1, **QUICK),
    SequenceTagger(epochs=1, random_state=1, hidden_size=3),
]

WORDS = ["aba", "abba", "bab", "xyx", "yxy", "xyyx"] * 4
LETTERS = ["ab", "ab", "ab", "xy", "xy", "xy"] * 4
TOKENS = [list(word) for word in WORDS]
TAGS = [["is a" if letter == "a" else "other" for letter in word] for word in WORDS]
SMALL: dict[str, Any] = {"hidden_size": 3, "epochs": 2, "batch_size": 4, "random_state": 1}
GOOD: dict[str, Any] = {
    "hidden_size": 8,
    "epochs": 15,
    "batch_size": 4,
    "learning_rate": 0.02,
    "random_state": 1,
}


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, SequenceTagger):
        return NOT_FOR_TAGGERS
    return NOT_FOR_CLASSIFIERS if isinstance(estimator, SequenceClassifier) else {}


@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures)
def test_an_estimator_passes_the_check_of_scikit_learn(estimator: Any, check: Any) -> None:
    if check.func.__name__ == "check_regressors_train":  # the one that asks for a good fit
        estimator.set_params(epochs=16, batch_size=8)
    check(estimator)


def series(rows: int = 24, numbers: int = 2) -> list[np.ndarray]:
    """Series of unlike lengths whose last step is positive in every other one."""
    generator = np.random.default_rng(7)
    found = [generator.normal(size=(3 + row % 4, numbers)) for row in range(rows)]
    for row, values in enumerate(found):
        values[-1, 0] = 3.0 if row % 2 else -3.0
    return found


def test_a_classifier_tells_words_apart_letter_by_letter() -> None:
    classifier = SequenceClassifier(**GOOD).fit(WORDS, LETTERS)
    assert classifier.predict(["baab", "yyxy"]).tolist() == ["ab", "xy"]
    assert classifier.score(WORDS, LETTERS) == 1.0
    assert classifier.model_.task.category == "many-to-one"
    assert not hasattr(classifier, "n_features_in_")


def test_a_regressor_answers_a_series_in_the_unit_of_the_target() -> None:
    steps = np.linspace(0.0, 1.0, 5)
    rises = np.arange(24.0)[:, None, None] * steps[None, :, None]
    highest = 1000 + 10 * rises[:, -1, 0]
    regressor = SequenceRegressor(**GOOD | {"epochs": 40}).fit(rises, highest)
    assert regressor.score(rises, highest) > 0.95
    assert regressor.n_features_in_ == 1


def test_a_tagger_gives_every_step_its_tag() -> None:
    tagger = SequenceTagger(**GOOD).fit(TOKENS, TAGS)
    assert tagger.predict([["b", "a"], ["y", "x", "a"]]) == [
        ["other", "is a"],
        ["other", "other", "is a"],
    ]
    assert tagger.score(TOKENS, TAGS) == 1.0
    assert tagger.score([["a", "b"]], [["is a", "is a"]]) == 0.5


@pytest.mark.parametrize(
    ("X", "kind", "category", "numbers"),
    [
        (WORDS, "text", "many-to-one", None),
        (np.array(WORDS), "text", "many-to-one", None),
        (pd.Series(WORDS), "text", "many-to-one", None),
        (["12", "21", "112", "2"] * 6, "text", "many-to-one", None),
        (TOKENS, "symbols", "many-to-one", None),
        (series(), "series", "many-to-one", 2),
        ([list(range(1 + row % 3)) for row in range(24)], "series", "many-to-one", 1),
        (np.ones((24, 4, 3)) * np.arange(24)[:, None, None], "series", "many-to-one", 3),
        (np.arange(24 * 81).reshape(24, 9, 9) % 256, "series", "many-to-one", 9),
        (torch.ones(24, 4, 3) * torch.arange(24)[:, None, None], "series", "many-to-one", 3),
        (np.arange(72.0).reshape(24, 3), "number", "one-to-one", 3),
        (
            pd.DataFrame({"y": np.arange(24.0), "port": ["Cork", "Kiel"] * 12}),
            "record",
            "one-to-one",
            2,
        ),
    ],
    ids=[
        "strings",
        "array of strings",
        "pandas series of strings",
        "numbers written as strings",
        "lists of strings",
        "arrays of unlike lengths",
        "lists of numbers",
        "array of three axes",
        "array of three axes that might be pictures",
        "tensor of three axes",
        "array of two axes",
        "data frame",
    ],
)
def test_x_is_taken_for_what_it_is(X: Any, kind: str, category: str, numbers: int | None) -> None:
    sizes = SMALL | {"hidden_size": None if category == "one-to-one" else 3}
    classifier = SequenceClassifier(**sizes).fit(X, LETTERS)
    task = classifier.model_.task
    assert (task.input.kind, task.category) == (kind, category)
    assert getattr(classifier, "n_features_in_", None) == numbers
    assert set(classifier.predict(X)) <= {"ab", "xy"}


def test_rows_of_an_array_are_series_where_that_is_said() -> None:
    X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]] * 12)
    classifier = SequenceClassifier(input_kind="series", **GOOD).fit(X, [True, False] * 12)
    assert classifier.model_.task.category == "many-to-one"
    assert classifier.predict(X[:2]).tolist() == [True, False]


def test_rows_of_an_array_are_what_a_tagger_tags() -> None:
    X = np.random.default_rng(3).normal(size=(24, 5))
    tagger = SequenceTagger(**GOOD | {"epochs": 40}).fit(X, (X > 0).astype(int))
    assert tagger.classes_.tolist() == [0, 1]
    assert tagger.score(X, X > 0) > 0.9


def test_the_answers_are_those_of_the_model() -> None:
    classifier = SequenceClassifier(**SMALL).fit(WORDS, LETTERS)
    answers, probabilities = classifier.model_.predict(WORDS, probabilities=True)
    assert classifier.predict(WORDS).tolist() == answers
    assert np.array_equal(classifier.predict_proba(WORDS), np.stack(probabilities))
    regressor = SequenceRegressor(**SMALL).fit(series(), np.arange(24))
    assert regressor.predict(series()).tolist() == regressor.model_.predict(series())
    tagger = SequenceTagger(**SMALL).fit(TOKENS, TAGS)
    assert tagger.predict(TOKENS) == tagger.model_.predict(TOKENS)


@pytest.mark.parametrize("labels", [[2, 10], [1.0, 2.0], [False, True], ["b", "a"]])
def test_probabilities_and_answers_go_by_classes(labels: list[Any]) -> None:
    y = [labels[name == "xy"] for name in LETTERS]
    classifier = SequenceClassifier(**GOOD).fit(WORDS, y)
    assert classifier.classes_.tolist() == sorted(labels)
    probabilities = classifier.predict_proba(WORDS)
    assert probabilities.sum(1) == pytest.approx(np.ones(24))
    assert classifier.classes_[probabilities.argmax(1)].tolist() == y
    assert classifier.predict(WORDS).tolist() == y


def test_the_probabilities_of_tags_go_by_classes() -> None:
    tagger = SequenceTagger(**GOOD).fit(TOKENS, TAGS)
    assert tagger.model_.task.target.names == ("other", "is a")  # the most frequent first
    assert tagger.classes_.tolist() == ["is a", "other"]
    (steps,) = tagger.predict_proba([["b", "a", "x"]])
    assert steps.argmax(1).tolist() == [1, 0, 1]
    assert steps.sum(1) == pytest.approx(np.ones(3))


def test_several_numbers_a_sample_are_answered_side_by_side() -> None:
    X = series()
    y = np.stack([[x[-1, 0], -10 * x[-1, 0]] for x in X])
    predicted = SequenceRegressor(**GOOD | {"epochs": 30}).fit(X, y).predict(X)
    assert predicted.shape == (24, 2)
    assert np.corrcoef(predicted[:, 0], y[:, 0])[0, 1] > 0.9
    assert np.corrcoef(predicted[:, 1], y[:, 1])[0, 1] > 0.9
    assert SequenceRegressor(**SMALL).fit(X, y[:, :1]).predict(X).shape == (24, 1)


def test_the_same_random_state_gives_the_same_numbers_twice_in_one_process() -> None:
    first, second, other = (
        SequenceClassifier(**SMALL | {"random_state": seed}).fit(WORDS, LETTERS)
        for seed in (5, 5, 6)
    )
    assert np.array_equal(first.predict_proba(WORDS), second.predict_proba(WORDS))
    assert not np.array_equal(first.predict_proba(WORDS), other.predict_proba(WORDS))
    assert first.result_.seed == 5


def test_without_a_random_state_the_global_generator_says_the_seed() -> None:
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


def test_sequences_of_unlike_lengths_are_cross_validated() -> None:
    X, y = series(), ["down", "up"] * 12
    estimator = SequenceClassifier(**GOOD)
    assert cross_val_score(estimator, X, y, cv=2, error_score="raise").mean() > 0.7
    found = cross_val_predict(clone(estimator), X, y, cv=2, method="predict_proba")
    assert found.shape == (24, 2)
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


def test_the_estimators_stand_at_the_end_of_a_pipeline() -> None:
    lower = FunctionTransformer(lambda words: [word.lower() for word in words])
    pipeline = make_pipeline(lower, SequenceClassifier(**GOOD))
    pipeline.fit([word.upper() for word in WORDS], LETTERS)
    assert pipeline.predict(["BaaB", "yXXy"]).tolist() == ["ab", "xy"]
    rows = np.arange(48.0).reshape(24, 2)
    scaled = make_pipeline(StandardScaler(), SequenceRegressor(epochs=2, random_state=1))
    assert scaled.fit(rows, rows[:, 0]).predict(rows).shape == (24,)


def test_settings_reach_the_experiment_and_parameters_left_out_are_chosen_by_the_task() -> None:
    settings = {"pooling": "attention", "data.input_options": {"lowercase": True}}
    classifier = SequenceClassifier(settings=settings, **SMALL).fit(WORDS, LETTERS)
    experiment = classifier.model_.experiment
    assert experiment.network.pooling == "attention"
    assert experiment.data.input_options == {"level": "character", "lowercase": True}
    assert (experiment.network.cell, experiment.network.bidirectional) == ("gru", True)
    assert classifier.result_.rows == {"train": 22, "valid": 2}
    half = SequenceClassifier(validation_fraction=0.5, **SMALL).fit(WORDS, LETTERS)
    assert half.result_.rows == {"train": 12, "valid": 12}


def test_a_run_is_kept_where_a_directory_is_given_and_not_written_over(tmp_path: Path) -> None:
    classifier = SequenceClassifier(directory=tmp_path / "run", **SMALL).fit(WORDS, LETTERS)
    assert elman.load(tmp_path / "run").predict(WORDS) == classifier.predict(WORDS).tolist()
    assert (tmp_path / "run" / "report.html").is_file()
    with pytest.raises(OptionError, match="holds a run already, and every fit is a run of its own"):
        classifier.fit(WORDS, LETTERS)


def test_progress_is_shown_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    SequenceClassifier(**SMALL).fit(WORDS, LETTERS)
    assert capsys.readouterr() == ("", "")
    SequenceClassifier(verbose=True, **SMALL).fit(WORDS, LETTERS)
    said = capsys.readouterr().err
    assert "input: characters; target: one of 2 labels → many-to-one" in said
    assert "SequenceClassifier: seed 1" in said


def test_the_columns_of_a_data_frame_keep_their_names_and_their_order() -> None:
    frame = pd.DataFrame({"age": np.arange(24.0), "port": ["Cork", "Kiel"] * 12})
    classifier = SequenceClassifier(epochs=2, random_state=1).fit(frame, LETTERS)
    assert classifier.feature_names_in_.tolist() == ["age", "port"]
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame[["port", "age"]])
    assert not hasattr(classifier.set_params(**SMALL).fit(WORDS, LETTERS), "feature_names_in_")
    with pytest.raises(DataError, match=re.escape("give its column: X[name]")):
        classifier.predict(frame)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("abc", "X must be a list of sequences or an array, one sequence a sample, got 'abc'"),
        (None, "X must be a list of sequences or an array, one sequence a sample, got None"),
        (["a"], "X must have at least 2 samples, got n_samples = 1"),
        (np.arange(24.0), "sample 0 is np.float64(0.0). For samples of one number each give two"),
        (["a", None] * 12, "and sample 1 is None."),
        (["a", ["b"]] * 12, "column 'X' mixes types: row 0 holds 'a' (str) and row 1 holds ['b']"),
        (WORDS[:-1], "must have equally many rows: 'X' has 23, 'y' has 24"),
        (csr_array(np.eye(24)), "a sparse matrix cannot be read, only dense numbers"),
        ([np.array([1.0, np.inf])] * 24, "holds [inf] at step 1, beyond the largest number"),
    ],
)
def test_an_x_that_cannot_be_read_is_refused_in_words(X: Any, words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        SequenceClassifier(**SMALL).fit(X, LETTERS)


@pytest.mark.parametrize(
    ("estimator", "y", "words"),
    [
        (SequenceClassifier, None, "requires y to be passed, but the target y is None"),
        (SequenceClassifier, ["ab"] * 24, "a target needs at least two classes, and all 24"),
        (SequenceClassifier, np.array(["a", 1] * 12, object), "of one type, got 'a' and 1"),
        (SequenceClassifier, ["", "b"] * 12, "row 0, column y: the label is missing"),
        (SequenceRegressor, [1e39] * 24, "beyond the largest number a network can take"),
        (SequenceTagger, ["V C V"] * 24, "that of sample 0 is the string 'V C V'; cut it first"),
        (SequenceTagger, [*TAGS[:-1], ["other"]], "row 23: X has 4 steps and y has 1"),
        (SequenceTagger, LETTERS, "that of sample 0 is the string 'ab'"),
        (SequenceTagger, range(24), "y must hold a sequence a sample"),
    ],
)
def test_a_y_that_cannot_be_learned_is_refused_in_words(estimator: Any, y: Any, words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        estimator(**SMALL).fit(TOKENS, y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"cell": "gur"}, "unknown cell 'gur'; did you mean 'gru'?"),
        ({"input_kind": "txt"}, "did you mean 'text'?"),
        ({"epochs": 0}, "training.epochs must be greater than or equal to 1, got 0"),
        ({"validation_fraction": 1.5}, "validation_fraction must lie between 0 and 1, got 1.5"),
        ({"random_state": -1}, "random_state must lie in 0 … 4294967295, got -1"),
        ({"settings": {"epochs": 3}}, "a parameter of its own: give SequenceClassifier(epochs=…)"),
        ({"settings": {"seed": 3}}, "give SequenceClassifier(random_state=…)"),
        ({"settings": {"poling": "max"}}, "unknown setting 'poling'; did you mean 'pooling'?"),
        ({"settings": {"data.name": "imdb"}}, "no meaning where X and y are handed over"),
        ({"settings": {"target_kind": "text"}}, "no meaning where X and y are handed over"),
    ],
)
def test_a_parameter_that_is_wrong_is_refused_in_words(
    parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(ElmanError, match=re.escape(words)):
        SequenceClassifier(**SMALL | parameters).fit(WORDS, LETTERS)


def test_what_has_not_been_fitted_says_so() -> None:
    with pytest.raises(NotFittedError, match="SequenceTagger instance is not fitted yet"):
        SequenceTagger().predict(TOKENS)


def test_tags_and_steps_of_unequal_number_are_not_scored() -> None:
    tagger = SequenceTagger(**SMALL).fit(TOKENS, TAGS)
    with pytest.raises(DataError, match="sample 1 has 2 steps in X and 1 tags in y"):
        tagger.score([["a"], ["a", "b"]], [["other"], ["other"]])
    with pytest.raises(DataError, match="X has 2 samples and y has 1"):
        tagger.score([["a"], ["a"]], [["other"]])


def test_without_scikit_learn_the_import_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("elman.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    load = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "sklearn":
            raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
        return load(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        importlib.import_module("elman.sklearn")


def test_the_guide_names_every_check_that_does_not_apply() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in NOT_FOR_CLASSIFIERS | NOT_FOR_TAGGERS if f"`{name}`" not in text] == []


def test_the_examples_of_the_guide_print_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL)
    assert len(examples) >= 3
    names: dict[str, Any] = {}
    for code, expected in examples:
        exec(compile(code, "the guide", "exec"), names)
        assert capsys.readouterr().out == expected
