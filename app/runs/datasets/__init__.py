"""The operator's data sets: files in the data directory, or those of the Hugging Face hub."""

from app.runs.datasets.library import Datasets
from app.runs.datasets.problems import DatasetProblem

__all__ = ["DatasetProblem", "Datasets"]
