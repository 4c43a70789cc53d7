"""Measurements of Bakehouse, each beside a yardstick on the same machine in the same run."""
