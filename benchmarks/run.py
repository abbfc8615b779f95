"""Remakes the pages of results: `python benchmarks/run.py [PAGE] [--threads N] [--rounds N]`."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import torch

import chung
import layers

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent
PAGES = {
    "layers": "Elman's layers timed beside torch.nn's",
    "chung": "the cells compared on four corpora of music (about an hour)",
}


def main() -> int:
    """Run the tests of what is timed, then remake one page."""
    arguments = _arguments()
    if arguments.page == "chung":
        text = chung.page(
            runs=arguments.runs, experiments=arguments.experiments, seeds=arguments.seeds
        )
    else:
        tests = [str(ROOT / "tests" / part) for part in ("cells", "sequence", "layers")]
        if subprocess.call([sys.executable, "-m", "pytest", "-q", "-m", "not slow", *tests]):
            sys.stderr.write("The tests are red: nothing is timed.\n")
            return 1
        torch.set_num_threads(arguments.threads)
        text = layers.page(rounds=arguments.rounds)
    path = RESULTS / f"{arguments.page}.md"
    path.parent.mkdir(exist_ok=True)
    note = f"{arguments.note}\n\n" if arguments.note else ""
    path.write_text(f"{text}\n{note}Remade by `{_command()}`.\n", encoding="utf-8")
    print(f"{text}\nwritten to {path.relative_to(ROOT)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", default="layers", choices=PAGES, help=str(PAGES))
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch; default 1")
    parser.add_argument("--rounds", type=int, default=15, help="of timing; default 15")
    parser.add_argument("--seeds", type=int, default=3, help="of the comparison; default 3")
    parser.add_argument(
        "--experiments",
        nargs="+",
        choices=chung.EXPERIMENTS,
        default=list(chung.EXPERIMENTS),
        help="of the comparison",
    )
    parser.add_argument("--note", default="", help="a sentence to put on the page")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="where the runs go")
    return parser.parse_args()


def _command() -> str:
    return shlex.join(["python", "benchmarks/run.py", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
