"""Piano rolls to be heard and seen."""
