"""What is asked of which rows."""
