"""The page of a comparison, and the results it shows."""
