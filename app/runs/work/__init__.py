"""Carrying out: the processes that make the rows of runs."""
