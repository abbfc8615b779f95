"""Other people's implementations of the same cells, as the tests call them."""
