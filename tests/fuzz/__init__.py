"""Damaged files by the thousand: every one must end in a table or in one of Elman's errors."""
