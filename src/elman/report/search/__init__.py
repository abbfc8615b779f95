"""The page of a search: its trials, what they depend on, and the best of them."""
