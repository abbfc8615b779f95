"""Trained runs for the verbs that need one."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.experiment import Experiment
from elman.runs.run import run_experiment
from roads import NEXT_CHARACTER, ROADS, travelled

TINY = """
[data]
name = "chorales"
[network]
cell = "simple"
hidden_size = 3
[training]
epochs = 1
batch_size = 64
accelerator = "cpu"
"""


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "trained"
    run_experiment(Experiment.from_toml(TINY), directory)
    return directory


@pytest.fixture(scope="session")
def reviews_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts to one of two classes."""
    folder = tmp_path_factory.mktemp("reviews")
    travelled(ROADS["text to a class"], folder)
    return folder / "run"


@pytest.fixture(scope="session")
def houses_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Measurements to a number."""
    folder = tmp_path_factory.mktemp("houses")
    travelled(ROADS["measurements to a number"], folder)
    return folder / "run"


@pytest.fixture(scope="session")
def song_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next character of a text."""
    folder = tmp_path_factory.mktemp("song")
    travelled(NEXT_CHARACTER, folder)
    return folder / "run"
