"""Runs: what carries out a target, from its generators to the answers of a model."""
