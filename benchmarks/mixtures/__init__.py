"""Tables of columns of several kinds: made ones, each with a seed, and some that packages ship."""
