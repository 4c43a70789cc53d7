"""Marshmallow schemas, one module a resource. They do no I/O and know no current user."""
