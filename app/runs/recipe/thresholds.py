"""When so many samples failed that the run fails, too."""

_FIRST = 20  # samples, of which half may fail


class Failures:
    """The failed samples of a run of `total` rows."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._seen = self._failed = 0

    def count(self, *, is_failed: bool) -> bool:
        """Count a sample that is over; return whether the run should end.

        It should once more than half of the first 20 failed, or more than a tenth of all.
        """
        self._seen += 1
        self._failed += is_failed
        first = min(_FIRST, self._total)
        if self._seen <= first:
            return is_failed and self._failed * 2 > first
        return self._failed * 10 > self._total
