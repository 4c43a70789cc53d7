"""Targets changed in the browser: a form, YAML, a sweep, deleting and rebasing."""
