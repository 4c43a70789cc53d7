"""The objects of a repository: in memory, else git's."""
