"""Takes the pictures of the gallery: short runs, and parts of their report pages.

`python docs/gallery.py FOLDER` trains what FOLDER does not hold yet, draws the pages of what it
holds anew, and writes `docs/images/gallery-*.png`; names behind FOLDER choose among the pictures.
It needs Chromium, and the data sets that `elman data fetch` gets; with `ELMAN_DATA` they are read
from there.
"""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageChops

import elman

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
LARGEST = 100_000
"""Bytes of a picture, at most."""
WIDTH, TALL = 1000, 6000
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


def dates() -> dict[str, list[str]]:
    """Make the dates of `examples/encoder_decoder.py`."""
    example = runpy.run_path(str(DOCS.parent / "examples" / "encoder_decoder.py"))
    return example["dates"](2_000, seed=1)


class Picture(NamedTuple):
    """A run, and what of its page is shown.

    Args:
        source: a recipe, or a function that makes the data.
        settings: of the training.
        sections: of the page, by number, the first being 1.
        height: of the picture in pixels, at most.
    """

    source: str | Callable[[], Any]
    settings: dict[str, Any]
    sections: tuple[int, ...]
    height: int = 1100


PICTURES = {
    "text": Picture("questions", {"epochs": 4}, (1, 7)),
    "tags": Picture(
        "parts-of-speech",
        {"epochs": 3, "max_rows": 3000, "hidden_size": 64, "average_decay": 0.0},
        (1, 6),
    ),
    "series": Picture("gunpoint", {}, (1, 5, 6)),
    "forecast": Picture("temperature-28", {"epochs": 4}, (4,), height=990),
    "translation": Picture(
        dates,
        {
            "input": "written",
            "target": "iso",
            "input_kind": "text:char",
            "target_kind": "text:char",
            "hidden_size": 64,
            "epochs": 12,
        },
        (1, 5),
        height=980,
    ),
    "chorales": Picture("chorales", {"epochs": 30}, (1, 4), height=1010),
}


def train(name: str, picture: Picture, folder: Path) -> Path:
    """Train what a picture shows, or draw the page of a run that is there anew; return the page."""
    run = folder / name
    (run / "result.json").unlink(missing_ok=True)  # a run without one is measured again
    source = picture.source if isinstance(picture.source, str) else picture.source()
    resume = (run / "experiment.toml").exists()
    elman.train(source, out=run, resume=resume, **picture.settings)
    return run / "report.html"


def photograph(page: Path, picture: Picture, out: Path) -> None:
    """Photograph some sections of a page."""
    shown = ",".join(f"main>section:nth-of-type({number})" for number in picture.sections)
    style = f"<style>main>section{{display:none}}{shown}{{display:block}}</style>"
    excerpt, raw = page.with_name("excerpt.html"), page.with_name("excerpt.png")
    text = page.read_text(encoding="utf-8").replace("</head>", f"{style}</head>", 1)
    excerpt.write_text(text, encoding="utf-8")
    command = [_browser(), *FLAGS, "--hide-scrollbars", f"--window-size={WIDTH},{TALL}"]
    subprocess.run([*command, f"--screenshot={raw}", excerpt.resolve().as_uri()], check=True)
    _small(Image.open(raw).convert("RGB"), picture.height, out)


def _browser() -> str:
    """Find Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise SystemExit("docs/gallery.py photographs with Chromium, and there is none: install it.")


def _small(image: Image.Image, height: int, out: Path) -> None:
    """Cut the empty end of a picture off, and save it with as many colours as its size allows."""
    empty = Image.new("RGB", image.size, image.getpixel((0, 0)))
    left, _, right, bottom = ImageChops.difference(image, empty).getbbox() or (0, 0, 1, 1)
    cut = image.crop((max(0, left - 20), 0, min(image.width, right + 20), min(bottom + 20, height)))
    for colours in (64, 32, 16, 8):
        palette = cut.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        palette.save(out, optimize=True)
        if out.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{out} is larger than {LARGEST:,} bytes; show fewer sections.")


def main(folder: Path, *names: str) -> None:
    """Make the pictures of those names, or all."""
    for name in names or PICTURES:
        page = train(name, PICTURES[name], folder)
        photograph(page, PICTURES[name], IMAGES / f"gallery-{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
