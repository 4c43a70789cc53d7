"""Where each value came from, and who changed what."""
