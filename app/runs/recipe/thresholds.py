"""When so many samples failed that the run fails, too."""

_FIRST = 20  # samples, of which half may fail


class Failures:
    """The failed samples of a run of `total` rows, of which some are over already, and some of these failed."""

    def __init__(self, total: int, over: int = 0, failed: int = 0) -> None:
        self._total = total
        self._first = min(_FIRST, total)
        self._over, self._failed = over, failed

    def count(self, *, is_failed: bool) -> None:
        """Count a sample that is over."""
        self._over += 1
        self._failed += is_failed

    @property
    def are_too_many(self) -> bool:
        """Whether the run should end: more than half of the first 20 failed, or then more than a tenth of all."""
        if self._over <= self._first and self._failed * 2 > self._first:
            return True
        return self._over >= self._first and self._failed * 10 > self._total
