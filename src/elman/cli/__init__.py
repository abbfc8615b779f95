"""The command line: one verb a file, each with its arguments and then the steps of the task.

A verb's file imports nothing heavy at its top, so that `elman --help` answers at once.
"""
