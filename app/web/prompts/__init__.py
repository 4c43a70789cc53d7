"""Prompts in the browser: read as messages with roles, and edited."""
