"""From JSON text to values: nothing merged, rounded or cut without a word."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from elman.errors import DataError

DEEPEST = 64
"""Greatest number of lists and objects within each other."""

LONGEST_INTEGER = 300
"""Digits of the longest integer that becomes a number; a longer one stays as it is written."""

_EXTREME = re.compile(r"[eE]\+?\d{3}|\d{300}")
"""What a number beyond the largest float, or a very long integer, contains."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_SPACE = re.compile(r"[ \t\r\n]*")

_MISTAKES = (
    (re.compile(r"'"), "strings and names stand in double quotes"),
    (re.compile(r"(True|False|None)\b"), "write true, false and null"),
    (re.compile(r"//|/\*|#"), "JSON has no comments"),
    (re.compile(r","), "there is a comma too many; a list stands in [ ], and lines without commas"),
    (re.compile(r"[\]}]"), "there is a comma too many before it, or a value is missing"),
)
"""What stands at the place of an error → what is to be done."""


class Written(str):
    """A number as it is written, which is not yet, or cannot be, a number."""

    __slots__ = ()


class NotPlain(Exception):
    """A text is not JSON, or holds what a plain decoder would change in silence."""


class _RepeatedKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _TooLarge(ValueError):
    """A number that is beyond the largest float."""


class Decoder:
    """Decodes values of one file; remembers which words it holds that are not JSON.

    Args:
        path: the file, for errors.
        as_written: whether every number is to stay as it is written.
    """

    def __init__(self, path: Path, *, as_written: bool = False) -> None:
        self.path = path
        self.constants: dict[str, int] = {}
        """`NaN`, `Infinity` or `-Infinity` → the first line that holds it."""
        self._found: set[str] = set()
        self._closed = 0
        self._as_written = as_written
        self._fast = json.JSONDecoder(object_pairs_hook=_plain, parse_constant=_refused)
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=Written if as_written else _float,
            parse_int=Written if as_written else _integer,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._closed += 1
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            raise _RepeatedKey(next(name for name in names if names.count(name) > 1))
        return value

    def _constant(self, word: str) -> float | Written | None:
        self._found.add(word)
        if word == "NaN":
            return None
        return Written(word) if self._as_written else float(word)

    def plain(self, text: str) -> Any:
        """Decode a text the fast way; `NotPlain` is raised where it needs care."""
        if self._as_written or _EXTREME.search(text):
            raise NotPlain
        try:
            return self._fast.decode(text)
        except (ValueError, RecursionError):
            raise NotPlain from None

    @property
    def notes(self) -> list[str]:
        """What was made of words that are not JSON, a sentence each."""
        meanings = {"NaN": "a missing value", "Infinity": "∞", "-Infinity": "−∞"}
        return [
            f"{self.path.name}, line {line}: {word} is not JSON and was read as {meanings[word]}."
            for word, line in self.constants.items()
        ]


class JsonText:
    """A text of JSON values, and the line of each of its places.

    Args:
        text: the text.
        decoder: decodes it.
        first_line: number of its first line in the file.
        whole: what it is, for errors: the file, or one line of it.
    """

    def __init__(
        self, text: str, decoder: Decoder, *, first_line: int = 1, whole: str = "file"
    ) -> None:
        self.text = text
        self._decoder = decoder
        self._whole = whole
        self._place, self._line = 0, first_line

    def line_at(self, place: int) -> int:
        """Return the line of a place; places must not go back."""
        self._line += self.text.count("\n", self._place, place)
        self._place = max(self._place, place)
        return self._line

    def skip(self, place: int) -> int:
        """Return the first place that is not white space."""
        found = _SPACE.match(self.text, place)
        return place if found is None else found.end()

    def value(self, place: int = 0) -> tuple[Any, int]:
        """Decode the value at a place; return it and the place after it.

        Raises:
            DataError: it is not JSON, repeats a key, is nested too deeply, or holds a number
                that is too large; the line is named.
        """
        decoder = self._decoder
        place = self.skip(place)
        decoder._closed = 0
        try:
            value, end = decoder._json.raw_decode(self.text, place)
        except json.JSONDecodeError as error:
            self.refuse(error.msg, error.pos)
        except RecursionError:
            raise self.too_deep(place) from None
        except _RepeatedKey as error:
            line = self.line_at(self._outside_strings("}", place, decoder._closed))
            raise DataError(
                f"{decoder.path}, line {line}: the key {error.key!r} occurs twice in the object "
                "that ends here. Rename or remove one of them."
            ) from None
        except _TooLarge as error:
            line = self.line_at(self._outside_strings(str(error), place))
            raise DataError(
                f"{decoder.path}, line {line}: {error} is beyond the largest number, 1.8e308. "
                "Write it as a string, or null where it is missing."
            ) from None
        for word in decoder._found:
            decoder.constants.setdefault(word, self._line_of(word, place))
        decoder._found.clear()
        return value, end

    def elements(self, place: int = 0) -> Iterator[tuple[int, Any]]:
        """Decode the elements of the list at a place; yield the line and the value of each.

        Raises:
            DataError: as for `value`.
        """
        place = self.skip(self.skip(place) + 1)
        if self.text[place : place + 1] == "]":
            self.end(place + 1)
            return
        while True:
            place = self.skip(place)
            line = self.line_at(place)
            value, place = self.value(place)
            yield line, value
            place = self.skip(place)
            mark = self.text[place : place + 1]
            if mark == "]":
                self.end(place + 1)
                return
            if mark != ",":
                self.refuse("Expecting ',' delimiter", place)
            place += 1

    def end(self, place: int) -> None:
        """Refuse anything but white space from a place on."""
        place = self.skip(place)
        if place < len(self.text):
            self.refuse("Extra data after the value", place)

    def refuse(self, reason: str, place: int) -> NoReturn:
        """Raise the error for text that is not JSON."""
        rest = self.text[self.skip(place) :]
        if not rest or reason.startswith("Unterminated"):
            reason = f"the {self._whole} ends within a value, as if it had been cut off"
            place = len(self.text[:place].rstrip())
        else:
            hints = (hint for pattern, hint in _MISTAKES if pattern.match(rest))
            reason = ": ".join([reason.partition(":")[0], *list(hints)[:1]])
        column = place - self.text.rfind("\n", 0, place)
        raise DataError(
            f"{self._decoder.path}, line {self.line_at(place)}: this is not JSON: {reason} "
            f"(character {column})."
        )

    def too_deep(self, place: int) -> DataError:
        """Build the error for a value that is nested too deeply."""
        return DataError(
            f"{self._decoder.path}, line {self.line_at(place)}: lists or objects lie within each "
            f"other more than {DEEPEST} deep. Write a flatter value."
        )

    def _line_of(self, word: str, place: int) -> int:
        """Return the line of a word; unlike `line_at` in any order."""
        return self._line + self.text.count("\n", self._place, self._outside_strings(word, place))

    def _outside_strings(self, word: str, place: int, number: int = 1) -> int:
        """Return where a word occurs outside strings for the first, second, … time."""
        for token in re.finditer(f"{_STRING}|{re.escape(word)}", self.text[place:], re.DOTALL):
            number -= token.group() == word
            if not number:
                return place + token.start()
        return place


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise NotPlain
    return value


def _refused(_: str) -> None:
    raise NotPlain


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _TooLarge(text)
    return value


def _integer(text: str) -> int | Written:
    return int(text) if len(text) <= LONGEST_INTEGER else Written(text)
