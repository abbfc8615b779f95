"""From a cell to the formats of times that it may have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from elman.data.times.formats import DAYS, FULL_DAYS, FULL_NAMES, HOURS, NAMES, TimeFormat

_CLOCK = (
    r"(?P<hour>\d{1,2})(?P<minute>:\d{2}(?P<second>:\d{2}(?:(?P<point>[.,])(?P<fraction>\d{1,9}))?)?)?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?"
)
_TAIL = (
    rf"(?:(?P<between>T| +|, ?|:|_|-(?=\d+:)){_CLOCK})?"
    rf"(?P<gap> ?)(?P<zone>Z|UTC|GMT|{HOURS}(?::?[0-5]\d)?)?"
)
_SHAPES: Sequence[tuple[re.Pattern[str], tuple[str, ...]]] = tuple(
    (re.compile(rf"(?:(?P<weekday>{FULL_DAYS}|{DAYS})(?P<comma>,? ))?{shape}{_TAIL}"), formats)
    for shape, formats in (
        (r"\d{4}(?P<s>[-/. ])\d{1,2}(?P=s)\d{1,2}", ("%Y{s}%m{s}%d",)),
        (r"\d{8}", ("%Y%m%d",)),
        (r"\d{8}(?P<s>[T ])\d{6}", ("%Y%m%d{s}%H%M%S",)),
        (r"\d{8}(?P<s>[T ])\d{4}", ("%Y%m%d{s}%H%M",)),
        (r"\d{4}(?P<s>[-/])\d{1,2}", ("%Y{s}%m",)),
        (
            r"\d{1,2}(?P<s>[-/. ])\d{1,2}(?P=s)\d{4}",
            ("%d{s}%m{s}%Y", "%m{s}%d{s}%Y"),
        ),
        (
            r"\d{1,2}(?P<s>[-/.])\d{1,2}(?P=s)\d{2}",
            ("%d{s}%m{s}%y", "%m{s}%d{s}%y", "%y{s}%m{s}%d"),
        ),
        (r"\d{1,2}(?P<s>[-/.])\d{4}", ("%m{s}%Y",)),
        (
            rf"\d{{1,2}}(?P<s>[-/ .]| ?)(?P<name>{FULL_NAMES}|{NAMES})(?P<r>[-/ .,]*)\d{{4}}",
            ("%d{s}{name}{r}%Y",),
        ),
        (
            rf"\d{{1,2}}(?P<s>[-/ ])(?P<name>{FULL_NAMES}|{NAMES})(?P<r>[-/ ])\d{{2}}",
            ("%d{s}{name}{r}%y",),
        ),
        (
            rf"(?P<name>{FULL_NAMES}|{NAMES})(?P<s>[-/ .]+)\d{{1,2}}(?P<r>,? )\d{{4}}",
            ("{name}{s}%d{r}%Y",),
        ),
        (rf"(?P<name>{FULL_NAMES}|{NAMES})(?P<s>[-/ .,]*)\d{{4}}", ("{name}{s}%Y",)),
        (rf"(?P<name>{FULL_NAMES}|{NAMES})(?P<s>[-/ '’]+)\d{{2}}", ("{name}{s}%y",)),
        (
            rf"\d{{4}}(?P<s>[-/ .])(?P<name>{FULL_NAMES}|{NAMES})(?P<r>[-/ .])\d{{1,2}}",
            ("%Y{s}{name}{r}%d",),
        ),
        (rf"\d{{4}}(?P<s>[-/ .]?)(?P<name>{FULL_NAMES}|{NAMES})", ("%Y{s}{name}",)),
        (r"\d{4}(?P<s>[-/ .:]?)(?P<q>[Qq])[1-4]", ("%Y{s}{q}%q",)),
        (r"(?P<q>[Qq])[1-4](?P<s>[-/ .:]*)\d{4}", ("{q}%q{s}%Y",)),
        (r"\d{4}(?P<s>[- ]?)(?P<q>[Ww])\d{2}(?P<r>-?)[1-7]", ("%G{s}{q}%V{r}%u",)),
        (r"\d{4}(?P<s>[- ]?)(?P<q>[Ww])\d{2}", ("%G{s}{q}%V",)),
    )
)
"""What a date looks like, and the formats that it may have."""


def formats_of(cell: str) -> list[TimeFormat]:
    """Return the formats that a cell may have; several where day and month look alike.

    >>> [each.text for each in formats_of("27.10.2023 14:05")]
    ['%d.%m.%Y %H:%M', '%m.%d.%Y %H:%M']
    """
    for shape, formats in _SHAPES:
        match = shape.fullmatch(cell)
        if match is None:
            continue
        parts = match.groupdict()
        separators = {name: parts.get(name) or "" for name in ("s", "r", "q")}
        name = parts.get("name") or ""
        capital = "^" if name.isupper() else ""
        month = f"%{capital}{'B' if len(name) > 4 or name.lower() in {'june', 'july'} else 'b'}"
        return [
            TimeFormat(_before(parts) + each.format(name=month, **separators) + _after(parts))
            for each in formats
        ]
    return []


def _half(half: str | None) -> str:
    """Return the format of AM and PM, or am and pm."""
    if not half:
        return ""
    space = " " if half.startswith(" ") else ""
    return f"{space}%{'P' if half.islower() else 'p'}"


def _before(parts: Mapping[str, Any]) -> str:
    weekday = parts["weekday"]
    if not weekday:
        return ""
    return ("%A" if re.fullmatch(FULL_DAYS, weekday) else "%a") + str(parts["comma"])


def _after(parts: Mapping[str, Any]) -> str:
    """Return the format of the time of day and the zone."""
    text = ""
    if parts["hour"]:
        text += parts["between"] + ("%I" if parts["half"] else "%H")
        text += ":%M" if parts["minute"] else ""
        text += ":%S" if parts["second"] else ""
        if fraction := parts["fraction"]:
            text += parts["point"] + ("%f" if len(fraction) == 6 else f"%{len(fraction)}f")
        text += _half(parts["half"])
    zone = parts["zone"] or ""
    if zone[:1] in {"+", "-"}:
        zone = "%:z" if ":" in zone else "%:::z" if len(zone) == 3 else "%z"
    return text + (parts["gap"] + zone if zone else "")
