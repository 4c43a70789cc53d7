"""One target: its values, and where each comes from."""
