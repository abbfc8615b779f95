"""Named data sets: what they are, where they are read from, and how to get them.

`tables` returns the splits of a set as tables, `load` the piano rolls of a music corpus, `fetch`
downloads a set. A set is read from the first of these places that has it, and its checksum is
always verified:

1. its folder in ELMAN_DATA, where the environment variable ELMAN_DATA names a folder;
2. the package itself, which ships the chorales;
3. the user's cache (XDG_CACHE_HOME or the system's equivalent), to which it is downloaded once.

Where ELMAN_DATA is set, only `fetch` uses the network: a set expected in that folder is not
downloaded without being asked for. A set whose original has no known checksum is not downloaded
at all; its entry says which files to put where.

`entry.py` defines an entry, `storage.py` where files are kept and how they are downloaded, and
one module per family holds its entries and how they are read.
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
