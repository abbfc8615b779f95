"""What a plain installation cannot do: said before it is begun, with the command that helps."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.data.catalog.polyphonic import read_mat
from elman.data.sources import read_table
from elman.errors import MissingDependencyError
from elman.evaluation.translation import row_chrf, translation_scores
from elman.experiment import Experiment
from elman.features.byte_pairs import BytePairs
from elman.features.sound import read_sound, resample
from elman.music.midi import write_midi
from elman.networks.objectives.distributions import DISTRIBUTIONS, distribution_from_json
from elman.runs.run import run_experiment
from elman.runs.search import tune
from elman.runs.train import train
from elman.training.progress import LineProgress
from roads import WRITTEN_ROADS, travelled

ROLLS = "[data]\nname = 'chorales'\n[network]\ncell = 'simple'\nhidden_size = 3\n"
ROLLS += "[training]\nepochs = 1\nbatch_size = 64\naccelerator = 'cpu'\n"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Takes a package away, as if it had never been installed."""

    def take(package: str) -> None:
        for name in [name for name in sys.modules if name.startswith(f"{package}.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return take


def refused(extra: str) -> Any:
    return pytest.raises(MissingDependencyError, match=rf'pip install "elman\[{extra}\]"')


def test_a_sound_file_needs_soundfile_and_samples_do_not(without: Any) -> None:
    without("soundfile")
    with refused("audio"):
        read_sound(b"RIFF")
    assert read_sound((np.zeros(4), 8_000)).rate == 8_000


def test_another_rate_needs_scipy_and_the_same_rate_does_not(without: Any) -> None:
    without("scipy")
    samples = np.zeros((4, 1))
    with refused("audio"):
        resample(samples, 8_000, 16_000)
    assert resample(samples, 8_000, 8_000) is samples


def test_a_corpus_in_matlab_s_format_needs_scipy(without: Any) -> None:
    without("scipy")
    with refused("music"):
        read_mat({"x.mat": b""})


def test_music_is_not_written_without_mido(without: Any, tmp_path: Path) -> None:
    without("mido")
    with refused("music"):
        write_midi(np.eye(2, 88), tmp_path / "x.mid")
    assert list(tmp_path.iterdir()) == []


def test_texts_are_not_measured_without_sacrebleu(without: Any) -> None:
    without("sacrebleu")
    for measure in (translation_scores, row_chrf):
        with refused("translation"):
            measure(["ein Hund"], ["ein Hund"])


def test_a_search_needs_optuna_and_says_so_before_it_reads_anything(
    without: Any, tmp_path: Path
) -> None:
    without("optuna")
    with refused("tune"):
        tune(str(tmp_path / "missing.csv"), out=tmp_path / "search")
    assert list(tmp_path.iterdir()) == []


def test_a_spreadsheet_is_not_read_without_openpyxl(without: Any, tmp_path: Path) -> None:
    without("openpyxl")
    (tmp_path / "it.xlsx").write_bytes(b"PK")
    (tmp_path / "it.csv").write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
    with refused("excel"):
        read_table(tmp_path / "it.xlsx")
    assert len(read_table(tmp_path / "it.csv")) == 2


def test_byte_pairs_are_not_learned_without_tokenizers(without: Any) -> None:
    without("tokenizers")
    with refused("translation"):
        BytePairs.learn(["ein Hund"], max_size=300, min_count=2)
    with refused("translation"):
        BytePairs(["<unknown>"], [])


def test_the_distributions_whose_quantiles_are_scipy_s_are_made_with_it_alone(without: Any) -> None:
    without("scipy")
    need_it = {"student-t", "negative-binomial"}
    for name in need_it:
        with refused("forecast"):
            distribution_from_json({"name": name})
    for name in DISTRIBUTIONS.keys() - need_it:
        assert distribution_from_json({"name": name}).name == name


@pytest.mark.usefixtures("pages")
def test_a_run_whose_scores_need_an_extra_fails_before_anything_is_written(
    without: Any, tmp_path: Path
) -> None:
    without("sacrebleu")
    with refused("translation"):
        travelled(WRITTEN_ROADS["a sentence to another"], tmp_path)
    assert not (tmp_path / "run").exists()
    travelled(WRITTEN_ROADS["letters to letters"], tmp_path)
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.usefixtures("pages")
def test_a_page_without_mido_has_no_music_and_says_which_extra_brings_it(
    without: Any, tmp_path: Path
) -> None:
    without("mido")
    screen = io.StringIO()
    run_experiment(Experiment.from_toml(ROLLS), tmp_path / "run", progress=LineProgress(screen))
    assert 'needs the package mido; install it with pip install "elman[music]"' in screen.getvalue()
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "data:audio/midi" not in page
    assert "Without the package mido" in page


def test_a_forecast_by_a_distribution_of_scipy_s_fails_before_anything_is_written(
    without: Any, tmp_path: Path
) -> None:
    without("scipy")
    rows = "".join(f"2024-{1 + day // 28:02}-{1 + day % 28:02},{day % 7}\n" for day in range(90))
    (tmp_path / "days.csv").write_text(f"day,y\n{rows}", encoding="utf-8")
    asked: dict[str, Any] = {"time": "day", "target": "y", "horizon": 4, "epochs": 1}
    asked |= {"forecast.distribution": "student-t", "hidden_size": 3, "accelerator": "cpu"}
    with refused("forecast"):
        train(str(tmp_path / "days.csv"), out=tmp_path / "run", **asked)
    assert not (tmp_path / "run").exists()
