"""Rows of a text file that are found by their places, so that a file of any size is read with little memory."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class TextRows(ABC):
    """Which column of a file has the questions, and where each row begins, in bytes."""

    column: str
    places: "array[int]"

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    @property
    def weight(self) -> int:
        """The bytes that this takes in memory."""
        return self.places.itemsize * len(self.places)

    def texts(self, file: BinaryIO, indexes: Iterable[int]) -> list[str]:
        """Return the questions of some rows."""
        return [self.text(file, index) for index in indexes]

    @abstractmethod
    def text(self, file: BinaryIO, index: int) -> str:
        """Return the question of a row; Unusable where the file is another one by now."""
