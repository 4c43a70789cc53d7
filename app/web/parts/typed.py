"""Texts that people type into forms."""


def one_ending(text: str) -> str:
    """Return a text whose lines all end as those of a form do: a browser changes how lines end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
