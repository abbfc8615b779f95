"""Writes the page of the command line from the command's own parsers.

`python docs/command_line.py` writes `docs/command-line.md` anew; `make docs` does so before it
builds the pages, and a test compares the two.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from elman.cli.main import Invocation, app

PAGE = Path(__file__).with_name("command-line.md")

INTRODUCTION = """\
<!-- Written from the parsers by `python docs/command_line.py`, which writes it anew. -->

# The command line

`elman --help` lists the verbs, and `elman VERB --help` shows what is on this page. Results go to
stdout, progress and errors to stderr. A failure ends in one sentence; `--debug`, which may stand
anywhere, shows where it came from.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed: a file, a row, a run or a model is not as it must be |
| 2 | wrong use: an unknown verb, option, column or setting |
| 130, 143, 129 | stopped by Ctrl-C, SIGTERM, SIGHUP; `--resume` [continues a run](long-runs.md) |
"""

EXAMPLES = {
    "elman check": """\
elman check customers.csv --target left
elman check customers.csv --target left --ignore status --read since:date --strict
""",
    "elman train": """\
elman train questions.csv --target label
elman train sentences.conllu --input form --target upos --epochs 5
elman train sales.csv --sequence-id item --time day --target units --horizon 28
elman train chorales --cell gru --set network.zoneout=0.1 --seed 2
""",
    "elman forecast": """\
elman forecast beer.csv --horizon 8
elman forecast sales.csv --sequence-id item --target units --horizon 28 --to next.parquet
elman forecast towns.csv --set wide=columns --horizon 48
""",
    "elman evaluate": """\
elman evaluate runs/questions-seed1
elman evaluate runs/questions-seed1 more-questions.csv --json
elman evaluate runs/sales-seed1 --origins 20
""",
    "elman predict": """\
elman predict runs/questions-seed1 new.csv --probabilities --out answers.csv
elman predict runs/sales-seed1 --quantiles 0.1,0.5,0.9
elman predict runs/pairs-seed1 new.csv --n-best 3 --set beam_size=8
""",
    "elman generate": """\
elman generate runs/chorales-gru-seed2 --steps 200 --seed 1 --out chorale.mid
elman generate runs/poems-seed1 --prompt "the dog" --temperature 0.7
""",
    "elman tune": """\
elman tune reviews.csv --target label --trials 30
elman tune chorales --cell lstm --set epochs=50 --pruner halving --out runs/tune-chorales-lstm
""",
    "elman compare": """\
elman compare chorales --cells simple,gru,lstm --seeds 3 --parameters 20000
""",
    "elman runs": """\
elman runs list
elman runs diff runs/reviews-lstm-seed1 runs/reviews-gru-seed1
""",
    "elman data": """\
elman data list
elman data show trec
elman data fetch trec
""",
    "elman backends": """\
elman backends --json
""",
}
"""Commands shown beside a verb."""


def page() -> str:
    """Write the page."""
    command = typer.main.get_command(app)
    context = command.make_context("elman", ["backends"], obj=Invocation())
    return "\n".join([INTRODUCTION, _table(command, context, "option"), *_verbs(command, context)])


def _verbs(group: Any, context: Any) -> list[str]:
    """Write a section for every command of a group, and for those below it."""
    sections = []
    for name, command in group.commands.items():
        own = type(context)(command, info_name=name, parent=context)
        level = "#" * (own.command_path.count(" ") + 1)
        usage = command.get_usage(own).removeprefix("Usage: ")
        section = [f"{level} {own.command_path}", command.help.strip(), f"```text\n{usage}\n```"]
        if own.command_path in EXAMPLES:
            section.append(f"```sh\n{EXAMPLES[own.command_path]}```")
        for kind in ("argument", "option"):
            table = _table(command, own, kind)
            section += [table.rstrip()] if table else []
        sections += ["\n\n".join(section).rstrip() + "\n"]
        sections += _verbs(command, own) if hasattr(command, "commands") else []
    return sections


def _table(command: Any, context: Any, kind: str) -> str:
    """Write a table of a command's arguments, or of its options."""
    rows = [
        _row(parameter.get_help_record(context))
        for parameter in command.get_params(context)
        if parameter.param_type_name == kind and parameter.name != "help"
    ]
    if not rows:
        return ""
    return "\n".join([f"| {kind} | default | meaning |", "|---|---|---|", *rows]) + "\n"


def _row(record: tuple[str, str]) -> str:
    """Write a parameter as its help shows it: names and type, then what it means."""
    names, told = record
    meaning, facts = re.fullmatch(r"(.*?)(?:  \[(.*)\])?", told, re.DOTALL).groups()
    names = re.sub(r"<list\[(\w+)\]>", r"<\1>", names).replace(" range>", ">")
    default = (facts or "").removeprefix("default: ").replace("; ", ", ")
    default = re.sub(r"x([<>])=", lambda bound: {"<": "≤ ", ">": "≥ "}[bound[1]], default)
    cells = (text.replace("|", r"\|") for text in (f"`{names}`", default, meaning))
    return "| " + " | ".join(cells).replace("|  |", "| |") + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
