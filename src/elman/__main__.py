"""`python -m elman` is `elman`: the command, from the first moment on."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command; Ctrl-C while it is still being imported ends it without a traceback."""
    try:
        from elman.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write("elman: interrupted.\n")
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
