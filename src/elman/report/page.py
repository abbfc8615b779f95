"""What all report pages share."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes

import elman
from elman.report.style import PANEL, THEME, css_colour, inline_svg, panel


class Picture(NamedTuple):
    """A figure of the page: the drawing, its title, its caption, and its music.

    `midi` is a `data:` address, so that the page holds the music itself; `file` is the name it is
    saved under.
    """

    svg: Markup
    title: str
    caption: str = ""
    midi: str = ""
    file: str = ""


def render(template: str, **facts: Any) -> str:
    """Render a template of `templates/`; text is escaped, and a missing fact is an error."""
    return (
        _environment()
        .get_template(template)
        .render(
            theme=THEME,
            css=css_colour,
            thousands=thousands,
            elman_version=elman.__version__,
            versions=f"PyTorch {torch.__version__}, Python {platform.python_version()}",
            **facts,
        )
    )


@cache
def _environment() -> Environment:
    """Return what compiles templates, each once."""
    return Environment(
        loader=PackageLoader("elman.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def draw_inline(
    name: str, draw: Callable[[Axes], None], size: tuple[float, float] = PANEL
) -> Markup:
    """Draw a figure with one pair of axes as part of the page.

    Args:
        name: of the figure, unique in its page: letters and hyphens.
        draw: draws into the axes.
        size: in inches.
    """
    figure, axes = panel(*size)
    draw(axes)
    return Markup(inline_svg(figure, name))


def thousands(number: int) -> str:
    """Format a whole number in groups of three digits."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
