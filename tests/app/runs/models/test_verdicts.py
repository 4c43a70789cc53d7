"""What each HTTP status means for a request to a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runs.models.verdicts import Verdict, of_status


@given(st.integers(100, 599))
def test_every_status_has_a_verdict(status: int):
    verdict, kind = of_status(status)
    assert (verdict is Verdict.ANSWER) == (200 <= status < 300)
    assert (verdict is Verdict.THROTTLED) == (status == 429)
    assert (verdict is Verdict.RETRY) == (status in (408, 409, 425) or status >= 500 or status < 200)
    assert (verdict is Verdict.RUN) == (status in (401, 402, 403, 407) or 300 <= status < 400)
    assert kind


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_the_endpoint_cannot_do_ends_the_sample(status: int):
    assert of_status(status)[0] is Verdict.SAMPLE


@pytest.mark.parametrize("field", ["code", "type"])
def test_an_account_without_money_is_not_waited_for(field: str):
    assert of_status(429, {field: "insufficient_quota"}) == (Verdict.RUN, "quota")
    assert of_status(429, {field: "rate_limit_exceeded"}) == (Verdict.THROTTLED, "throttled")
