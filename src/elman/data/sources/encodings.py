"""Which encoding bytes are in: by their marks, by their zeros, or by the letters they give."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from typing import NamedTuple

from elman.errors import OptionError, unknown

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order mark → encoding; a mark of UTF-32 begins with one of UTF-16, and so stands before."""

LATIN = ("cp1252", "cp1250", "iso8859-2", "cp1254")
"""Encodings of Latin letters that are told apart; Latin-1 is Windows-1252 without 0x80 … 0x9F."""

OTHERS = (
    "gb18030",
    "big5hkscs",
    "cp932",
    "euc_jis_2004",
    "cp949",
    "cp1251",
    "koi8-r",
    "koi8-u",
    "iso8859-5",
    "cp866",
    "cp1253",
    "iso8859-7",
    "cp1255",
    "cp1256",
    "iso8859-6",
    "cp874",
)
"""Encodings of other scripts that are told apart."""

USUAL = {"big5hkscs": "cp950", "euc_jis_2004": "euc_jp", "iso8859-7": "cp1253"}
"""Encoding → the usual one that most of its texts are in; preferred where it fits."""

TITLES = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
    "cp1250": "Windows-1250 (Central European)",
    "iso8859-2": "Latin-2 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "gb18030": "GB18030, which contains GBK (Chinese)",
    "cp950": "Big5 (Chinese)",
    "big5hkscs": "Big5-HKSCS (Chinese)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "euc_jis_2004": "EUC-JIS-2004 (Japanese)",
    "iso2022_jp": "ISO-2022-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "koi8-u": "KOI8-U (Cyrillic)",
    "iso8859-5": "ISO-8859-5 (Cyrillic)",
    "cp866": "code page 866 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "iso8859-7": "ISO-8859-7 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "iso8859-6": "ISO-8859-6 (Arabic)",
    "cp874": "Windows-874 (Thai)",
}
"""Encoding → what it is called."""

ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
"""Sequences that begin other letters in ISO-2022-JP, which consists of 7-bit bytes."""

UNDEFINED = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})
"""Bytes that Windows-1252 lacks."""

CLEAR = 0.05
"""Least confidence in an encoding of another script."""

CLEAR_LATIN = 0.02
"""Least confidence in an encoding of Latin letters other than Windows-1252."""

TIMES_LATIN = 3.0
"""Least ratio of that confidence to the greatest one in an encoding of Latin letters."""

TIMES_WESTERN = 1.3
"""Least ratio of the confidence in another encoding of Latin letters to that in Windows-1252."""

TRAILING_ASCII = ("gb18030", "big5hkscs", "cp932")
"""Encodings whose characters may end in an ASCII byte, so that their bytes form no long runs."""

SURE = 0.15
"""Confidence in one of these that needs no runs of bytes beyond ASCII."""

IN_RUNS = 0.5
"""Least share of bytes beyond ASCII beside another one, in scripts that are not Latin."""

MOSTLY = 0.6
"""Share of the bytes beyond ASCII that are of UTF-8's characters, in a damaged file in UTF-8; or
that are letters, in a text with Latin ones."""

MANY = 20
"""With fewer bytes beyond ASCII, what fits no encoding is taken for Latin-1 or Windows-1252."""

FEW = 3
"""With fewer bytes beyond ASCII, or a single one, Latin letters are taken for Windows-1252's."""

_NO_MATCH = "utf-7"
"""What the detector returns where none of the others fits; it has no bytes beyond ASCII."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_SHOWN = 20

_UTF8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


class Guess(NamedTuple):
    """An encoding, and a word that it gives."""

    name: str
    example: str


def known_encoding(name: str) -> str:
    """Return the name that Python has for an encoding.

    Raises:
        OptionError: there is no such encoding of text.
    """
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        raise unknown("encoding", name, TITLES) from None
    try:
        "a".encode(codec.name)
    except (LookupError, UnicodeError) as error:  # base64 and the like
        raise OptionError(f"encoding = {name!r} is no encoding of text.") from error
    return codec.name


def marked_encoding(start: bytes) -> tuple[str, int] | None:
    """Return encoding and length of the byte order mark that bytes begin with."""
    marks = (mark for mark in MARKS if start.startswith(mark))
    return next(((MARKS[mark], len(mark)) for mark in marks), None)


def unmarked_wide_encoding(start: bytes) -> str | None:
    """Return the encoding of bytes that are UTF-16 or UTF-32 without a mark, None if they are not.

    Line ends, spaces and delimiters give zeros at the same place of every two or four bytes, and
    none elsewhere; but letters such as 一 and 最 give a zero at the other place of two.

    Args:
        start: the first bytes of a file, of an even number.
    """
    sample = start[: 2**16]
    if sample.count(0) < 2:
        return None
    zeros = [sample[place::4].count(0) for place in range(4)]
    whole = len(sample) % 4 == 0
    names: tuple[str, ...] = ("utf-32-le",) if whole and 4 * zeros[3] == len(sample) else ()
    names += ("utf-32-be",) if whole and 4 * zeros[0] == len(sample) else ()
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    few, many = sorted((even, odd))
    if few == 0 or (2 * few <= many and 100 * many >= len(sample)):
        names += ("utf-16-le",) if even < odd else ("utf-16-be",)
    for name in names:
        text = sample.decode(name, errors="replace")
        has_lines = "\n" in text or "\r" in text or 5 * sum(zeros) > len(sample)
        if has_lines and "\ufffd" not in text[:-1] and not _CONTROL.search(text):
            return name
    return None


def guess_encoding(sample: bytes) -> Guess | None:
    """Guess the encoding of a sample that is not UTF-8.

    Latin letters beyond ASCII mostly stand alone between others, those of other scripts beside
    each other. Another encoding than Windows-1252 must fit the sample's letters clearly better.

    Args:
        sample: lines that contain bytes beyond ASCII.

    Returns:
        The guess; None where no encoding fits.
    """
    latin, others = _confidences(sample, LATIN), _confidences(sample, OTHERS)
    western = latin.get("cp1252", 0.0)
    best_latin, confidence_latin = _best(latin)
    best_other, confidence = _best(others)
    runs = _share_in_runs(sample)
    in_runs = runs >= IN_RUNS or (best_other in TRAILING_ASCII and confidence >= SURE)
    clear = confidence >= max(CLEAR, TIMES_LATIN * confidence_latin)
    if best_other is not None and in_runs and clear:
        return _guess(_usual(best_other, sample), sample)
    beyond = beyond_ascii(sample)
    if (
        best_latin is not None
        and len(beyond) >= FEW
        and len(set(beyond)) > 1
        and confidence_latin >= max(CLEAR_LATIN, TIMES_WESTERN * western)
    ):
        return _guess(best_latin, sample)
    letters = sum(map(str.isalpha, beyond.decode("latin-1")))
    if runs > 0.8 and len(beyond) >= MANY and letters < MOSTLY * len(beyond):
        return None
    controls = {byte for byte in sample if 0x80 <= byte < 0xA0}
    return _guess("cp1252" if controls and not controls & UNDEFINED else "latin-1", sample)


def _confidences(sample: bytes, names: Collection[str]) -> dict[str, float]:
    import chardet

    found = chardet.detect_all(
        sample,
        ignore_threshold=True,
        compat_names=False,
        include_encodings=[*names, _NO_MATCH],
        no_match_encoding=_NO_MATCH,
    )
    return {
        name: each["confidence"] for each in found for name in names if name == each["encoding"]
    }


def _best(confidences: dict[str, float]) -> tuple[str | None, float]:
    return max(confidences.items(), key=lambda entry: entry[1], default=(None, 0.0))


def _usual(name: str, sample: bytes) -> str:
    usual = USUAL.get(name, name)
    try:
        sample.decode(usual)
    except UnicodeDecodeError:
        return name
    return usual


def _guess(name: str, sample: bytes) -> Guess:
    word = _WORD.search(sample.decode(name, errors="replace"))
    return Guess(name, "" if word is None else word.group()[:_SHOWN])


def beyond_ascii(sample: bytes) -> bytes:
    """Return the bytes beyond ASCII."""
    return sample.translate(None, bytes(range(0x80)))


def is_damaged_utf8(sample: bytes) -> bool:
    """Tell whether most bytes beyond ASCII, though not all, belong to characters of UTF-8."""
    characters = b"".join(_UTF8_CHARACTER.findall(sample))
    return len(characters) > MOSTLY * len(beyond_ascii(sample))


def _share_in_runs(sample: bytes) -> float:
    """Return the share of the bytes beyond ASCII that stand beside another one."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", sample)]
    return sum(run for run in runs if run > 1) / max(sum(runs), 1)
