"""The classes of errors, and the message for an unknown name."""

from __future__ import annotations

import os
import sys

import pytest

from elman import errors
from elman.errors import ElmanError, OptionError, import_extra, unknown


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("ShapeError", ValueError),
        ("ShapeError", RuntimeError),
        ("InputTypeError", errors.ShapeError),
        ("InputTypeError", TypeError),
        ("InputTypeError", AttributeError),
        ("OptionError", ValueError),
        ("OptionError", RuntimeError),
        ("OptionTypeError", errors.OptionError),
        ("OptionTypeError", TypeError),
        ("BackendError", RuntimeError),
        ("DataError", ValueError),
        ("CheckpointError", ValueError),
        ("ExperimentError", ValueError),
        ("MissingDependencyError", ModuleNotFoundError),
        ("PluginError", ImportError),
    ],
)
def test_every_error_is_elmans_and_one_of_pythons(name: str, also: type[Exception]) -> None:
    error = getattr(errors, name)
    assert issubclass(error, ElmanError)
    assert issubclass(error, also)


@pytest.mark.parametrize(
    ("kind", "name", "known", "words"),
    [
        ("cell", "gur", "gru lstm", "unknown cell 'gur'; did you mean 'gru'? Known cells: gru, ls"),
        ("cell", "xyz", "lstm gru", "unknown cell 'xyz'. Known cells: gru, lstm."),
        ("nonlinearity", "a", "tanh", "unknown nonlinearity 'a'. Known nonlinearities: tanh."),
        ("key", "sed", "seed", "unknown key 'sed'; did you mean 'seed'? Known keys: seed."),
        ("data set", 3, "chorales", "unknown data set 3. Known data sets: chorales."),
    ],
)
def test_an_unknown_name_is_reported_with_the_nearest_and_all_known_names(
    kind: str, name: object, known: str, words: str
) -> None:
    error = unknown(kind, name, known.split())
    assert type(error) is OptionError
    assert str(error).startswith(words)


def test_an_unknown_name_may_be_an_error_of_another_class() -> None:
    assert type(unknown("recipe", "x", ["y"], error=errors.DataError)) is errors.DataError


def test_the_plural_of_a_kind_of_something_is_kinds_of_it() -> None:
    assert "Known output suffixes: .csv." in str(unknown("output suffix", ".cvs", [".csv"]))
    assert "Known kinds of column: text." in str(unknown("kind of column", "txt", ["text"]))


def test_of_many_names_the_most_similar_ones_are_listed() -> None:
    names = [f"training.setting_{number}" for number in range(60)] + ["network.hidden_size"]
    message = str(unknown("setting", "network.hiden_size", names))
    assert "did you mean 'network.hidden_size'?" in message
    assert len(message) < 250


def test_an_installed_module_is_imported() -> None:
    assert import_extra("os.path", "any", "a test") is os.path


def test_a_package_of_an_extra_that_is_missing_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(errors.MissingDependencyError) as refusal:
        import_extra("mido", "music", "writing music as MIDI")
    assert str(refusal.value) == (
        "writing music as MIDI needs the package mido, which cannot be imported (import of mido "
        'halted; None in sys.modules). Install it: pip install "elman[music]".'
    )
    assert refusal.value.name == "mido"
