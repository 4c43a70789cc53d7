"""The machine below: files, cores, and git processes."""
