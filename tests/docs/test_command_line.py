"""The page of the command line is what the parsers give."""

from __future__ import annotations

import runpy

from blocks import DOCS


def test_the_page_of_the_command_line_is_what_the_parsers_give() -> None:
    script = runpy.run_path(str(DOCS / "command_line.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"](), (
        "write it anew: python docs/command_line.py"
    )
