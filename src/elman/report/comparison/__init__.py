"""The page of a comparison, and the results that it shows."""
