"""Training that is asked to stop: by Ctrl-C, or by a machine that is about to be taken away.

The first SIGINT (Ctrl-C), SIGTERM or SIGHUP is noted, and training ends after the update under way
with a checkpoint from which it goes on as if it had never stopped. A second SIGINT stops at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class StoppedError(KeyboardInterrupt):
    """Training stopped because it was asked to; its checkpoint is written.

    Args:
        number: of the signal that asked.
        place: where training goes on.
    """

    def __init__(self, number: int, place: str) -> None:
        super().__init__(place)
        self.number = number


class StopRequest:
    """Whether training was asked to stop, and by which signal.

    Args:
        say: takes a sentence for whoever asked.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.number: int | None = None
        self._say = say

    @contextmanager
    def listening(self) -> Iterator[StopRequest]:
        """Note the signals while the context lasts; in the main thread alone, which receives them.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed a second time.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        try:
            for number in heard:  # `nohup` ignores SIGHUP, and is obeyed
                signal.signal(number, self._note)
            yield self
        finally:
            for number in heard:
                signal.signal(number, before[number] or signal.SIG_DFL)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.number is not None:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self.number = number
        again = "; Ctrl-C again stops at once" if number == signal.SIGINT else ""
        self._say(f"{_named(number)}: finishing this step, then writing a checkpoint{again}.")


def _named(number: int) -> str:
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
