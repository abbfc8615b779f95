"""A file scanned many lines at a time gives what one scanned line by line gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.sources import even_lines, scan
from elman.data.sources.delimited import _sniff_file, read_delimited
from elman.data.sources.files import detect_encoding

CELLS = st.sampled_from(["a", "b", "ab", "1", "2.5", "", " ", "#", "# a", 'a"', "é", "id", "id "])


def scans(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[scan.Scan | None, scan.Scan | None]:
    """Scan a file many lines at a time, and line by line; None where it is refused."""
    encoding = detect_encoding(path)
    dialect = _sniff_file(path, encoding)
    even = even_lines.scan_even_lines(path, encoding, dialect)
    with monkeypatch.context() as patch:
        patch.setattr(scan, "scan_even_lines", lambda *_: None)
        try:
            slow = scan.scan_file(path, encoding, dialect)
        except scan.Malformed:
            slow = None
    if even is None:
        return None, slow
    return scan.scan_file(path, encoding, dialect), slow


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=2, max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    is_even=st.booleans(),
    ended=st.booleans(),
    block=st.integers(1, 40),
)
def test_a_file_scanned_at_once_is_the_file_scanned_line_by_line(
    rows: list[list[str]],
    end: str,
    delimiter: str,
    is_even: bool,
    ended: bool,
    block: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(even_lines, "BLOCK_BYTES", block)
    rows = [["id", "x"], *([row[:2] for row in rows] if is_even else rows)]
    path = tmp_path / "t.csv"
    path.write_text(end.join(map(delimiter.join, rows)) + end * ended, encoding="utf-8", newline="")
    even, slow = scans(path, monkeypatch)
    if even is not None:
        assert slow is not None
        assert even.lines.tolist() == slow.lines.tolist()
        assert (even.last, even.spans_lines, even.skipped.all) == (slow.last, False, set())
        assert slow.skipped.blank_lines == 0


@pytest.mark.parametrize(
    ("text", "at_once"),
    [
        ("id,x\n1,a\n2,b\n", True),
        ("id,x\r\n1,a\r\n2,b", True),
        ("id,x\n1,\n2,b c d\n", True),
        ('id,x\n1,"a"\n2,b\n', False),
        ("id,x\n1,a\n\n2,b\n", False),
        ("id,x\n1,a\n# b,c\n", False),
        ("id,x\n1,a\nid,x\n2,b\n", False),
        ("id,x\n1,a\n,b\n", False),
        ("x\n1\n2\n", False),
    ],
)
def test_only_plain_rows_are_scanned_at_once(
    text: str, at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    even, slow = scans(path, monkeypatch)
    assert (even is not None) == at_once
    if even is not None and slow is not None:
        assert even.lines.tolist() == slow.lines.tolist()


def test_a_ragged_line_is_named_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,x\n" + "1,a\n" * 40 + "1,a,b\n", encoding="utf-8")
    with pytest.raises(scan.Malformed, match="line 42: expected 2 fields, as in line 1, got 3"):
        read_delimited(path)
