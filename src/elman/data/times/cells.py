"""What the cells of a column say of their times, by the form of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from elman.data.frequency import SECOND, Times
from elman.data.times.calendars import LIMITS, Micros
from elman.data.times.formats import Parsed, TimeFormat
from elman.data.times.shapes import formats_of
from elman.data.times.subject import NUMBER, AmbiguousTimes, NoTime, Subject, formless
from elman.errors import DataError, as_option, unknown

if TYPE_CHECKING:
    import pyarrow as pa


DATE, TIMESTAMP = "date", "timestamp"
"""Formats of columns with a type of their own."""

EPOCHS: Mapping[str, int] = MappingProxyType(
    {
        "epoch seconds": SECOND,
        "epoch milliseconds": 1_000,
        "epoch microseconds": 1,
        "epoch nanoseconds": 0,
    }
)
"""Format of numbers → microseconds that one is; nanoseconds are divided."""

_COMPACT = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m")
"""Formats of dates that are one whole number."""

_YEAR_AND_MONTH = r"^(?:19|20)\d\d\.(?:0[1-9]|1[0-2])$"
"""Regular expression of months that would else be numbers: 2010.09, 2010.10."""

_EPOCH_YEARS = (
    int(np.datetime64("1990-01-01", "us").astype(np.int64)),
    int(np.datetime64("2100-01-01", "us").astype(np.int64)),
)
"""Numbers are seconds or milliseconds since 1970 where all of them lie between these."""

_YEARS = (1900, 2100)
"""Whole numbers are dates where all of them lie between these."""

_LARGEST = 1e20
"""Largest plain number that is a time: above all nanoseconds of dates."""

_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_DECIMAL_COMMA = r"^[+-]?\d+(?:,\d+)?$"


def checked_format(text: str) -> str:
    """Return a format of times, or refuse it.

    Raises:
        OptionError: it is neither one of the names nor made of known directives.
    """
    named = (NUMBER, DATE, TIMESTAMP, *EPOCHS)
    if "%" in text:
        TimeFormat(text)
    elif text not in named:
        raise unknown("time_format", text, [*named, "%d.%m.%Y %H:%M"])
    return text


@dataclass(frozen=True)
class Read:
    """What a column says by itself."""

    walls: Times
    offsets: Micros | None
    format: str
    zone: str | None = None
    notes: tuple[str, ...] = ()


def format_of_texts(written: str | None) -> str | None:
    """Return the format of texts: what a column was typed as says nothing of them."""
    if written is None or written in {DATE, TIMESTAMP}:
        return None
    return checked_format(written)


def of_texts(texts: pa.Array, subject: Subject, written: str | None) -> Read:
    """Read texts: by a format, as numbers, or by the form of the longest.

    Args:
        texts: strings, none missing.
        subject: the column.
        written: format of all cells; None to see it from them.

    Raises:
        DataError: a cell is no time of this format or form, or day and month look alike.
    """
    import pyarrow.compute as pc

    texts = pc.utf8_trim_whitespace(texts)
    if written is not None and "%" in written:
        parsed = TimeFormat(written).parse(texts)
        if parsed.wrong.all() and (other := _written_otherwise(texts, subject, written)):
            return other
        _refuse_wrong(parsed, subject, f"is not a time written as {subject.option} = {written!r}.")
        return Read(parsed.walls, parsed.offsets, written)
    months = len(texts) and pc.all(pc.match_substring_regex(texts, _YEAR_AND_MONTH)).as_py()
    if written is None and months:
        return _said(texts, TimeFormat("%Y.%m"), subject)
    numbers, comma = _numbers(texts)
    if numbers is not None:
        column = of_numbers(numbers, subject, written, texts=None if comma else texts)
        note = f"column {subject.name!r} is read as numbers with a decimal comma."
        return replace(column, notes=(*column.notes, note)) if comma else column
    if written is not None:
        wrong = ~pc.match_substring_regex(texts, _NUMBER).to_numpy(zero_copy_only=False)
        raise subject.wrong(
            int(wrong.argmax()), f"is no number, as {subject.option} = {written!r}."
        )
    return _of_any_form(texts, subject)


def _written_otherwise(texts: pa.Array, subject: Subject, written: str) -> Read | None:
    """Read texts of which none has the format that is said; None where they show no other.

    A later file may come from another program: 2011-03-14T00:00:00.000 for 14.03.2011.
    """
    try:
        read = of_texts(texts, subject, None)
    except DataError:
        return None
    if read.format == NUMBER:
        return None
    note = f"column {subject.name!r} is not written as {written!r}, but as {read.format!r}."
    return replace(read, notes=(note,))


def _numbers(texts: pa.Array) -> tuple[pa.Array | None, bool]:
    """Return texts as numbers if all of them are, and whether they have a decimal comma."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for pattern, comma in ((_NUMBER, False), (_DECIMAL_COMMA, True)):
        if not pc.all(pc.match_substring_regex(texts, pattern)).as_py():
            continue
        plain = pc.replace_substring(texts, ",", ".")
        if pc.all(pc.match_substring_regex(texts, r"^\d{1,18}$")).as_py():
            return plain.cast(pa.int64()), False
        return pc.replace_substring_regex(plain, r"^\+", "").cast(pa.float64()), comma
    return None, False


def _of_any_form(texts: pa.Array, subject: Subject) -> Read:
    """Read texts by the form of the longest."""
    import pyarrow.compute as pc

    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    model = int(lengths.argmax())
    formats = formats_of(texts[model].as_py())
    if not formats:
        raise formless(texts[model].as_py(), subject, model)
    read = [(each, each.parse(texts)) for each in formats]
    fitting = [(each, parsed) for each, parsed in read if not parsed.wrong.any()]
    if not fitting:
        raise _no_form(read, subject, model)
    chosen, parsed = fitting[0] if len(fitting) == 1 else _settled(fitting, subject)
    written = chosen.unpadded(parsed.short)
    notes: tuple[str, ...] = ()
    if len(fitting) > 1:
        shown = np.datetime64(int(parsed.walls[model]), "us").astype("datetime64[D]")
        other = subject.setting(fitting[1][0].text)
        notes = (
            f"column {subject.name!r} is read as {written.text}: {subject.cell(model)} is {shown}. "
            f"To read it otherwise, say {other}.",
        )
    return Read(parsed.walls, parsed.offsets, written.text, notes=notes)


def _no_form(read: list[tuple[TimeFormat, Parsed]], subject: Subject, model: int) -> NoTime:
    """Build the error for texts of which no format fits all."""
    written, parsed = min(read, key=lambda each: int(each[1].wrong.sum()))
    row = int(parsed.wrong.argmax())
    if row == model:
        return subject.wrong(
            row, f"is not a time: as {written.text} it names a day or an hour that does not exist."
        )
    what = "date" if subject.as_input else "time"
    why = f"is not a {what} like {subject.cell(model)}, which is read as {written.text}."
    if subject.as_input:
        other = as_option("--read", f"{subject.name}:category")
        return subject.wrong(
            row,
            f"{why} Write all dates of the column alike, and leave cells empty where the date is "
            f"missing; or read them as a category: {other}.",
        )
    return subject.wrong(
        row,
        f"{why} Write all times of the column alike, or say how they are written with "
        "data.time_format.",
    )


def _settled(
    fitting: list[tuple[TimeFormat, Parsed]], subject: Subject
) -> tuple[TimeFormat, Parsed]:
    """Settle which number is the day: it stands before dots, and a year of two digits stands last.

    Raises:
        AmbiguousTimes: the column does not say.
    """
    texts = [written.text for written, _ in fitting]
    if "-" not in texts[0]:  # 27/10/23 and 27.10.23 are no years first
        fitting = [each for each in fitting if not each[0].text.startswith("%y")]
    if "." in fitting[0][0].text.partition("%m")[0]:
        fitting = fitting[:1]
    if len(fitting) > 1:
        walls = np.stack([parsed.walls for _, parsed in fitting])
        row = int((walls != walls[0]).any(0).argmax())  # the first that the readings differ on
        days = walls[:, row].astype("datetime64[us]").astype("datetime64[D]")
        readings = " or ".join(map(str, days))
        settings = " or ".join(subject.setting(written.text) for written, _ in fitting)
        why = (
            f"{subject.cell(row)} is {readings}, and no row of the column settles it. Say "
            f"{settings}."
        )
        formats = [written.text for written, _ in fitting]
        raise AmbiguousTimes(subject.place(row), row, why, formats)
    return fitting[0]


def _refuse_wrong(parsed: Parsed, subject: Subject, why: str) -> None:
    if parsed.wrong.any():
        raise subject.wrong(int(parsed.wrong.argmax()), why)


def of_numbers(
    values: pa.Array, subject: Subject, written: str | None, *, texts: pa.Array | None = None
) -> Read:
    """Read numbers: dates written as one number, time since 1970, or plain numbers.

    Args:
        values: integers or floating-point numbers, none missing.
        subject: the column.
        written: format of all cells; None to see it from them.
        texts: the cells as they are written, where they are texts.

    Raises:
        DataError: a number is NaN or too large, or no time of the format.
    """
    import pyarrow as pa

    numbers = values.to_numpy(zero_copy_only=False)
    possible = np.abs(numbers.astype(np.float64)) <= _LARGEST  # neither NaN nor infinite
    if not possible.all():
        raise subject.wrong(int(possible.argmin()), "is not a time.")
    if written is not None and written in EPOCHS:
        return _of_epoch(numbers, written, subject)
    if written is not None and "%" in checked_format(written):
        return _of_digits(values, subject, TimeFormat(written))
    if written == NUMBER:
        return Read(numbers.astype(np.float64), None, NUMBER)
    whole = bool((numbers == np.round(numbers)).all())
    if whole:
        digits = values.cast(pa.int64(), safe=False).cast(pa.string()) if texts is None else texts
        for text in (*_COMPACT, *(["%Y"] if subject.as_years else [])):
            if (read := _compact(digits, TimeFormat(text), subject)) is not None:
                return read
    for name, size in EPOCHS.items():
        first, last = (year * 1_000 if not size else year / size for year in _EPOCH_YEARS)
        if numbers.min() >= first and numbers.max() <= last:
            read = _of_epoch(numbers, name, subject)
            note = (
                f"column {subject.name!r} is read as {name.partition(' ')[2]} since 1970 in UTC: "
                f"{subject.cell(0)} is {np.datetime64(int(read.walls[0]), 'us')}. "
                f"{subject.numbers}."
            )
            return replace(read, notes=(note,))
    return Read(numbers.astype(np.float64), None, NUMBER)


def _compact(digits: pa.Array, written: TimeFormat, subject: Subject) -> Read | None:
    """Read dates written as one number; None where one is no date between 1900 and 2100."""
    import pyarrow.compute as pc

    if not pc.all(pc.equal(pc.utf8_length(digits), written.width)).as_py():
        return None
    parsed = written.parse(digits)
    if parsed.wrong.any():
        return None
    years = parsed.walls.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    if years.min() < _YEARS[0] or years.max() > _YEARS[1]:
        return None
    return _said(digits, written, subject)


def _said(texts: pa.Array, written: TimeFormat, subject: Subject) -> Read:
    """Read texts that look like numbers by a format, and say so."""
    note = (
        f"column {subject.name!r} is read as dates written {written.text}, such as "
        f"{texts[0].as_py()}. {subject.numbers}."
    )
    return Read(written.parse(texts).walls, None, written.text, notes=(note,))


def _of_digits(values: pa.Array, subject: Subject, written: TimeFormat) -> Read:
    """Read numbers by a format: 1012023 is 01012023, whose first zero no number has."""
    import pyarrow as pa

    width = written.width if written.is_digits else 0
    numbers = values.to_numpy(zero_copy_only=False)
    texts = [f"{number:0{width}.0f}" for number in numbers.tolist()]
    parsed = written.parse(pa.array(texts, pa.string()))
    if parsed.wrong.all():
        read = of_numbers(values, subject, None)
        if read.format != NUMBER:
            return read
    _refuse_wrong(parsed, subject, f"is not a time written as {subject.option} = {written.text!r}.")
    return Read(parsed.walls, parsed.offsets, written.text)


def _of_epoch(numbers: NDArray[Any], written: str, subject: Subject) -> Read:
    """Read the time since 1970 in UTC."""
    size = EPOCHS[written]
    first, last = (year * 1_000.0 if not size else year / size for year in LIMITS)
    outside = (numbers < first) | (numbers > last)
    if outside.any():
        raise subject.wrong(int(outside.argmax()), f"as {written} is outside the years 1 … 9999.")
    if numbers.dtype.kind in "iu":
        whole = numbers.astype(np.int64)
        micros = whole * size if size else whole // 1_000
    else:
        micros = np.round(numbers * float(size) if size else numbers / 1_000).astype(np.int64)
    return Read(micros, np.zeros(len(micros), np.int64), written, "UTC")
