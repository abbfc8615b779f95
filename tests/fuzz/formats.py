"""Small valid files of every format that is read, the same at every call."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

ROWS = 17

WORDS = ("good", "bad", None, "ü", "a longer string that no view holds within", "", "x")


def flat_columns() -> dict[str, pa.Array]:
    """Return a column of each of Arrow's types that has no other type within."""
    texts = [WORDS[row % len(WORDS)] for row in range(ROWS)]
    contents = [None if text is None else text.encode() for text in texts]
    days = pa.array([dt.date(2020, 1, 1 + row) for row in range(ROWS)])
    times = [dt.datetime(2020, 1, 1 + row) for row in range(ROWS)]
    fractions = [None if row % 5 == 0 else row / 10 for row in range(ROWS)]
    return {
        "int8": pa.array(range(ROWS), pa.int8()),
        "uint64": pa.array(range(ROWS), pa.uint64()),
        "half": pa.array(np.arange(ROWS, dtype=np.float16)),
        "double": pa.array(fractions),
        "bool": pa.array([None if row % 6 == 0 else row % 2 == 0 for row in range(ROWS)]),
        "string": pa.array(texts),
        "large_string": pa.array(texts, pa.large_string()),
        "string_view": pa.array(texts, pa.string_view()),
        "binary": pa.array(contents),
        "binary_view": pa.array(contents, pa.binary_view()),
        "fixed_binary": pa.array([bytes([row] * 4) for row in range(ROWS)], pa.binary(4)),
        "date32": days,
        "date64": days.cast(pa.date64()),
        "timestamp": pa.array(times, pa.timestamp("us")),
        "zoned": pa.array(times, pa.timestamp("ns", "Europe/Berlin")),
        "time32": pa.array(range(ROWS), pa.time32("s")),
        "duration": pa.array(range(ROWS), pa.duration("ms")),
        "decimal": pa.array([Decimal("1.25") * row for row in range(ROWS)]),
        "null": pa.nulls(ROWS),
    }


def nested_columns() -> dict[str, pa.Array]:
    """Return a column of each of Arrow's types with other types within."""
    rows = range(ROWS)
    texts = pa.array([WORDS[row % len(WORDS)] for row in rows])
    zeros = pa.array([0] * ROWS, pa.int8())
    children = [pa.array(rows), pa.array(["a"] * ROWS)]
    lists = [None if row == 3 else list(range(row % 4)) for row in rows]
    return {
        "dictionary": texts.dictionary_encode(),
        "list": pa.array(lists, pa.list_(pa.int64())),
        "large_list": pa.array([[1.5] * (row % 3) for row in rows], pa.large_list(pa.float32())),
        "fixed_list": pa.array([[row, row + 1] for row in rows], pa.list_(pa.int32(), 2)),
        "list_view": pa.array(lists, pa.list_view(pa.int32())),
        "list_list": pa.array([[["a"], ["b", "c"]][: row % 3] for row in rows]),
        "struct": pa.array([None if row == 2 else {"a": row, "b": "x" * row} for row in rows]),
        "list_struct": pa.array([[{"a": row}] for row in rows]),
        "list_string_view": pa.array([["a", "b"]] * ROWS, pa.list_(pa.string_view())),
        "map": pa.array([[("k", row)] for row in rows], pa.map_(pa.string(), pa.int64())),
        "run_end": pa.RunEndEncodedArray.from_arrays(
            pa.array([5, ROWS], pa.int32()), pa.array(["a", "b"])
        ),
        "dense_union": pa.UnionArray.from_dense(zeros, pa.array(rows, pa.int32()), children),
        "sparse_union": pa.UnionArray.from_sparse(zeros, children),
        "interval": pa.array([pa.MonthDayNano([1, 2, 3])] * ROWS),
    }


NOT_IN_PARQUET = ("run_end", "dense_union", "sparse_union", "interval")


def arrow_file(data: pa.Table, compression: str | None = None, *, stream: bool = False) -> bytes:
    """Write a table as Arrow does, in batches of nine rows."""
    sink = pa.BufferOutputStream()
    writer = pa.ipc.new_stream if stream else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with writer(sink, data.schema, options=options) as file:
        file.write_table(data, max_chunksize=9)
    return bytes(sink.getvalue())


def parquet_file(data: pa.Table, **options: Any) -> bytes:
    """Write a table as Parquet, in groups of nine rows."""
    sink = pa.BufferOutputStream()
    parquet.write_table(data, sink, row_group_size=9, **options)
    return bytes(sink.getvalue())


def _binary_tables() -> Iterator[tuple[str, bytes]]:
    columns = {**flat_columns(), **nested_columns()}
    for name, column in columns.items():
        data = pa.table({name: column})
        yield f"{name}.arrow", arrow_file(data)
        yield f"{name}.feather", arrow_file(data, "lz4")
        if name not in NOT_IN_PARQUET:
            yield f"{name}.parquet", parquet_file(data)
    several = pa.table(columns)
    usual = several.select(["string", "double", "dictionary", "list", "struct", "bool"])
    yield "several.arrow", arrow_file(several, stream=True)
    yield "several.feather", arrow_file(several, "zstd")
    yield "usual.feather", arrow_file(usual, "lz4")
    yield "usual.parquet", parquet_file(usual, compression="gzip")
    yield "plain.parquet", parquet_file(usual, compression="none", use_dictionary=False)


TEXTS: Mapping[str, str] = {
    "rows.csv": 'id,text,label,stars\n1,"good, really",yes,5\n2,bad,no,1\n3,"a ""quote""",yes,4\n'
    "4,,no,2\n5,fine,yes,4.5\n6,dull,no,1e0\n",
    "semicolons.csv": "name;price;day\nä;1,5;2020-01-01\nb;2,25;2020-01-02\nc;3;2020-01-03\n",
    "rows.tsv": "text\tlabel\nso good\ta\nso bad\tb\nso so\ta\n",
    "columns.txt": "a|b|c\n1|2|x\n3|4|y\n5|6|z\n",
    "lines.txt": "It was a dark night.\n\nThe rain fell, as rain does.\nA dog barked.\n",
    "series.csv": "t,x,y\n" + "".join(f"{t},{t * 0.5},{t % 3}\n" for t in range(12)),
    "labelled.txt": "__label__good what a film\n__label__bad what a bore\n__label__good fine\n",
    "series.ts": "@problemName it\n@timeStamps false\n@univariate true\n@classLabel true a b\n"
    "@data\n1.5,2,3:a\n2,?,1:b\n0,1,2:a\n",
    "sentences.conll": "-DOCSTART- O\n\nEU B-ORG\nrejects O\n\nPeter B-PER\ncame O\n",
    "trees.conllu": "# text = a b\n1\ta\ta\tDET\t_\t_\t2\tdet\t_\t_\n"
    "2\tb\tb\tNOUN\t_\t_\t0\troot\t_\t_\n\n1\tc\tc\tNOUN\t_\t_\t0\troot\t_\t_\n",
}
"""Name → content of the files of text."""


def _json_files() -> Iterator[tuple[str, str]]:
    rows = [
        {"text": "good", "label": "yes", "numbers": [1, 2, 3], "user": {"age": 3}, "ok": True},
        {"text": "bad \u00fc \ud83d\ude00", "label": "no", "numbers": [4.5], "user": {"age": None}},
        {"text": None, "label": "yes", "numbers": [], "user": {"age": 7}, "ok": False},
    ]
    yield "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows)
    yield "rows.json", json.dumps(rows)
    yield "columns.json", json.dumps({"text": ["a", "b"], "label": ["x", "y"], "n": [1, 2.5]})
    yield (
        "wide.ndjson",
        "".join(json.dumps({f"c{i}": i * row for i in range(9)}) + "\n" for row in (1, 2)),
    )


def _archives() -> Iterator[tuple[str, bytes]]:
    arrays = {
        "x": np.arange(12.0).reshape(6, 2),
        "y": np.array(["a", "b", "a", "b", "c", "c"]),
        "s": np.arange(9, dtype=np.int16),
        "s_lengths": np.array([1, 2, 3, 0, 2, 1]),
    }
    for name, save in (("arrays.npz", np.savez), ("packed.npz", np.savez_compressed)):
        file = io.BytesIO()
        save(file, **arrays)  # type: ignore[operator]
        yield name, file.getvalue()
    file = io.BytesIO()
    np.save(file, arrays["x"])
    yield "values.npy", file.getvalue()


def _workbooks() -> Iterator[tuple[str, bytes]]:
    with suppress(ImportError):
        import openpyxl

        book = openpyxl.Workbook()
        for row in (("text", "label", "day"), ("good", 1, dt.date(2020, 1, 1)), ("bad", 2.5, None)):
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        yield "book.xlsx", _without_the_time(file)


def _without_the_time(archive: io.BytesIO) -> bytes:
    """Write an archive anew without the time at which it was made."""
    file = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = re.sub(rb"20\d\d-\d\d-\d\dT[0-9:]+Z", b"2020-01-01T00:00:00Z", old.read(name))
            new.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def _compressed() -> Iterator[tuple[str, bytes]]:
    content = TEXTS["rows.csv"].encode()
    yield "rows.csv.gz", gzip.compress(content, mtime=0)
    yield "rows.csv.xz", lzma.compress(content)
    yield "rows.csv.bz2", bz2.compress(content)


@cache
def tables() -> dict[str, bytes]:
    """Return files that `read_table` reads: name → content."""
    files = dict(_binary_tables())
    files |= {name: text.encode() for name, text in TEXTS.items()}
    files |= {name: text.encode() for name, text in _json_files()}
    files |= dict(_archives())
    files |= dict(_workbooks())
    files |= dict(_compressed())
    return files


@cache
def pictures() -> dict[str, bytes]:
    """Return files of pictures: name → content."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    files = {}
    for mode in ("RGB", "L", "1", "P", "RGBA", "I;16", "CMYK"):
        image = Image.fromarray(pixels)
        image = (
            image.convert("L").convert("I").convert("I;16")
            if mode == "I;16"
            else image.convert(mode)
        )
        for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"):
            file = io.BytesIO()
            try:
                image.save(file, form)
            except (OSError, ValueError):  # this form has no such mode
                continue
            files[f"{mode.replace(';', '_')}.{form.lower()}"] = file.getvalue()
    return files


@cache
def sounds() -> dict[str, bytes]:
    """Return files of sounds: name → content."""
    import soundfile

    files = {}
    samples = np.random.default_rng(0).normal(0, 0.1, (300, 2))
    for form, subtype in (
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("AIFF", "PCM_24"),
        ("MP3", "MPEG_LAYER_III"),
    ):
        file = io.BytesIO()
        soundfile.write(file, samples, 8000, format=form, subtype=subtype)
        files[f"{subtype}.{form.lower()}"] = file.getvalue()
    return files
