"""The folder of the accounts that lists which repos were ever shared with whom."""

from app.registry.folders import Folder

FOLDER = Folder("shares", "Share")
# The note is there once the lists are complete.
PATH_OF_NOTE = f"{FOLDER.name}/README.md"
NOTE = b"""# Shares

`<user>.yml`: the repos that were ever shared with a user. What a user may do is in the `repo.yml` of each repo.
"""
