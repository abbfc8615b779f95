"""Try a wheel as a stranger would: in an environment of its own, away from the source.

    python tests/try_wheel.py dist/elman-….whl --constraints constraints.txt

Installs the wheel without any extra, imports it, trains a small model on a file that is made
there, predicts with it, and sees that what needs an extra says which. Ends with 1 and a sentence
where something is not as it should be.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROWS = "text,label\n" + "".join(
    f"a {mood} film,{label}\n"
    for mood, label in [("fine", "good"), ("great", "good"), ("dull", "bad"), ("poor", "bad")] * 8
)
PAIRS = "source,target\n" + "a dog,ein Hund\ntwo cats,zwei Katzen\n" * 8
MODULES = ("__init__", "py.typed", "recipes/chorales.toml", "report/templates/run.html")
MODULES += ("data/shipped/jsb_chorales.npz", "runs/train.py")
"""Files of the package that a wheel once might lack: not every one of them is code."""
TRAIN = ("train", "films.csv", "--target", "label", "--epochs", "2", "--out", "run")
MISSING = {
    ("train", "pairs.csv", "--input", "source:text:word", "--target", "target:text:word"): (
        "sacrebleu",
        "translation",
    ),
    ("train", "pairs.csv", "--input", "source:text:bpe", "--target", "target:text:bpe"): (
        "tokenizers",
        "translation",
    ),
    ("generate", "rolls"): ("mido", "music"),
    ("train", "book.xlsx", "--target", "label"): ("openpyxl", "excel"),
}
"""What a plain installation cannot do → the package it lacks, and the extra that brings it."""
FAILED = 1


def main() -> None:
    """Try the wheel that the command line names."""
    parser = argparse.ArgumentParser(description="Try a wheel in an environment of its own.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--constraints", type=Path, required=True)
    arguments = parser.parse_args()
    see_files(arguments.wheel)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bin_ = install(arguments.wheel.resolve(), arguments.constraints.resolve(), folder)
        (folder / "films.csv").write_text(ROWS, encoding="utf-8")
        (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
        (folder / "book.xlsx").write_bytes(b"PK")
        called(folder, bin_ / "python", "-c", "import elman; print(elman.__file__)")
        called(folder, bin_ / "elman", "--version")
        called(folder, bin_ / "elman", *TRAIN)
        called(folder, bin_ / "elman", "predict", "run", "films.csv", "--out", "answers.csv")
        see_extras(folder, bin_ / "elman")
        called(folder, bin_ / "elman", "backends")
    sys.stdout.write(f"{arguments.wheel.name}: installed, trained and predicted\n")


def see_files(wheel: Path) -> None:
    """See that files which are no modules, or lie in folders that git might ignore, are there."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for module in MODULES:
        path = f"elman/{module}"
        see(path in names or f"{path}.py" in names, f"{wheel.name} lacks {path}")
    see(any("_kernels" in name and name.endswith(".so") for name in names), "it lacks the kernels")


def install(wheel: Path, constraints: Path, folder: Path) -> Path:
    """Install the wheel into a new environment; return where its programs are."""
    venv.create(folder / "venv", with_pip=True)
    bin_ = folder / "venv" / "bin"
    called(folder, bin_ / "python", "-m", "pip", "install", "-c", constraints, wheel)
    return bin_


def see_extras(folder: Path, elman: Path) -> None:
    """See that what needs an extra fails before training, with the command that installs it.

    A page without its music is not worth a run: it is trained, and a note has the command.
    """
    done = run(folder, elman, "train", "chorales", "--epochs", "1", "--out", "rolls")
    see(done.returncode == 0, f"the chorales were not trained: {done.stderr}")
    see('pip install "elman[music]"' in done.stderr, f"no note on the music: {done.stderr}")
    for command, (package, extra) in MISSING.items():
        done = run(folder, elman, *command, "--out", "other")
        said = done.stderr.strip().splitlines()[-1:]
        for words in (f"needs the package {package}", f'pip install "elman[{extra}]"'):
            see(words in "".join(said), f"`elman {' '.join(command)}` said {said}, not {words!r}")
        see(done.returncode == FAILED, f"`elman {' '.join(command)}` ended with {done.returncode}")
        see(not (folder / "other").exists(), f"`elman {' '.join(command)}` left a directory")


def called(folder: Path, *command: object) -> None:
    """Run a command, and see that it ends well."""
    done = run(folder, *command)
    see(
        done.returncode == 0, f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}"
    )


def run(folder: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, without the source on Python's path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def see(holds: bool, otherwise: str) -> None:
    """End with a sentence unless something holds."""
    if not holds:
        sys.exit(f"try_wheel: {otherwise}")


if __name__ == "__main__":
    main()
