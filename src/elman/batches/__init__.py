"""From encoded rows to ragged batches."""
