"""From files to examples: named data sets and the batches made of them."""
