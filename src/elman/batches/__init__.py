"""Ragged batches of encoded rows, running texts and series."""
