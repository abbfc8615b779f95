"""From files to tables: formats, named data sets, splits, sequences and windows."""
