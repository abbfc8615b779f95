"""What a network makes of the rows of a table, decoded and scored."""
