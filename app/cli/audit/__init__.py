"""The commands that ask and tell: of a server, or where that makes sense of a clone."""
