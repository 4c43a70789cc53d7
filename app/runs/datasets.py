"""The operator's data sets."""

from pathlib import Path


class Datasets:
    """Files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
