"""The ledger: the database of runs and their rows."""
