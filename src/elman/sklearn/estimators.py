"""One estimator a kind of answer: a class or a number a sequence, a tag a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import (
    check_classification_targets,
)
from sklearn.utils.validation import check_array, column_or_1d

from elman.errors import DataError
from elman.sklearn.base import SequenceEstimator, refuse_no_target
from elman.sklearn.columns import sequences, without_wrapper


class SequenceClassifier(ClassifierMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that says which class a sequence is of.

    X is one of

        a list of strings                   read word by word, or single words letter by letter
        a list of lists of strings          tokens
        a list of arrays (T,) or (T, I)     numbers over time, T of each sample's own
        an array (N, T, I)                  likewise, all of T steps
        an array (N, F)                     no sequences: rows of numbers, one-to-one
        a data frame                        its columns, of whatever kinds they are

    A sample without steps is a row of numbers, so an array (N, F) is read by dense layers. To read
    its rows as sequences of one number a step, say `input_kind="series"`. NaN is a missing number.

    A parameter that is None is chosen to suit the data, as `elman.train` does; `model_.experiment`
    says what was chosen.

    Args:
        cell: simple, lstm or gru.
        hidden_size: units of every recurrent layer, H, or a list with one number a layer.
        num_layers: recurrent layers, L.
        bidirectional: whether a second stack reads every sequence backwards.
        dropout: probability, between recurrent layers.
        epochs: greatest number of passes over the samples.
        learning_rate: step size at its highest.
        batch_size: samples a batch.
        patience: training stops after so many epochs without a new best; 0 for never.
        validation_fraction: share of the samples that weights are selected by, classes in equal
            shares; nothing is learned from them.
        input_kind: what X is, where it is not to be inferred: `text:char`, `symbols`, `series`, …;
            see `elman.features`.
        settings: any other setting of an `Experiment`, by name: `{"pooling": "attention"}`.
        random_state: the seed of weights, batches, dropout and validation samples; None draws one
            from NumPy's global generator. The same seed gives the same numbers.
        directory: where the run is kept, its learning curve and its model; None keeps no files.
        verbose: whether progress is shown on stderr.

    Attributes:
        classes_: the classes, in order, (K,).
        model_: the trained `elman.Model`.
        result_: the `elman.runs.run.RunResult`: learning curve, scores on the validation samples,
            notes.
        n_features_in_: F, or I of numbers over time; not there for strings and tokens.
        feature_names_in_: names of a data frame's columns.

    >>> words = ["aba", "abba", "bab", "xyx", "yxy", "xyyx"] * 4
    >>> letters = SequenceClassifier(hidden_size=8, epochs=20, batch_size=4, random_state=1)
    >>> letters.fit(words, ["ab", "ab", "ab", "xy", "xy", "xy"] * 4).predict(["baab", "yyx"])
    array(['ab', 'xy'], dtype='<U2')
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: the samples, N of them.
            y: the class of each, (N,): strings, whole numbers, or true and false.

        Raises:
            DataError: a value cannot be taken, or there are too few samples or classes.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        inputs = self._inputs(X)
        y = _labels(y)
        self._train(inputs, {"y": y}, "category")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each sample, (N,)."""
        answers = self._answers(X)
        target: Any = self.model_.task.target
        place = {name: index for index, name in enumerate(target.names)}
        return self.classes_[[place[answer] for answer in answers]]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, (N, K), in the order of `classes_`."""
        _, probabilities = self._answers(X, probabilities=True)
        return np.stack(probabilities)


class SequenceRegressor(RegressorMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that answers a sequence with a number, or with several.

    X, the parameters and the attributes are those of `SequenceClassifier`, but for `classes_`.
    y is scaled by what the samples that are learned from show; answers are in its own unit.

    >>> rises = np.arange(12.0)[:, None, None] * np.linspace(0, 1, 5)[None, :, None]
    >>> last = SequenceRegressor(hidden_size=8, epochs=60, batch_size=4, random_state=1)
    >>> bool(last.fit(rises, rises[:, -1, 0]).score(rises, rises[:, -1, 0]) > 0.9)
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: the samples, N of them.
            y: the number of each, (N,), or several, (N, O).

        Raises:
            DataError: a value cannot be taken, or there are too few samples.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        inputs = self._inputs(X)
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        numbers = y.reshape(len(y), -1)
        count = numbers.shape[1]
        names = ["y"] if count == 1 else [f"y{place}" for place in range(count)]
        self._train(inputs, dict(zip(names, numbers.T, strict=True)), "number")
        self._answer_shape = y.shape[1:]
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the number of each sample, (N,), or several, (N, O), as y was for `fit`."""
        answers = self._answers(X)
        return np.asarray(answers, dtype=np.float64).reshape(len(answers), *self._answer_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class SequenceTagger(SequenceEstimator):
    """A recurrent network that gives every step of a sequence a tag.

    X and the parameters are those of `SequenceClassifier`, but an array (N, T) is N sequences of
    one number a step. y has as many tags a sample as X has steps. `settings={"objective": "crf"}`
    makes the tags of a sequence depend on each other.

    Attributes:
        classes_: the tags, in order, (K,).
        model_: as for `SequenceClassifier`; and so the others.

    >>> words = [["the", "cat", "sat"], ["a", "dog", "ran"], ["dogs", "ran"]] * 4
    >>> tags = [["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"], ["NOUN", "VERB"]] * 4
    >>> tagger = SequenceTagger(hidden_size=8, epochs=20, batch_size=4, random_state=1)
    >>> tagger.fit(words, tags).predict([["the", "dog", "sat"], ["dogs", "ran"]])
    [['DET', 'NOUN', 'VERB'], ['NOUN', 'VERB']]
    """

    _reads_rows = False

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: the samples, N of them.
            y: the tags of each: a list with one a step, strings or whole numbers.

        Raises:
            DataError: a value cannot be taken, a sample has more or fewer tags than steps, or
                there are too few samples or tags.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        inputs = self._inputs(X)
        self._train(inputs, {"y": _tags(y)}, "symbols")
        target: Any = self.model_.task.target
        self.classes_ = np.array(sorted(target.names))
        return self

    def predict(self, X: Any) -> list[list[Any]]:
        """Return the tags of each sample, one a step."""
        answers: list[list[Any]] = self._answers(X)
        return answers

    def predict_proba(self, X: Any) -> list[NDArray[np.float32]]:
        """Return the probability of each tag at each step, (T, K) a sample, as `classes_` orders.

        Raises:
            OptionError: the objective gives no probabilities.
        """
        _, probabilities = self._answers(X, probabilities=True)
        target: Any = self.model_.task.target
        order = np.argsort(np.array(target.names))
        return [steps[:, order] for steps in probabilities]

    def score(self, X: Any, y: Any) -> float:
        """Return the share of all steps whose tag is right.

        Raises:
            DataError: a sample has more or fewer tags than steps.
        """
        answers, truths = self.predict(X), _tags(y)
        if len(answers) != len(truths):
            raise DataError(f"X has {len(answers)} samples and y has {len(truths)}; give as many.")
        right = steps = 0
        for row, (found, true) in enumerate(zip(answers, truths, strict=True)):
            if len(found) != len(true):
                raise DataError(
                    f"sample {row} has {len(found)} steps in X and {len(true)} tags in y, and "
                    "they must be equally many."
                )
            right += sum(a == b for a, b in zip(found, true, strict=True))
            steps += len(true)
        if not steps:
            raise DataError(f"there is no step in the {len(y)} samples; give some to be scored.")
        return right / steps


def _labels(y: Any) -> NDArray[Any]:
    """Check that y is a label a sample, (N,)."""
    labels: NDArray[Any] = column_or_1d(y, warn=True)
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name="y")
    examples = {type(label): label for label in labels.tolist()}
    if len(examples) > 1:
        one, other = list(examples.values())[:2]
        raise DataError(
            f"the labels of y must be of one type, got {one!r} and {other!r}; write them alike."
        )
    check_classification_targets(labels)
    return labels


def _tags(y: Any) -> Sequence[Any]:
    """Check that y is a list of tags a sample."""
    y = without_wrapper(y)
    checked: Sequence[Any] = sequences(y, "y")
    for row, tags in enumerate(checked):
        if isinstance(tags, str | bytes):
            raise DataError(
                f"y must be a list of tags a sample, and that of sample {row} is the string "
                f"{tags!r}; cut it first, as by .split()."
            )
    return checked
