"""Many trials with damaged files, in a process of their own, so that a death is counted, too.

    PYTHONPATH=src:tests python -m fuzz.run --count 100000
    PYTHONPATH=src:tests python -m fuzz.run --kinds predict --first 52017 --count 1

A trial may take 20 seconds and 6 GB, and Elman's own limit is 1 GB. Whatever ends in anything but a
result or one of Elman's errors is listed with its number, by which `--first` repeats it; the
command then fails. Interrupted, it counts what it did.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from elman.data import limits

from . import trial

SECONDS = 20
BYTES = 6 * 2**30


class TooSlowError(Exception):
    """A trial took longer than it may."""


def _too_slow(*_: object) -> None:
    raise TooSlowError(f"more than {SECONDS} seconds")


def _work(kinds: list[str], first: int, stop: int, results: Connection) -> None:
    """Do some trials, and tell after each what came of it."""
    faulthandler.disable()
    os.environ[limits.VARIABLE] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, _too_slow)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for seed in range(first, stop):
            signal.alarm(SECONDS)
            try:
                refused = trial.refused(kinds[seed % len(kinds)], seed, Path(folder))
                outcome, place = "refused" if refused else "read", ""
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is to be listed
                outcome, place = _fault(error), str(error)[:200]
            signal.alarm(0)
            results.send((seed, outcome, place))


def _fault(error: BaseException) -> str:
    """Name an exception and the last line of Elman's that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "/elman/" in frame.filename]
    last = (inside or frames)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(kinds: list[str], first: int, count: int, outcomes: Counter[str]) -> None:
    """Do `count` trials from `first` on, print what is wrong, and count what came of them."""
    context = multiprocessing.get_context("fork")
    seed, stop = first, first + count
    while seed < stop:
        receiver, sender = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(kinds, seed, stop, sender), daemon=True)
        worker.start()
        sender.close()
        try:
            while True:
                done, outcome, place = receiver.recv()
                seed = done + 1
                outcomes[outcome] += 1
                if place:
                    _say(f"{done} {kinds[done % len(kinds)]}: {outcome}: {place!r}")
        except EOFError:
            worker.join()
        if seed < stop:
            outcomes[f"died with {worker.exitcode}"] += 1
            _say(f"{seed} {kinds[seed % len(kinds)]}: died with {worker.exitcode}")
            seed += 1


def main() -> int:
    """Parse the arguments, and return whether something went wrong."""
    parser = argparse.ArgumentParser(prog="fuzz.run", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=list(trial.KINDS), choices=list(trial.KINDS))
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    with suppress(KeyboardInterrupt):
        run(arguments.kinds, arguments.first, arguments.count, outcomes)
    for outcome, number in outcomes.most_common():
        _say(f"{number:8,}  {outcome}")
    return int(bool(set(outcomes) - {"read", "refused"}))


if __name__ == "__main__":
    sys.exit(main())
