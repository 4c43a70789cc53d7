"""What the operator of a server does so that runs can be carried out."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.conftest import User
from tests.faulty_proxy import FaultyProxy, Rule, Seen
from tests.replies import Reply, completion


@dataclass(frozen=True)
class Operator:
    """Somebody who may write to the data directory of a server."""

    data_dir: Path

    def list_endpoints(self, *endpoints: dict[str, Any]) -> None:
        """Say who serves which models, from now on."""
        new = self.data_dir / "endpoints.new"
        new.write_text(yaml.safe_dump(list(endpoints)))
        new.rename(self.data_dir / "endpoints.yml")  # a server never reads half a file

    def put_dataset(self, name: str, questions: list[str]) -> None:
        """Bring a data set, or another content of one."""
        folder = self.data_dir / "datasets"
        folder.mkdir(exist_ok=True)
        new = folder / "new"
        new.write_text("".join(json.dumps({"question": question}) + "\n" for question in questions))
        new.rename(folder / f"{name}.jsonl")


def endpoint(name: str, base_url: str, *models: str, **fields: Any) -> dict[str, Any]:
    """Return an entry of the list of endpoints."""
    return {"name": name, "base_url": base_url, "models": list(models), **fields}


def wait_for_worker(user: User) -> None:
    """Carry out a first target: a worker that just started takes seconds, and clients look again after 30."""
    target = "/v1/repo/demo/targets/warm"
    generators = [{"type": "hardcoded", "questions": ["Why?"]}]
    user.call("PUT", "/v1/repo/demo/prompts/kind", {"messages": [{"role": "system", "content": "Be kind."}]})
    overrides = {"teacher_prompt": "kind", "student_prompt": "", "generators": generators}
    user.call("PUT", target, {"template": "default", "overrides": overrides})
    user.call("POST", f"{target}/stim")
    while user.call("POST", f"{target}/rollout")["status"] == "running":
        pass  # each of these waits for its end, too


def with_questions(proxy: FaultyProxy) -> Rule:
    """Answer requests for questions with as many new ones as they want; leave other requests to the proxy."""

    def rule(seen: Seen) -> Reply | None:
        wanted = re.search(r"numbered list of exactly (\d+)", seen.data.decode())
        if wanted is None:
            return None
        request = len(proxy.seen)
        return completion("\n".join(f"{at}. What is {request}.{at}?" for at in range(1, int(wanted[1]) + 1)))

    return rule
