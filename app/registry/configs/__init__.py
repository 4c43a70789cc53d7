"""Configs: targets, what they are made from, and what they name."""
