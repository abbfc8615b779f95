"""Writes the pages of results: `python benchmarks/run.py [PAGE] [OPTIONS]`, `cpu` without PAGE."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import torch

import checking
import chung
import cpu
import decoding
import double_backward
import forecasting
import layers
import mixed
import parallel
import quality
import reading
import reversing
import series
import whole_trainings
from cpu_worker import PARTS
from training_sets import RECIPES

RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path(__file__).parent.parent / "build" / "quick"
ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run the tests of the timed code, then write one page."""
    arguments = _arguments()
    results = QUICK_RESULTS if arguments.quick else RESULTS
    results.mkdir(exist_ok=True, parents=True)
    if arguments.timed and not arguments.quick and not _tests_are_green():
        sys.stderr.write("Tests fail: nothing is timed.\n")
        return 1
    text, complete = arguments.page(arguments)
    path = results / f"{arguments.name}.md"
    note = f"{arguments.note}\n\n" if arguments.note else ""
    path.write_text(f"{text}\n{note}Remade by `{_command()}`.\n", encoding="utf-8")
    print(f"{text}\nwritten to {path.relative_to(ROOT)}")
    return 0 if complete else 1


def _tests_are_green() -> bool:
    tests = [str(ROOT / "tests" / part) for part in ("cells", "sequence", "layers")]
    return not subprocess.call([sys.executable, "-m", "pytest", "-q", "-m", "not slow", *tests])


def _cpu(arguments: argparse.Namespace) -> tuple[str, bool]:
    return cpu.remake(
        arguments.parts,
        arguments.threads,
        quick=arguments.quick,
        command=_command(),
        stored=(QUICK_RESULTS if arguments.quick else RESULTS) / "cpu.json",
        written=RESULTS / "cpu.toml",
    )


def _training(arguments: argparse.Namespace) -> tuple[str, bool]:
    return whole_trainings.remake(
        arguments.sets,
        arguments.threads,
        quick=arguments.quick,
        command=shlex.join(["python", "benchmarks/run.py", *sys.argv[1:]]),
        stored=(QUICK_RESULTS if arguments.quick else RESULTS) / "training.json",
    )


def _layers(arguments: argparse.Namespace) -> tuple[str, bool]:
    torch.set_num_threads(arguments.threads)
    return layers.page(rounds=arguments.rounds), True


def _double_backward(arguments: argparse.Namespace) -> tuple[str, bool]:
    return double_backward.page(threads=arguments.threads, rounds=arguments.rounds), True


def _parallel(arguments: argparse.Namespace) -> tuple[str, bool]:
    torch.set_num_threads(arguments.threads)
    return parallel.page(rounds=arguments.rounds), True


def _chung(arguments: argparse.Namespace) -> tuple[str, bool]:
    page = chung.page(runs=arguments.runs, experiments=arguments.experiments, seeds=arguments.seeds)
    return page, True


def _quality(arguments: argparse.Namespace) -> tuple[str, bool]:
    page = quality.page(
        runs=arguments.runs,
        recipes=arguments.recipes,
        defaults=arguments.defaults,
    )
    return page, True


def _mixed(arguments: argparse.Namespace) -> tuple[str, bool]:
    return mixed.page(runs=arguments.runs, sets=arguments.sets, seeds=arguments.seeds), True


def _forecasting(arguments: argparse.Namespace) -> tuple[str, bool]:
    torch.set_num_threads(1)
    page = forecasting.page(
        runs=arguments.runs,
        sets=arguments.sets,
        seeds=arguments.seeds,
        panels=arguments.panels,
        neural=arguments.neural,
    )
    return page, True


def _series(arguments: argparse.Namespace) -> tuple[str, bool]:
    return series.page(runs=arguments.runs, sets=arguments.sets, seeds=arguments.seeds), True


def _reversing(arguments: argparse.Namespace) -> tuple[str, bool]:
    return reversing.page(arguments.runs), True


def _reading(arguments: argparse.Namespace) -> tuple[str, bool]:
    return reading.page(rounds=arguments.rounds), True


def _checking(arguments: argparse.Namespace) -> tuple[str, bool]:
    return checking.page(rounds=arguments.rounds), True


def _decoding(arguments: argparse.Namespace) -> tuple[str, bool]:
    page = decoding.page(arguments.run, threads=arguments.threads, rounds=arguments.rounds)
    return page, True


def _parts(text: str) -> list[str]:
    """Read names of parts, with commas between; `none` measures nothing."""
    parts = [] if text == "none" else text.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown part {unknown[0]!r}. Known parts: {', '.join(PARTS)}; or none, to write "
            "the page again from what is stored."
        )
    return parts


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.set_defaults(quick=False)
    pages = parser.add_subparsers(dest="name", required=True)

    page = pages.add_parser("cpu", help="every cell beside its peers, and the kernels' goals")
    page.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default 1 2")
    page.add_argument("--parts", type=_parts, default=list(PARTS), help="with commas, or none")
    page.add_argument("--quick", action="store_true", help="tiny sizes, to try the benchmark")
    page.set_defaults(page=_cpu)

    page = pages.add_parser("training", help="whole trainings beside PyTorch and Keras")
    names = list(RECIPES)
    page.add_argument("--sets", nargs="*", choices=names, default=names, help="which ones, or none")
    page.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default 1 2")
    page.add_argument("--quick", action="store_true", help="short bursts, to try the benchmark")
    page.set_defaults(page=_training)

    page = pages.add_parser("layers", help="Elman's layers timed beside torch.nn's")
    page.add_argument("--threads", type=int, default=1, help="of PyTorch; default 1")
    page.add_argument("--rounds", type=int, default=15, help="of timing; default 15")
    page.set_defaults(page=_layers)

    page = pages.add_parser("double_backward", help="gradients of gradients beside torch.nn")
    page.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default 1 2")
    page.add_argument("--rounds", type=int, default=5, help="of timing; default 5")
    page.set_defaults(page=_double_backward)

    page = pages.add_parser("parallel", help="cells with parallel time beside the GRU")
    page.add_argument("--threads", type=int, default=1, help="of PyTorch; default 1")
    page.add_argument("--rounds", type=int, default=7, help="of timing; default 7")
    page.set_defaults(page=_parallel)

    page = pages.add_parser("reading", help="tables read, beside pandas, polars and Arrow")
    page.add_argument("--rounds", type=int, default=7, help="of timing; default 7")
    page.set_defaults(page=_reading)

    page = pages.add_parser("checking", help="tables checked before training")
    page.add_argument("--rounds", type=int, default=3, help="of timing; default 3")
    page.set_defaults(page=_checking)

    page = pages.add_parser("chung", help="the cells on four corpora of music (about an hour)")
    page.add_argument("--seeds", type=int, default=3, help="of the comparison; default 3")
    names = list(chung.EXPERIMENTS)
    page.add_argument("--experiments", nargs="+", choices=names, default=names, help="which ones")
    page.add_argument("--runs", type=Path, default=ROOT / "runs", help="where the runs go")
    page.set_defaults(page=_chung)

    page = pages.add_parser("quality", help="what the recipes reach (hours)")
    names = list(quality.GOALS)
    page.add_argument("--recipes", nargs="+", choices=names, default=names, help="which ones")
    page.add_argument(
        "--defaults",
        nargs="+",
        choices=quality.WITH_DEFAULTS,
        default=[],
        help="recipes to be trained once more with nothing but their columns said",
    )
    page.add_argument("--runs", type=Path, default=ROOT / "runs" / "quality", help="where to")
    page.set_defaults(page=_quality)

    page = pages.add_parser("mixed", help="tables of columns of several kinds (hours)")
    names = list(mixed.NAMES)
    page.add_argument("--sets", nargs="+", choices=names, default=names, help="which ones")
    page.add_argument("--seeds", type=int, default=3, help="how many; default 3")
    page.add_argument("--runs", type=Path, default=ROOT / "runs" / "mixed", help="where to")
    page.set_defaults(page=_mixed)

    page = pages.add_parser("forecasting", help="forecasts beside statistical models (an hour)")
    names = list(forecasting.REAL)
    page.add_argument("--sets", nargs="+", choices=names, default=names, help="which sets")
    page.add_argument("--panels", nargs="*", type=Path, default=[], help="files of many series")
    page.add_argument(
        "--neural", action="store_true", help="LSTM and DeepAR of neuralforecast, too"
    )
    page.add_argument("--seeds", type=int, default=3, help="seeds of each set")
    page.add_argument("--runs", type=Path, default=ROOT / "runs" / "forecasting", help="where to")
    page.set_defaults(page=_forecasting)
    page = pages.add_parser("series", help="few or long series with one answer each (hours)")
    names = list(series.GOALS)
    page.add_argument("--sets", nargs="+", choices=names, default=names, help="which ones")
    page.add_argument("--seeds", type=int, default=5, help="how many; default 5")
    page.add_argument("--runs", type=Path, default=ROOT / "runs" / "series", help="where to")
    page.set_defaults(page=_series)

    page = pages.add_parser("reversing", help="reverse and sort, with and without attention")
    page.add_argument("--runs", type=Path, default=ROOT / "runs" / "reversing", help="where to")
    page.set_defaults(page=_reversing)

    page = pages.add_parser("decoding", help="sentences a second, one by one and in batches")
    page.add_argument("run", type=Path, help="run of the recipe `translation`")
    page.add_argument("--threads", type=int, default=1, help="of PyTorch; default 1")
    page.add_argument("--rounds", type=int, default=3, help="of timing; default 3")
    page.set_defaults(page=_decoding)

    for page in pages.choices.values():
        page.add_argument("--note", default="", help="a sentence to put on the page")
    arguments = parser.parse_args(sys.argv[1:] or ["cpu"])
    is_timed = arguments.name in ("layers", "double_backward", "parallel")
    arguments.timed = is_timed or bool(getattr(arguments, "parts", []))
    return arguments


def _command() -> str:
    """Return the command that remakes a page, wherever its runs are kept."""
    words = sys.argv[1:]
    if "--runs" in words:
        place = words.index("--runs")
        words = [*words[:place], *words[place + 2 :]]
    if words[:1] == ["training"] and "--quick" not in words:
        words = words[:1]  # the page is of all runs that are stored, whichever came last
    return shlex.join(["python", "benchmarks/run.py", *words])


if __name__ == "__main__":
    sys.exit(main())
