"""The estimators: a classifier, a regressor and a tagger of sequences."""

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

from elman.data.sources.frames import is_frame
from elman.errors import DataError
from elman.sklearn.base import SequenceEstimator, refuse_no_target, refuse_several_targets
from elman.sklearn.columns import sequences, without_wrapper


class SequenceClassifier(ClassifierMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that predicts the class of a sequence.

    X is one of

        a list of strings                   texts of words, or single words of characters
        a list of lists of strings          tokens
        a list of arrays (T,) or (T, I)     numbers over time; T may differ between samples
        an array (N, T, I)                  numbers over time, T steps each
        an array (N, F)                     rows of F numbers, no sequences: one-to-one
        a data frame                        its columns, of any kinds

    The rows of an array (N, F) have no steps and are read by dense layers. To read them as
    sequences of one number a step, set `input_kind="series"`. NaN is a missing number.

    Parameters that are None are chosen to suit the data, as in `elman.train`; `model_.experiment`
    holds the choices.

    Args:
        cell: simple, lstm, gru, mingru, minlstm, lru or slstm.
        hidden_size: hidden size H of every recurrent layer, or a list with one a layer.
        num_layers: number of recurrent layers, L.
        bidirectional: whether a second stack of layers reads every sequence backwards.
        dropout: dropout probability between recurrent layers.
        epochs: maximum number of epochs.
        learning_rate: peak learning rate.
        batch_size: number of samples a batch.
        patience: number of epochs without improvement before training stops; 0 for never.
        validation_fraction: share of the samples used for validation, with equal shares of each
            class; the network is not trained on them.
        input_kind: kind of X, inferred by default: `text:char`, `symbols`, `series`, …; see
            `elman.features`.
        settings: any other setting of an `Experiment`, by name: `{"pooling": "attention"}`.
        random_state: random seed of weights, batches, dropout and the choice of validation
            samples; None samples one from NumPy's global generator. The same seed gives the same
            numbers.
        directory: directory for the run, its learning curve and its model; None keeps no files.
        verbose: whether progress is shown on stderr.

    Attributes:
        classes_: the classes, sorted, (K,).
        model_: the trained `elman.Model`.
        result_: the `elman.runs.run.RunResult`: learning curve, scores on the validation samples,
            notes.
        n_features_in_: F, or I for numbers over time; not set for strings and tokens.
        feature_names_in_: names of a data frame's columns.

    >>> words = ["aba", "abba", "bab", "xyx", "yxy", "xyyx"] * 4
    >>> letters = SequenceClassifier(hidden_size=8, epochs=20, batch_size=4, random_state=1)
    >>> letters.fit(words, ["ab", "ab", "ab", "xy", "xy", "xy"] * 4).predict(["baab", "yyx"])
    array(['ab', 'xy'], dtype='<U2')
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: the N samples.
            y: the class of each, (N,): strings, whole numbers, or true and false.

        Raises:
            DataError: a value cannot be read, or there are too few samples or classes.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        refuse_several_targets(self, y)
        inputs = self._inputs(X)
        y = _classes(y)
        self._train(inputs, {"y": y}, "category")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each sample, (N,)."""
        predictions = self._predict(X)
        target: Any = self.model_.task.target
        index_of = {name: index for index, name in enumerate(target.names)}
        return self.classes_[[index_of[prediction] for prediction in predictions]]

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, (N, K), in the order of `classes_`."""
        _, probabilities = self._predict(X, probabilities=True)
        return np.stack(probabilities)


class SequenceRegressor(RegressorMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that predicts one or several numbers for a sequence.

    X, the parameters and the attributes are those of `SequenceClassifier`, except `classes_`.
    y is standardised by the training samples; predictions are in its own unit.

    >>> rises = np.arange(12.0)[:, None, None] * np.linspace(0, 1, 5)[None, :, None]
    >>> last = SequenceRegressor(hidden_size=8, epochs=60, batch_size=4, random_state=1)
    >>> bool(last.fit(rises, rises[:, -1, 0]).score(rises, rises[:, -1, 0]) > 0.9)
    True
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Train a network.

        Args:
            X: the N samples.
            y: the target of each, (N,), or several, (N, O).

        Raises:
            DataError: a value cannot be read, or there are too few samples.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        inputs = self._inputs(X)
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        numbers = y.reshape(len(y), -1)
        count = numbers.shape[1]
        names = ["y"] if count == 1 else [f"y{place}" for place in range(count)]
        self._train(inputs, dict(zip(names, numbers.T, strict=True)), "number")
        self._target_shape = y.shape[1:]
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the prediction for each sample, (N,) or (N, O), with the shape of y in `fit`."""
        predictions = np.asarray(self._predict(X), dtype=np.float64)
        return predictions.reshape(len(predictions), *self._target_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class SequenceTagger(SequenceEstimator):
    """A recurrent network that predicts a tag for every step of a sequence.

    X and the parameters are those of `SequenceClassifier`, but an array (N, T) is N sequences of
    one number a step. y has one tag for every step of X. `settings={"objective": "crf"}` adds a
    linear-chain CRF, which makes the tags of a sequence depend on each other.

    Attributes:
        classes_: the tags, sorted, (K,).
        model_: the trained `elman.Model`; the other attributes are those of `SequenceClassifier`.

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
            X: the N samples.
            y: the tags of each: a list with one a step, strings or whole numbers.

        Raises:
            DataError: a value cannot be read, a sample has more or fewer tags than steps, or there
                are too few samples or tags.
            OptionError, ExperimentError: a parameter or a setting is wrong.
        """
        refuse_no_target(self, y)
        if is_frame(y):  # an array of two axes holds a tag a step
            refuse_several_targets(self, y)
        inputs = self._inputs(X)
        self._train(inputs, {"y": _tags(y)}, "symbols")
        target: Any = self.model_.task.target
        self.classes_ = np.array(sorted(target.names))
        return self

    def predict(self, X: Any) -> list[list[Any]]:
        """Return the tags of each sample, one a step."""
        predictions: list[list[Any]] = self._predict(X)
        return predictions

    def predict_proba(self, X: Any) -> list[NDArray[np.float32]]:
        """Return the probability of each tag, (T, K) a sample, in the order of `classes_`.

        Raises:
            OptionError: the objective gives no probabilities.
        """
        _, probabilities = self._predict(X, probabilities=True)
        target: Any = self.model_.task.target
        order = np.argsort(np.array(target.names))
        return [steps[:, order] for steps in probabilities]

    def score(self, X: Any, y: Any) -> float:
        """Return the share of all steps whose predicted tag is correct.

        Raises:
            DataError: a sample has more or fewer tags than steps.
        """
        predictions, targets = self.predict(X), _tags(y)
        if len(predictions) != len(targets):
            raise DataError(
                f"X and y must have equally many samples, got {len(predictions)} and "
                f"{len(targets)}."
            )
        correct = steps = 0
        for row, (predicted, tags) in enumerate(zip(predictions, targets, strict=True)):
            if len(predicted) != len(tags):
                raise DataError(
                    f"each sample must have one tag a step; sample {row} has {len(predicted)} "
                    f"steps in X and {len(tags)} tags in y."
                )
            correct += sum(a == b for a, b in zip(predicted, tags, strict=True))
            steps += len(tags)
        if not steps:
            raise DataError(f"the {len(y)} samples have no steps, so there is nothing to score.")
        return correct / steps


def _classes(y: Any) -> NDArray[Any]:
    """Check that y is one class a sample, (N,)."""
    classes: NDArray[Any] = column_or_1d(y, warn=True)
    classes = check_array(classes, ensure_2d=False, dtype=None, input_name="y")
    examples = {type(name): name for name in classes.tolist()}
    if len(examples) > 1:
        one, other = list(examples.values())[:2]
        raise DataError(
            f"the classes in y must be of one type, got {one!r} and {other!r}; make them one type."
        )
    check_classification_targets(classes)
    return classes


def _tags(y: Any) -> Sequence[Any]:
    """Check that y holds one list of tags a sample."""
    y = without_wrapper(y)
    checked: Sequence[Any] = sequences(y, "y")
    for row, tags in enumerate(checked):
        if isinstance(tags, str | bytes):
            raise DataError(
                f"y must hold a list of tags a sample, but sample {row} has the string {tags!r}; "
                "split it first, for example with .split()."
            )
    return checked
