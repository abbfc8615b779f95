"""Named data sets: what they are, where they are read from, and how to get them.

`tables` gives the splits of a set as tables, `load` the rolls of a corpus of music, `fetch`
downloads a set. A set is read from the first of these places that has it, and never without its
checksum:

1. its folder in ELMAN_DATA, where the environment variable ELMAN_DATA names a folder;
2. the package itself, which ships the chorales;
3. the user's cache (XDG_CACHE_HOME or the system's like), into which it is downloaded once.

A set ELMAN_DATA should bring is not downloaded behind the user's back: with ELMAN_DATA set, only
`fetch` goes to the network. A set whose original has no checksum known to us is not downloaded at
all; its entry says which files to put where.

`entry.py` says what an entry states, `storage.py` where files lie and how they get there, and one
file a family holds the entries and how they are read.
"""

from __future__ import annotations

from elman.data.catalog.entry import DataSet, File, Layout
from elman.data.catalog.polyphonic import KEYS, RollSet, Splits, read_mat, read_packed
from elman.data.catalog.registry import DATASETS, ROLL_SETS, fetch, find, load, tables
from elman.data.catalog.storage import SHIPPED, Bar, Copy, Watch, locate

__all__ = [
    "DATASETS",
    "KEYS",
    "ROLL_SETS",
    "SHIPPED",
    "Bar",
    "Copy",
    "DataSet",
    "File",
    "Layout",
    "RollSet",
    "Splits",
    "Watch",
    "fetch",
    "find",
    "load",
    "locate",
    "read_mat",
    "read_packed",
    "tables",
]
