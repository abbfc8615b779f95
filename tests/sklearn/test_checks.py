"""scikit-learn estimators: scikit-learn's own checks, and the exceptions in the guide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from elman.sklearn import SequenceClassifier, SequenceRegressor, SequenceTagger

GUIDE = Path(__file__).parents[2] / "docs" / "scikit-learn.md"

LISTS_ARE_SEQUENCES = "a list of lists is a list of sequences, so X.T is two sequences, and read"
TAGS_ARE_NESTED = "y is a list of tags for every sample, and the check passes a number for each"

NOT_FOR_CLASSIFIERS = {"check_classifiers_train": LISTS_ARE_SEQUENCES}
STEPLESS = "an array (N, 0) is N sequences without steps, which a tagger accepts"
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


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, SequenceTagger):
        return NOT_FOR_TAGGERS
    return NOT_FOR_CLASSIFIERS if isinstance(estimator, SequenceClassifier) else {}


@pytest.mark.sampled(4)
@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures)
def test_an_estimator_passes_the_check_of_scikit_learn(estimator: Any, check: Any) -> None:
    if check.func.__name__ == "check_regressors_train":  # it needs a good fit
        estimator.set_params(epochs=16, batch_size=8)
    check(estimator)


def test_the_guide_names_every_check_that_does_not_apply() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in NOT_FOR_CLASSIFIERS | NOT_FOR_TAGGERS if f"`{name}`" not in text] == []


@pytest.mark.slow
def test_the_examples_of_the_guide_print_the_output_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL)
    assert len(examples) >= 3
    names: dict[str, Any] = {}
    for code, expected in examples:
        exec(compile(code, "the guide", "exec"), names)
        assert capsys.readouterr().out == expected
