"""A worker of its own that asks an endpoint, as JSON in its argument says, and prints how many answers it got."""

import json
import sys
from pathlib import Path

from app.runs.ledger.database import Database
from app.runs.ledger.limits import Limits
from app.runs.models.answers import Answer
from app.runs.models.endpoints import Endpoint
from tests.app.runs.models.asked import ask_all


def main() -> None:
    told = json.loads(sys.argv[1])
    endpoint = Endpoint(**told["endpoint"] | {"models": ("*",)})
    limits = Limits(Database(told["url"], Path(told["folder"])), told["lease"])
    asked = ask_all(limits, endpoint, told["number"], at_most=told["at_most"], holder=told["holder"])
    print(sum(isinstance(outcome, Answer) for outcome in asked.outcomes))


if __name__ == "__main__":
    main()
